/** Owns image folders: JPEG and PNG, one folder a class; `train/` and `test/` (or `val/`) above them are respected. */
import { type Dirent, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import { Fault } from '#shared/base/fault.ts';
import type { Dataset, Sample } from '#shared/ports/dataset.ts';
import { indexedDataset, type SampleSource } from './memory-dataset.ts';
import { heldOutRule, heldOutSplit, shareRule, shareSplit } from './stratified-split.ts';

interface Picture {
  readonly height: number;
  readonly width: number;
  /** [height, width, 3] */
  readonly rgb: Uint8Array;
}

const isImage = (name: string): boolean => /\.(jpe?g|png)$/i.test(name);
/** Decoded pictures kept in memory, in bytes: training reads each many times. */
const cacheBytes = 256 * 2 ** 20;

/** Faults: `bad-file` naming the picture. Transparency is drawn on white. */
export function decodeImage(path: string): Picture {
  try {
    const file = readFileSync(path);
    const png = file[0] === 0x89 && file[1] === 0x50;
    const { width, height, data } = png
      ? PNG.sync.read(file)
      : jpeg.decode(file, { useTArray: true, maxMemoryUsageInMB: 1024 });
    const rgb = new Uint8Array(width * height * 3);
    for (let i = 0; i < width * height; i++) {
      const alpha = png ? (data[4 * i + 3] ?? 255) / 255 : 1;
      for (let c = 0; c < 3; c++) rgb[3 * i + c] = Math.round((data[4 * i + c] ?? 0) * alpha + 255 * (1 - alpha));
    }
    return { height, width, rgb };
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new Fault('bad-file', `the picture cannot be decoded: ${words}`, { where: path, cause });
  }
}

interface Listed {
  readonly path: string;
  readonly className: string | null;
}

const entries = (folder: string): readonly Dirent[] =>
  readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));

/** Pictures below class folders; or right in the folder, then without labels. */
function list(folder: string): readonly Listed[] {
  const here = entries(folder);
  const below = here
    .filter((e) => e.isDirectory())
    .flatMap((d) =>
      readdirSync(join(folder, d.name), { recursive: true, encoding: 'utf8' })
        .filter(isImage)
        .sort()
        .map((name): Listed => ({ path: join(folder, d.name, name), className: d.name })),
    );
  if (below.length > 0) return below;
  return here
    .filter((e) => e.isFile() && isImage(e.name))
    .map((e) => ({ path: join(folder, e.name), className: null }));
}

function pictureSource(files: readonly Listed[], labels: readonly number[] | null, grey: boolean): SampleSource {
  const kept = new Map<number, Picture>();
  let bytes = 0;
  const picture = (i: number): Picture => {
    const known = kept.get(i);
    if (known !== undefined) return known;
    const made = decodeImage(files[i]?.path ?? '');
    if (bytes + made.rgb.length <= cacheBytes) {
      kept.set(i, made);
      bytes += made.rgb.length;
    }
    return made;
  };
  return {
    labels,
    sample: (i): Sample => {
      const { height, width, rgb } = picture(i);
      const values = grey
        ? Float32Array.from({ length: height * width }, (_, k) => rgb[3 * k] ?? 0)
        : Float32Array.from(rgb);
      return { values, height, width, label: labels?.[i] ?? null };
    },
  };
}

/** Faults: `bad-file` where nothing is found or the first picture cannot be read. */
export function openImageFolder(folder: string): Dataset {
  const names = entries(folder)
    .filter((e) => e.isDirectory())
    .map((e) => e.name);
  const trainName = names.find((n) => /^train(ing)?$/i.test(n));
  const testName = names.find((n) => /^(test|val|valid|validation)$/i.test(n));
  const own = trainName !== undefined && testName !== undefined;
  const training = list(own ? join(folder, trainName) : folder);
  const files = own ? [...training, ...list(join(folder, testName))] : training;
  const first = files[0];
  if (first === undefined)
    throw new Fault('bad-file', 'no JPEG or PNG pictures here', {
      where: folder,
      hint: 'Put the pictures of each class in a folder of their own.',
    });
  const labelled = files.every((f) => f.className !== null);
  const classes = [...new Set(files.flatMap((f) => (f.className === null ? [] : [f.className])))].sort();
  const at = new Map(classes.map((c, i) => [c, i]));
  const labels = labelled ? files.map((f) => at.get(f.className ?? '') ?? 0) : null;
  const { height, width, rgb } = decodeImage(first.path);
  const grey = rgb.every((v, i) => v === rgb[i - (i % 3)]);
  return indexedDataset(
    {
      id: folder,
      source: `${files.length} pictures${labelled ? ` in ${classes.length} classes` : ', without labels'}`,
      labelled,
      classes: labelled ? classes : [],
      sample: { kind: 'image', height, width, channels: grey ? 1 : 3 },
      splitRule: own ? heldOutRule : shareRule,
    },
    pictureSource(files, labels, grey),
    own ? heldOutSplit(labels, training.length, files.length) : shareSplit(labels, files.length),
  );
}
