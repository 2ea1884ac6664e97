/**
 * Owns models on disk: opening with external data read lazily from safe places only, and saving so that a crash at any moment
 * leaves either the old model or the new one, never half of one.
 */
import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readSync, realpathSync, statSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { Fault, toFault } from '#shared/base/fault.ts';
import type { Model } from '#shared/ir/model.ts';
import { asWritten, dataFileName } from '#shared/onnx/as-written.ts';
import { externalLayout, type LaidOut, withExternalData } from '#shared/onnx/external.ts';
import { type ExternalFile, readModel } from '#shared/onnx/read.ts';
import { onnxFileBytes } from '#shared/onnx/size.ts';
import { largestFile, modelParts } from '#shared/onnx/write.ts';

const unsafe = (location: string, tensor: string, why: string): Fault =>
  new Fault('denied', `its external data "${location}" ${why}`, {
    where: `tensor ${tensor}`,
    hint: 'External data is only read from the folder of the model.',
  });

/** The real path of an external location inside `folder`; throws `denied` for anything that leads out of it, links included. */
export function safeLocation(folder: string, location: string, tensor: string): string {
  if (location === '' || location.includes('\0')) throw unsafe(location, tensor, 'is no file name');
  // The runtime takes this marker for an address in its own memory.
  if (location.includes('_ORT_MEM_ADDR_')) throw unsafe(location, tensor, 'names memory, not a file');
  const parts = location.split(/[\\/]/);
  if (isAbsolute(location) || /^[a-zA-Z]:/.test(location) || location.startsWith('\\'))
    throw unsafe(location, tensor, 'is an absolute path');
  if (parts.includes('..')) throw unsafe(location, tensor, 'leads out of the model folder');
  const root = realpathSync(folder);
  const path = resolve(root, ...parts);
  if (!existsSync(path))
    throw new Fault('bad-file', `its external data "${location}" is not there`, {
      where: `tensor ${tensor}`,
      hint: 'Put the data file beside the model, under the name it had.',
    });
  const real = realpathSync(path);
  const inside = relative(root, real);
  if (inside.startsWith(`..${sep}`) || inside === '..' || isAbsolute(inside))
    throw unsafe(location, tensor, 'is a link that leads out of the model folder');
  if (!statSync(real).isFile()) throw unsafe(location, tensor, 'is no regular file');
  return real;
}

function externalFile(path: string): ExternalFile {
  const { size } = statSync(path);
  return {
    size,
    read: (offset, length) => {
      const out = new Uint8Array(length);
      const file = openSync(path, 'r');
      try {
        for (let at = 0; at < length; ) {
          const got = readSync(file, out, at, length - at, offset + at);
          if (got === 0) throw new Fault('bad-file', 'the external data ended early', { where: basename(path) });
          at += got;
        }
      } finally {
        closeSync(file);
      }
      return out;
    },
  };
}

/**
 * Opens a model file. External tensors are checked at once (safe, present, long enough) and read when asked for.
 * Faults: `bad-path`, `bad-file`, `denied`, naming file and tensor.
 */
export function openModelFile(path: string): Model {
  let bytes: Uint8Array;
  try {
    const info = statSync(path);
    if (!info.isFile()) throw new Fault('bad-path', 'this is no file', { where: path });
    if (info.size > largestFile)
      throw new Fault('bad-file', 'an .onnx file ends at 2 GB; this one is longer', { where: path });
    bytes = readFileSync(path);
  } catch (thrown) {
    if (thrown instanceof Fault) throw thrown;
    throw new Fault('bad-path', 'the file cannot be read', {
      where: path,
      cause: thrown,
      hint: 'Check the path and its permissions.',
    });
  }
  return openWith(bytes, basename(path), (location, tensor) =>
    externalFile(safeLocation(dirname(path), location, tensor)),
  );
}

/** Opens bytes that were dropped or uploaded, with their companions by relative name. */
export function openModelBytes(
  bytes: Uint8Array,
  name: string,
  companions: Readonly<Record<string, Uint8Array>> = {},
): Model {
  const given = new Map(Object.entries(companions).map(([k, v]) => [k.replaceAll('\\', '/'), v]));
  return openWith(bytes, name, (location, tensor) => {
    const parts = location.split(/[\\/]/);
    if (parts.includes('..') || isAbsolute(location)) throw unsafe(location, tensor, 'leads out of the model folder');
    const file = given.get(parts.join('/')) ?? given.get(parts.at(-1) ?? '');
    if (file === undefined)
      throw new Fault('bad-file', `its external data "${location}" was not given`, {
        where: `tensor ${tensor}`,
        hint: 'Drop the model together with its data files.',
      });
    return { size: file.length, read: (offset, length) => file.subarray(offset, offset + length) };
  });
}

