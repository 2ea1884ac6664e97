/** Owns NPY and NPZ data sets: which array holds samples and which labels, by the names in common use or by those given. */
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Fault } from '#shared/base/fault.ts';
import { text } from '#shared/base/text.ts';
import type { Dataset } from '#shared/ports/dataset.ts';
import { fileSource } from './byte-source.ts';
import { checkOptions, type DataId } from './data-id.ts';
import { type Labels, numberedClasses, numberLabels, wordLabels } from './labels.ts';
import { indexedDataset } from './memory-dataset.ts';
import { type Npy, openNpy } from './npy.ts';
import { sampleShape } from './sample-shape.ts';
import { partsSplit } from './stratified-split.ts';
import { openZip } from './zip.ts';

type Arrays = ReadonlyMap<string, () => Npy>;
type Part = 'train' | 'validation' | 'test';

interface Named {
  readonly role: 'x' | 'y';
  readonly part: Part;
}

const sampleWords = /^(x|images?|imgs?|data|inputs?|features?|samples?|pixels?)$/;
const labelWords = /^(y|labels?|targets?|class|classes|outputs?)$/;
const partOf = (word: string): Part | undefined =>
  /^train(ing)?$/.test(word)
    ? 'train'
    : /^(val|valid|validation|dev)$/.test(word)
      ? 'validation'
      : /^test(ing)?$/.test(word)
        ? 'test'
        : undefined;

/** x_train, trainLabels, test-images, Xtest ...: what a name says of its array. */
export function nameOf(key: string): Named | undefined {
  const words = key
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/^([xy])(train|test|val)/, '$1_$2')
    .replace(/(train|test|val)([xy])$/, '$1_$2')
    .split(/[^a-z0-9]+/)
    .filter((w) => w !== '');
  const part = words.map(partOf).find((p) => p !== undefined) ?? 'train';
  if (words.some((w) => labelWords.test(w))) return { role: 'y', part };
  return words.some((w) => sampleWords.test(w)) ? { role: 'x', part } : undefined;
}

interface PartArrays {
  readonly x: Npy;
  readonly y?: Npy;
}

const listed = (arrays: Arrays): string => [...arrays.keys()].join(', ');

function arrayOf(arrays: Arrays, key: string, where: string): Npy {
  const open = arrays.get(key);
  if (open === undefined)
    throw new Fault('bad-input', text(`there is no array "${key}"`, `배열 "${key}"이(가) 없습니다`), {
      where,
      hint: text(`There are: ${listed(arrays)}.`, `있는 배열: ${listed(arrays)}.`),
    });
  return open();
}

/** Arrays without telling names: one is samples; of two of one length, that with one axis is labels. */
function unnamed(arrays: Arrays): PartArrays | undefined {
  const [a, b, more] = [...arrays.values()].map((open) => open());
  if (a === undefined || more !== undefined) return undefined;
  if (b === undefined) return a.shape.length >= 2 ? { x: a } : undefined;
  if (a.shape[0] !== b.shape[0]) return undefined;
  if (a.shape.length > 1 && b.shape.length === 1) return { x: a, y: b };
  return b.shape.length > 1 && a.shape.length === 1 ? { x: b, y: a } : undefined;
}

function choose(arrays: Arrays, id: DataId): Partial<Record<Part, PartArrays>> {
  const { x, y } = id.options;
  if (x !== undefined) {
    const labels = y === undefined || y === 'none' ? {} : { y: arrayOf(arrays, y, id.path) };
    return { train: { x: arrayOf(arrays, x, id.path), ...labels } };
  }
  const found: Partial<Record<Part, { x?: Npy; y?: Npy }>> = {};
  for (const [key, open] of arrays) {
    const named = nameOf(key);
    if (named === undefined || found[named.part]?.[named.role] !== undefined) continue;
    found[named.part] = { ...found[named.part], [named.role]: open() };
  }
  const parts: Partial<Record<Part, PartArrays>> = {};
  for (const part of ['train', 'validation', 'test'] as const) {
    const { x: samples, y: labels } = found[part] ?? {};
    if (samples === undefined) continue;
    parts[part] = { x: samples, ...(labels === undefined || y === 'none' ? {} : { y: labels }) };
  }
  if (parts.train !== undefined) return parts;
  const guess = Object.keys(parts).length === 0 ? unnamed(arrays) : undefined;
  if (guess !== undefined) return { train: guess };
  throw new Fault(
    'bad-file',
    text(
      `which array holds the samples? There are: ${listed(arrays)}`,
      `어느 배열이 샘플입니까? 있는 배열: ${listed(arrays)}`,
    ),
    {
      where: id.path,
      hint: text(
        `Say so behind the name: ${basename(id.path)}#x=SAMPLES,y=LABELS.`,
        `이름 뒤에 적으세요: ${basename(id.path)}#x=SAMPLES,y=LABELS.`,
      ),
    },
  );
}

