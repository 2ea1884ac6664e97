/** Owns image folders: JPEG and PNG, one folder a class; `train/`, `val/` and `test/` above them are respected. */
import { type Dirent, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '#shared/base/fault.ts';
import { text } from '#shared/base/text.ts';
import type { Dataset, Sample } from '#shared/ports/dataset.ts';
import { checkOptions, type DataId } from './data-id.ts';
import { type DecodedImage, decodeImage } from './decode-image.ts';
import { indexedDataset, type SampleSource } from './memory-dataset.ts';
import { partsSplit } from './stratified-split.ts';

/** Files that begin with a dot are a system's own notes, whatever they end in. */
const isImage = (name: string): boolean => /(^|[\\/])[^.\\/][^\\/]*\.(jpe?g|png)$/i.test(name);
/** Decoded pictures kept in memory, in bytes: training reads each many times. */
const cacheBytes = 256 * 2 ** 20;

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
    .filter((e) => e.isDirectory() && !e.name.startsWith('.'))
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
  const kept = new Map<number, DecodedImage>();
  let bytes = 0;
  const picture = (i: number): DecodedImage => {
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

/** True where some of the pictures, spread over all, have no colour. */
function areGrey(files: readonly Listed[]): boolean {
  const looked = Math.min(files.length, 8);
  return Array.from({ length: looked }, (_, k) => files[Math.floor((k * files.length) / looked)]).every((f) =>
    decodeImage(f?.path ?? '').rgb.every((v, i, rgb) => v === rgb[i - (i % 3)]),
  );
}

const partNames = {
  train: /^train(ing)?$/i,
  validation: /^(val|valid|validation)$/i,
  test: /^test(ing)?$/i,
} as const;

/** Nothing is decoded here but a few training pictures. Faults: `bad-file` where nothing is found or one of them cannot be read. */
export function openImageFolder(id: DataId): Dataset {
  checkOptions(id, []);
  const folder = id.path;
  const names = entries(folder)
    .filter((e) => e.isDirectory())
    .map((e) => e.name);
  const named = (part: keyof typeof partNames) => names.find((n) => partNames[part].test(n));
  const pictures = (name: string | undefined): readonly Listed[] =>
    name === undefined ? [] : list(join(folder, name));
  const own = named('train') !== undefined && (named('test') ?? named('validation')) !== undefined;
  const training = own ? pictures(named('train')) : list(folder);
  const validation = own ? pictures(named('validation')) : [];
  const test = own ? pictures(named('test')) : [];
  const files = [...training, ...validation, ...test];
  const first = training[0];
  if (first === undefined)
    throw new Fault('bad-file', text('no JPEG or PNG pictures here', '여기에 JPEG나 PNG 이미지가 없습니다'), {
      where: folder,
      hint: text(
        'Put the pictures of each class in a folder of their own.',
        '클래스마다 폴더를 따로 두고 이미지를 넣으세요.',
      ),
    });
  const labelled = files.every((f) => f.className !== null);
  const classes = [...new Set(files.flatMap((f) => (f.className === null ? [] : [f.className])))].sort();
  const at = new Map(classes.map((c, i) => [c, i]));
  const labels = labelled ? files.map((f) => at.get(f.className ?? '') ?? 0) : null;
  const { height, width } = decodeImage(first.path);
  const grey = areGrey(training);
  const sizes = { train: training.length, validation: validation.length, test: test.length };
  const { splits, rule } = partsSplit(labels, sizes);
  return indexedDataset(
    {
      id: folder,
      source: `${files.length} pictures${labelled ? ` in ${classes.length} classes` : ', without labels'}`,
      labelled,
      classes: labelled ? classes : [],
      sample: { kind: 'image', height, width, channels: grey ? 1 : 3 },
      splitRule: rule,
    },
    pictureSource(files, labels, grey),
    splits,
  );
}
