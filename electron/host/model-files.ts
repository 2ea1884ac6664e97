/**
 * Owns models on disk: opening with external data read lazily from safe places only, and saving so that a crash at any moment
 * leaves either the old model or the new one, never half of one.
 */
import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readSync, realpathSync, statSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { Fault, faultMessage, faultWhere, toFault } from '#shared/base/fault.ts';
import { both, type Text, text, textAround } from '#shared/base/text.ts';
import type { Model } from '#shared/ir/model.ts';
import { asWritten, dataFileName } from '#shared/onnx/as-written.ts';
import { externalLayout, type LaidOut, withExternalData } from '#shared/onnx/external.ts';
import { type ExternalFile, readModel } from '#shared/onnx/read.ts';
import { onnxFileBytes } from '#shared/onnx/size.ts';
import { largestFile, modelParts } from '#shared/onnx/write.ts';

const unsafe = (location: string, tensor: string, why: Text): Fault =>
  new Fault('denied', text(`its external data "${location}" ${why.en}`, `외부 데이터 "${location}"${why.ko}`), {
    where: text(`tensor ${tensor}`, `텐서 ${tensor}`),
    hint: text(
      'External data is only read from the folder of the model.',
      '외부 데이터는 모델이 있는 폴더에서만 읽습니다.',
    ),
  });

/** The real path of an external location inside `folder`; throws `denied` for anything that leads out of it, links included. */
export function safeLocation(folder: string, location: string, tensor: string): string {
  if (location === '' || location.includes('\0'))
    throw unsafe(location, tensor, text('is no file name', '은(는) 파일 이름이 아닙니다'));
  // The runtime takes this marker for an address in its own memory.
  if (location.includes('_ORT_MEM_ADDR_'))
    throw unsafe(location, tensor, text('names memory, not a file', '은(는) 파일이 아니라 메모리를 가리킵니다'));
  const parts = location.split(/[\\/]/);
  if (isAbsolute(location) || /^[a-zA-Z]:/.test(location) || location.startsWith('\\'))
    throw unsafe(location, tensor, text('is an absolute path', '은(는) 절대 경로입니다'));
  if (parts.includes('..'))
    throw unsafe(location, tensor, text('leads out of the model folder', '은(는) 모델 폴더 밖을 가리킵니다'));
  const root = realpathSync(folder);
  const path = resolve(root, ...parts);
  if (!existsSync(path))
    throw new Fault(
      'bad-file',
      text(`its external data "${location}" is not there`, `외부 데이터 "${location}"이(가) 없습니다`),
      {
        where: text(`tensor ${tensor}`, `텐서 ${tensor}`),
        hint: text(
          'Put the data file beside the model, under the name it had.',
          '데이터 파일을 원래 이름으로 모델 옆에 두세요.',
        ),
      },
    );
  const real = realpathSync(path);
  const inside = relative(root, real);
  if (inside.startsWith(`..${sep}`) || inside === '..' || isAbsolute(inside))
    throw unsafe(
      location,
      tensor,
      text('is a link that leads out of the model folder', '은(는) 모델 폴더 밖으로 나가는 링크입니다'),
    );
  if (!statSync(real).isFile())
    throw unsafe(location, tensor, text('is no regular file', '은(는) 일반 파일이 아닙니다'));
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
          if (got === 0)
            throw new Fault('bad-file', text('the external data ended early', '외부 데이터가 중간에 끝났습니다'), {
              where: basename(path),
            });
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
    if (!info.isFile()) throw new Fault('bad-path', text('this is no file', '파일이 아닙니다'), { where: path });
    if (info.size > largestFile)
      throw new Fault(
        'bad-file',
        text('an .onnx file ends at 2 GB; this one is longer', '.onnx 파일은 2 GB까지인데 이 파일은 더 큽니다'),
        { where: path },
      );
    bytes = readFileSync(path);
  } catch (thrown) {
    if (thrown instanceof Fault) throw thrown;
    throw new Fault('bad-path', text('the file cannot be read', '파일을 읽을 수 없습니다'), {
      where: path,
      cause: thrown,
      hint: text('Check the path and its permissions.', '경로와 권한을 확인하세요.'),
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
    if (parts.includes('..') || isAbsolute(location))
      throw unsafe(location, tensor, text('leads out of the model folder', '은(는) 모델 폴더 밖을 가리킵니다'));
    const file = given.get(parts.join('/')) ?? given.get(parts.at(-1) ?? '');
    if (file === undefined)
      throw new Fault(
        'bad-file',
        text(`its external data "${location}" was not given`, `외부 데이터 "${location}"이(가) 함께 오지 않았습니다`),
        {
          where: text(`tensor ${tensor}`, `텐서 ${tensor}`),
          hint: text('Drop the model together with its data files.', '모델을 데이터 파일과 함께 끌어다 놓으세요.'),
        },
      );
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
          text(
            `external data "${t.location}" ends at ${file.size}, bytes ${t.offset} to ${t.offset + t.length} are needed`,
            `외부 데이터 "${t.location}"은(는) ${file.size}바이트에서 끝나는데 ${t.offset}~${t.offset + t.length}바이트가 필요합니다`,
          ),
          {
            where: text(`tensor ${t.tensor.name}`, `텐서 ${t.tensor.name}`),
          },
        );
    }
    return model;
  } catch (thrown) {
    const fault = toFault(thrown, 'bad-file');
    const where = fault.where === undefined ? name : both((say) => `${name}, ${say(faultWhere(fault))}`);
    throw new Fault(fault.code, fault.message, { ...fault.toData(), where, cause: thrown });
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
    throw new Fault(
      'bad-path',
      textAround(
        faultMessage(toFault(thrown)),
        (w) => `the model cannot be written: ${w}`,
        (w) => `모델을 쓸 수 없습니다: ${w}`,
      ),
      {
        where: target,
        cause: thrown,
      },
    );
  }
  return { files: temporaries.map((t) => t.path), bytes: temporaries.reduce((n, t) => n + t.bytes, 0) };
}
