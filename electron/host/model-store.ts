/**
 * Owns the models that the host holds: one folder each under the data folder, named by its content, written whole or not at
 * all, bounded together by a byte limit (least recently used go first).
 */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import { Fault } from '#shared/base/fault.ts';
import { text } from '#shared/base/text.ts';
import { blobId } from '#shared/contract/calls.ts';
import { preprocessSchema } from '#shared/recipes/recipe.ts';

const cardSchema = z.object({
  name: z.string(),
  fileBytes: z.number(),
  data: z.string().optional(),
  preprocess: preprocessSchema.optional(),
});
export type Card = z.infer<typeof cardSchema>;

export interface Held extends Card {
  readonly modelId: string;
  /** The ONNX file; external data lies beside it. */
  readonly path: string;
}

export interface ModelStore {
  /**
   * Keeps bytes and the files that came with them. The same content keeps its id. `check` sees the written file first and
   * throws where it is no model. Faults: `bad-path`, and what `check` throws.
   */
  put(
    bytes: Uint8Array,
    companions: Readonly<Record<string, Uint8Array>>,
    card: Omit<Card, 'fileBytes'>,
    check: (path: string) => Promise<unknown>,
  ): Promise<Held>;
  /** A folder of the store's own in which `model.onnx` may be written, to be kept or dropped. */
  draft(): Promise<{ readonly folder: string; readonly path: string }>;
  /** Takes a draft in; the draft is gone afterwards. */
  keep(folder: string, card: Omit<Card, 'fileBytes'>): Promise<Held>;
  drop(folder: string): Promise<void>;
  /** Faults: `not-found`. */
  get(modelId: string): Promise<Held>;
  /** Models held, most recently used first; one name once (what a file was before it changed is not listed). */
  recent(most: number): Promise<readonly Held[]>;
}

const cardFile = 'card.json';
const draftPrefix = '.draft-';
const draftLifeMs = 24 * 3600 * 1000;

/** A companion's name as a safe path below the model's folder. */
function safeName(name: string): string {
  const clean = posix.normalize(name);
  const bad =
    name === '' || /[\\:\0]/.test(name) || posix.isAbsolute(name) || clean.split('/').includes('..') || clean === '.';
  if (bad || clean === cardFile || clean === 'model.onnx')
    throw new Fault(
      'bad-path',
      text('a data file may not stand at that path', '데이터 파일을 그 경로에 둘 수 없습니다'),
      { where: name },
    );
  return clean;
}

async function filesOf(folder: string): Promise<readonly string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found
    .filter((f) => f.isFile() && f.name !== cardFile)
    .map((f) => join(f.parentPath, f.name))
    .sort();
}

async function contentId(folder: string, files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) {
    hash.update(`${file.slice(folder.length)}\0`);
    for await (const chunk of createReadStream(file, { highWaterMark: 2 ** 20 })) hash.update(chunk as Buffer);
  }
  return hash.digest('hex').slice(0, 32);
}

/** Opens the store in `root`. `limit`: bytes that all held models may take together. */
export async function openStore(root: string, limit = 8 * 2 ** 30): Promise<ModelStore> {
  await mkdir(root, { recursive: true });
  // Another run may be writing its own drafts: only old ones are rubbish.
  for (const name of await readdir(root))
    if (name.startsWith(draftPrefix) && Date.now() - (await stat(join(root, name))).mtimeMs > draftLifeMs)
      await rm(join(root, name), { recursive: true, force: true });
  /** What this run has handed out: never evicted under its user's feet. */
  const inUse = new Set<string>();

  const read = async (modelId: string): Promise<Held> => {
    const folder = join(root, modelId);
    let card: string;
    try {
      card = await readFile(join(folder, cardFile), 'utf8');
    } catch {
      throw new Fault(
        'not-found',
        text('the host does not hold this model any more', '호스트에 이 모델이 더 이상 없습니다'),
        {
          where: modelId,
          hint: text('Open the file again.', '파일을 다시 여세요.'),
        },
      );
    }
    return { ...cardSchema.parse(JSON.parse(card)), modelId, path: join(folder, 'model.onnx') };
  };

  /** Everything held, least recently used first. */
  const all = async (): Promise<readonly Held[]> => {
    const found: { held: Held; used: number }[] = [];
    for (const id of await readdir(root)) {
      if (!blobId.safeParse(id).success) continue;
      const held = await read(id).catch(() => undefined);
      if (held !== undefined) found.push({ held, used: (await stat(join(root, id, cardFile))).mtimeMs });
    }
    return found.sort((a, b) => a.used - b.used).map((f) => f.held);
  };

  const trim = async (): Promise<void> => {
    const held = await all();
    let total = held.reduce((n, h) => n + h.fileBytes, 0);
    for (const h of held) {
      if (total <= limit) return;
      if (inUse.has(h.modelId)) continue;
      await rm(join(root, h.modelId), { recursive: true, force: true });
      total -= h.fileBytes;
    }
  };

  const draft: ModelStore['draft'] = async () => {
    const folder = join(root, `${draftPrefix}${randomUUID()}`);
    await mkdir(folder);
    return { folder, path: join(folder, 'model.onnx') };
  };

  const keep: ModelStore['keep'] = async (folder, card) => {
    const files = await filesOf(folder);
    const sizes = await Promise.all(files.map(async (f) => (await stat(f)).size));
    const whole: Card = { ...card, fileBytes: sizes.reduce((a, b) => a + b, 0) };
    const modelId = await contentId(folder, files);
    await writeFile(join(folder, cardFile), JSON.stringify(whole));
    try {
      await rename(folder, join(root, modelId));
    } catch {
      // Already held: only its card (the name it goes by now) is new.
      await writeFileAtomic(join(root, modelId, cardFile), JSON.stringify(whole));
      await rm(folder, { recursive: true, force: true });
    }
    inUse.add(modelId);
    await trim();
    return read(modelId);
  };

  return {
    draft,
    keep,
    drop: (folder) => rm(folder, { recursive: true, force: true }),
    put: async (bytes, companions, card, check) => {
      const names = Object.entries(companions).map(([name, data]) => [safeName(name), data] as const);
      const { folder, path } = await draft();
      try {
        await writeFile(path, bytes);
        for (const [name, data] of names) {
          await mkdir(dirname(join(folder, name)), { recursive: true });
          await writeFile(join(folder, name), data);
        }
        await check(path);
        return await keep(folder, card);
      } catch (thrown) {
        await rm(folder, { recursive: true, force: true });
        throw thrown;
      }
    },
    recent: async (most) => {
      const byName = new Map((await all()).map((h) => [h.name, h]));
      const names = [...new Set((await all()).map((h) => h.name).reverse())];
      return names.slice(0, most).flatMap((n) => byName.get(n) ?? []);
    },
    get: async (modelId) => {
      const held = await read(modelId);
      inUse.add(modelId);
      const now = new Date();
      await utimes(join(root, modelId, cardFile), now, now);
      return held;
    },
  };
}