/** One number a sample, one text a sample, or one row of zeros and a one. */
function labelsOf(y: Npy, count: number): Labels {
  const [n = 1, ...rest] = y.shape;
  const each = rest.reduce((a, b) => a * b, 1);
  if (n !== count)
    throw new Fault(
      'bad-file',
      text(`${count} samples but ${n} labels`, `샘플은 ${count}개인데 레이블은 ${n}개입니다`),
      { where: y.where },
    );
  if (y.type === 'U' || y.type === 'S')
    return wordLabels(
      Array.from({ length: n }, (_, i) => y.text(i)),
      y.where,
    );
  if (each === 1) return numberLabels(y.all(), y.where);
  const labels = Array.from({ length: n }, (_, i) => {
    const row = y.row(i);
    const one = row.indexOf(1);
    if (one < 0 || !row.every((v, k) => v === (k === one ? 1 : 0)))
      throw new Fault(
        'bad-file',
        text(`the labels of sample ${i} are no one-hot row`, `샘플 ${i}의 레이블이 원-핫 행이 아닙니다`),
        {
          where: y.where,
          hint: text(
            'Labels are one number a sample, or a row with a single 1.',
            '레이블은 샘플마다 수 하나이거나 1이 하나뿐인 행이어야 합니다.',
          ),
        },
      );
    return one;
  });
  return { labels, classes: Array.from({ length: each }, (_, c) => String(c)) };
}

const mostNumbers = 2 ** 26;
const probed = 32;

function assemble(id: DataId, parts: Partial<Record<Part, PartArrays>>, what: string): Dataset {
  const list = (['train', 'validation', 'test'] as const).flatMap((p) => parts[p] ?? []);
  const first = list[0] as PartArrays;
  const dims = first.x.shape.slice(1);
  const each = dims.reduce((a, b) => a * b, 1);
  for (const { x } of list)
    if (x.shape.length < 2 || x.shape.slice(1).join() !== dims.join())
      throw new Fault(
        'bad-file',
        text(
          `samples of ${x.shape.slice(1).join(' x ') || 'no size'} beside samples of ${dims.join(' x ')}`,
          `${x.shape.slice(1).join(' x ') || '크기 없는'} 샘플과 ${dims.join(' x ')} 샘플이 섞여 있습니다`,
        ),
        {
          where: x.where,
        },
      );
  if (each === 0 || each > mostNumbers)
    throw new Fault('bad-file', text(`a sample of ${each} numbers`, `샘플 하나에 수가 ${each}개입니다`), {
      where: first.x.where,
    });
  const counts = list.map(({ x }) => x.shape[0] ?? 0);
  const total = counts.reduce((a, b) => a + b, 0);
  if (total === 0)
    throw new Fault('bad-file', text('the array holds no samples', '배열에 샘플이 없습니다'), { where: first.x.where });
  const labelled = list.every((p) => p.y !== undefined);
  const found = labelled ? list.map((p, k) => labelsOf(p.y as Npy, counts[k] ?? 0)) : [];
  const words = found.some((f) => f.classes.some((c, i) => c !== String(i)));
  const joined = words
    ? wordLabels(
        found.flatMap((f) => f.labels.map((l) => f.classes[l] ?? '')),
        id.path,
      )
    : undefined;
  const labels = labelled ? (joined?.labels ?? found.flatMap((f) => [...f.labels])) : null;
  const most = found.reduce<readonly string[]>((a, f) => (f.classes.length > a.length ? f.classes : a), []);
  const classes = labels === null ? [] : (joined?.classes ?? (most.length > 0 ? most : numberedClasses(labels)));

  const row = (i: number): Float32Array => {
    let at = i;
    for (const [k, { x }] of list.entries()) {
      const n = counts[k] ?? 0;
      if (at < n) {
        const values = new Float32Array(x.row(at));
        if (!values.every(Number.isFinite))
          throw new Fault(
            'bad-file',
            text(`sample ${at} holds NaN or an infinity`, `샘플 ${at}에 NaN이나 무한대가 있습니다`),
            { where: x.where },
          );
        return values;
      }
      at -= n;
    }
    throw new Fault('internal', `sample ${i} of ${total}`, { where: id.path });
  };
  // Only training samples say what the data is.
  const known = counts[0] ?? 0;
  const looked = Math.min(probed, known);
  const probe = Array.from({ length: looked }, (_, k) => row(Math.floor((k * known) / looked)));
  const shape = sampleShape(dims, probe);
  const size = (p: Part): number => parts[p]?.x.shape[0] ?? 0;
  const { splits, rule } = partsSplit(labels, {
    train: size('train'),
    validation: size('validation'),
    test: size('test'),
  });
  return indexedDataset(
    {
      id: idText(id),
      source: `${what}: ${total} samples, ${shape.how}${labelled ? ` in ${classes.length} classes` : ', without labels'}`,
      labelled,
      classes,
      sample: shape.sample,
      splitRule: rule,
    },
    { labels, sample: (i) => ({ values: shape.arrange(row(i)), label: labels?.[i] ?? null }) },
    splits,
  );
}

