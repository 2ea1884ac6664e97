/** Owns the binary form of CIFAR-10 and CIFAR-100: label bytes, then 32 x 32 pixels, red plane, green, blue. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Fault } from '#shared/base/fault.ts';
import { text } from '#shared/base/text.ts';
import type { Dataset } from '#shared/ports/dataset.ts';
import { type ByteSource, fileSource } from './byte-source.ts';
import { checkOptions, type DataId } from './data-id.ts';
import { indexedDataset } from './memory-dataset.ts';
import { interleaved } from './sample-shape.ts';
import { partsSplit } from './stratified-split.ts';

const pixels = 3 * 32 * 32;

interface Kind {
  readonly name: string;
  /** Label bytes before the pixels. */
  readonly head: number;
  /** Which of them is the label, of how many classes, named where. */
  readonly at: number;
  readonly classes: number;
  readonly names: string;
}

const ten: Kind = { name: 'CIFAR-10', head: 1, at: 0, classes: 10, names: 'batches.meta.txt' };
const fine: Kind = { name: 'CIFAR-100', head: 2, at: 1, classes: 100, names: 'fine_label_names.txt' };
const coarse: Kind = { ...fine, at: 0, classes: 20, names: 'coarse_label_names.txt' };

const isTen = (name: string): boolean => /^(data_batch_\d+|test_batch)\.bin$/.test(name);
const isHundred = (name: string): boolean => /^(train|test)\.bin$/.test(name);
/** True where a folder holds the files of CIFAR's own archives. */
export const holdsCifar = (folder: string): boolean => readdirSync(folder).some((n) => isTen(n) || isHundred(n));

function classNames(folder: string, kind: Kind): readonly string[] {
  const path = join(folder, kind.names);
  const lines = existsSync(path)
    ? readFileSync(path, 'utf8')
        .split(/\r?\n/)
        .map((l) => l.trim())
        .filter((l) => l !== '')
    : [];
  return lines.length === kind.classes ? lines : Array.from({ length: kind.classes }, (_, c) => String(c));
}

interface File {
  readonly source: ByteSource;
  readonly count: number;
  readonly labels: Uint8Array;
}

/** Faults: `bad-file` where the length is no whole number of records, or a label no class. */
function openFile(path: string, kind: Kind): File {
  const source = fileSource(path);
  const record = kind.head + pixels;
  const count = source.size / record;
  if (!Number.isInteger(count) || count === 0)
    throw new Fault(
      'bad-file',
      text(
        `${source.size} bytes are no whole number of ${kind.name} records of ${record}`,
        `${source.size}바이트는 ${record}바이트짜리 ${kind.name} 레코드로 나누어떨어지지 않습니다`,
      ),
      {
        where: path,
        hint: text(
          'Is the file cut off, or of the other kind? The Python version of CIFAR (pickles) is not read; take the binary one.',
          '파일이 잘렸거나 다른 종류인가요? Python판 CIFAR(pickle)는 읽지 않습니다. 바이너리판을 쓰세요.',
        ),
      },
    );
  const labels = Uint8Array.from({ length: count }, (_, i) => source.read(i * record + kind.at, 1)[0] ?? 0);
  const wrong = labels.findIndex((l) => l >= kind.classes);
  if (wrong >= 0)
    throw new Fault(
      'bad-file',
      text(
        `label ${labels[wrong]} of record ${wrong}: ${kind.name} has ${kind.classes} classes`,
        `레코드 ${wrong}의 레이블이 ${labels[wrong]}인데 ${kind.name}의 클래스는 ${kind.classes}개입니다`,
      ),
      {
        where: path,
      },
    );
  return { source, count, labels };
}

/** A file alone tells its kind by its length, a folder by its files. */
function kindOf(id: DataId, paths: readonly string[]): Kind {
  const { label } = id.options;
  if (label !== undefined && label !== 'fine' && label !== 'coarse')
    throw new Fault('bad-input', text(`there is no label "${label}"`, `레이블 "${label}"이(가) 없습니다`), {
      where: id.path,
      hint: text('CIFAR-100 has fine and coarse.', 'CIFAR-100에는 fine과 coarse가 있습니다.'),
    });
  const names = paths.map((p) => basename(p));
  const size = statSync(paths[0] ?? '').size;
  const hundred =
    label !== undefined || (!names.some(isTen) && (names.some(isHundred) || size % (fine.head + pixels) === 0));
  if (!hundred) return ten;
  return label === 'coarse' ? coarse : fine;
}

/** Opens a folder or one file. Option: label=fine (default) or coarse, for CIFAR-100. Faults: `bad-file`, `bad-input`. */
export function openCifar(id: DataId): Dataset {
  checkOptions(id, ['label']);
  const folder = statSync(id.path).isDirectory() ? id.path : dirname(id.path);
  const names = folder === id.path ? readdirSync(folder).sort() : [basename(id.path)];
  const mine = folder === id.path ? (names.some(isTen) ? names.filter(isTen) : names.filter(isHundred)) : names;
  const isTest = (name: string): boolean => folder === id.path && name.startsWith('test');
  const order = [...mine.filter((n) => !isTest(n)), ...mine.filter(isTest)];
  const kind = kindOf(
    id,
    order.map((n) => join(folder, n)),
  );
  const files = order.map((n) => openFile(join(folder, n), kind));
  const labels = Uint8Array.from(files.flatMap((f) => [...f.labels]));
  const tests = files.filter((_, k) => isTest(order[k] ?? '')).reduce((n, f) => n + f.count, 0);
  // A test file alone is all there is.
  const test = tests === labels.length ? 0 : tests;
  const { splits, rule } = partsSplit(labels, { train: labels.length - test, validation: 0, test });
  const options = id.options.label === undefined ? '' : `#label=${id.options.label}`;
  return indexedDataset(
    {
      id: `${id.path}${options}`,
      source: `${kind.name}: ${labels.length} pictures of 32 x 32, ${kind.classes} classes`,
      labelled: true,
      classes: classNames(folder, kind),
      sample: { kind: 'image', height: 32, width: 32, channels: 3 },
      splitRule: rule,
    },
    {
      labels,
      sample: (i) => {
        let at = i;
        let k = 0;
        while (at >= (files[k]?.count ?? Number.POSITIVE_INFINITY)) at -= files[k++]?.count ?? 0;
        const bytes = files[k]?.source.read(at * (kind.head + pixels) + kind.head, pixels) ?? new Uint8Array(pixels);
        return { values: interleaved(Float32Array.from(bytes), 3), label: labels[i] ?? null };
      },
    },
    splits,
  );
}