function openWith(
  bytes: Uint8Array,
  name: string,
  external: (location: string, tensor: string) => ExternalFile,
): Model {
  const files = new Map<string, ExternalFile>();
  const open = (location: string, tensor: string): ExternalFile => {
    let file = files.get(location);
    if (file === undefined) {
      file = external(location, tensor);
      files.set(location, file);
    }
    return file;
  };
  try {
    const model = readModel(bytes, { external: open });
    for (const t of externalLayout(model).tensors) {
      const file = open(t.location, t.tensor.name);
      if (t.offset + t.length > file.size)
        throw new Fault(
          'bad-file',
          `external data "${t.location}" ends at ${file.size}, bytes ${t.offset} to ${t.offset + t.length} are needed`,
          {
            where: `tensor ${t.tensor.name}`,
          },
        );
    }
    return model;
  } catch (thrown) {
    const fault = toFault(thrown, 'bad-file');
    throw new Fault(fault.code, fault.message, {
      where: fault.where === undefined ? name : `${name}, ${fault.where}`,
      cause: thrown,
      ...(fault.hint === undefined ? {} : { hint: fault.hint }),
    });
  }
}

export interface SaveOptions {
  /**
   * 'inside' (default): one .onnx file, and one data file beside it only where the model would pass `limit`. 'keep': external
   * tensors stay in files of their own names.
   */
  readonly external?: 'keep' | 'inside';
  /** Largest .onnx file in bytes before tensors move to external data; protobuf's own by default. */
  readonly limit?: number;
}

export interface Saved {
  /** Absolute paths, the .onnx file last. */
  readonly files: readonly string[];
  readonly bytes: number;
}

async function writeAll(
  path: string,
  fill: (file: FileHandle) => Promise<number>,
): Promise<{ temporary: string; bytes: number }> {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${randomUUID().slice(0, 8)}.part`;
  const file = await open(temporary, 'wx');
  try {
    const bytes = await fill(file);
    await file.sync();
    return { temporary, bytes };
  } catch (thrown) {
    await rm(temporary, { force: true });
    throw thrown;
  } finally {
    await file.close();
  }
}

async function put(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, position + at);
    at += bytesWritten;
  }
}

/** A data file name that overwrites nothing: another model may read the file, and an old one must stay whole meanwhile. */
const freeName = (folder: string, wish: string): string =>
  existsSync(join(folder, wish)) ? `${wish.replace(/\.data$/, '')}.${randomUUID().slice(0, 8)}.data` : wish;

/** What to write: the model with its tensors at their places, and the data files. */
function laidOutFor(model: Model, folder: string, options: SaveOptions): LaidOut {
  const limit = Math.min(options.limit ?? largestFile, largestFile);
  const data = dataFileName(randomUUID());
  if (options.external !== 'keep')
    return withExternalData(asWritten(model, limit), { locate: () => data, spill: undefined });
  return withExternalData(model, {
    locate: (location) => freeName(folder, location),
    spill: onnxFileBytes(model) > limit ? data : undefined,
  });
}

/**
 * Saves a model, streamed tensor by tensor. Data files are in place before the .onnx file is renamed, which is the moment the
 * save happens. Faults: `bad-path` where the folder cannot be written.
 */
export async function saveModelFile(model: Model, path: string, options: SaveOptions = {}): Promise<Saved> {
  const folder = dirname(resolve(path));
  const target = join(folder, basename(path));
  const laidOut = laidOutFor(model, folder, options);
  const temporaries: { temporary: string; path: string; bytes: number }[] = [];
  try {
    for (const [location, tensors] of laidOut.files) {
      const at = join(folder, ...location.split(/[\\/]/));
      const { temporary, bytes } = await writeAll(at, async (file) => {
        let end = 0;
        for (const t of tensors) {
          await put(file, t.tensor.bytes(), t.offset);
          end = Math.max(end, t.offset + t.length);
        }
        return end;
      });
      temporaries.push({ temporary, path: at, bytes });
    }
    const { temporary, bytes } = await writeAll(target, async (file) => {
      let at = 0;
      for (const part of modelParts(laidOut.model)) {
        await put(file, part, at);
        at += part.length;
      }
      return at;
    });
    temporaries.push({ temporary, path: target, bytes });
    for (const t of temporaries) await rename(t.temporary, t.path);
  } catch (thrown) {
    for (const t of temporaries) await rm(t.temporary, { force: true });
    if (thrown instanceof Fault) throw thrown;
    throw new Fault('bad-path', `the model cannot be written: ${toFault(thrown).message}`, {
      where: target,
      cause: thrown,
    });
  }
  return { files: temporaries.map((t) => t.path), bytes: temporaries.reduce((n, t) => n + t.bytes, 0) };
}