const idText = (id: DataId): string => {
  const options = Object.entries(id.options).map(([k, v]) => `${k}=${v}`);
  return options.length === 0 ? id.path : `${id.path}#${options.join(',')}`;
};

const keyOf = (file: string): string => basename(file).replace(/\.npy$/i, '');

/** An NPZ archive, stored or compressed. Options: x and y name its arrays. Faults: `bad-file`, `bad-input`, `unsupported`. */
export function openNpz(id: DataId): Dataset {
  checkOptions(id, ['x', 'y']);
  const entries = openZip(fileSource(id.path)).filter((e) => /\.npy$/i.test(e.name));
  if (entries.length === 0)
    throw new Fault('bad-file', text('the archive holds no NPY arrays', '압축 파일에 NPY 배열이 없습니다'), {
      where: id.path,
    });
  const arrays: Arrays = new Map(entries.map((e) => [e.name.replace(/\.npy$/i, ''), () => openNpy(e.open())]));
  return assemble(id, choose(arrays, id), 'NPZ');
}

const npyAt = (path: string): Npy => openNpy(fileSource(path));

/** One NPY file of samples; labels where a file like it stands beside it is no guess of ours: X.npy,Y.npy says so. */
export function openNpyFiles(id: DataId, samples: string, labels?: string): Dataset {
  checkOptions(id, []);
  for (const path of [samples, labels])
    if (path !== undefined && !existsSync(path))
      throw new Fault('bad-path', text('there is no such file', '그런 파일이 없습니다'), { where: path });
  const x = npyAt(samples);
  if (labels === undefined) return assemble(id, { train: { x } }, 'NPY');
  const y = npyAt(labels);
  // In either order: labels have one axis.
  const turned = x.shape.length === 1 && y.shape.length > 1;
  return assemble(id, { train: turned ? { x: y, y: x } : { x, y } }, 'NPY');
}

const isNpy = (name: string): boolean => /\.npy$/i.test(name);
export const holdsNpy = (folder: string): boolean => readdirSync(folder).some(isNpy);

/** A folder of NPY files named as the arrays of an archive: x_train.npy, y_train.npy ... */
export function openNpyFolder(id: DataId): Dataset {
  checkOptions(id, ['x', 'y']);
  const files = readdirSync(id.path).filter(isNpy).sort();
  const arrays: Arrays = new Map(files.map((f) => [keyOf(f), () => npyAt(join(id.path, f))]));
  return assemble(id, choose(arrays, id), 'NPY files');
}
