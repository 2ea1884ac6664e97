/** Owns IDX files (MNIST's own format, plain or gzip): images beside labels. */
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Fault } from '#shared/base/fault.ts';
import { type Said, text } from '#shared/base/text.ts';
import type { Dataset } from '#shared/ports/dataset.ts';
import { indexedDataset, stackSource } from './memory-dataset.ts';
import { readMaybeGzip } from './read-gzip.ts';
import { heldOutRule, heldOutSplit, shareRule, shareSplit } from './stratified-split.ts';

export interface Idx {
  readonly dims: readonly number[];
  readonly values: Uint8Array;
}

/** Reads an IDX file of unsigned bytes. Faults: `bad-file` with the file and what is wrong in its header or length. */
export function readIdx(path: string): Idx {
  const bytes = readMaybeGzip(path);
  const bad = (message: Said): Fault => new Fault('bad-file', message, { where: path });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4 || bytes[0] !== 0 || bytes[1] !== 0)
    throw bad(
      text('not an IDX file: it does not start with two zeros', 'IDX 파일이 아닙니다: 0 두 개로 시작하지 않습니다'),
    );
  if (bytes[2] !== 8)
    throw bad(
      text(
        `IDX element type 0x${bytes[2]?.toString(16)} is not unsigned byte`,
        `IDX 원소 형식 0x${bytes[2]?.toString(16)}은(는) 부호 없는 바이트가 아닙니다`,
      ),
    );
  const rank = bytes[3] ?? 0;
  if (bytes.length < 4 + 4 * rank) throw bad(text('the IDX header is cut off', 'IDX 헤더가 잘렸습니다'));
  const dims = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const count = dims.reduce((a, b) => a * b, 1);
  const values = bytes.subarray(4 + 4 * rank);
  if (values.length !== count)
    throw bad(
      text(
        `IDX header says ${dims.join(' x ')} = ${count} bytes, the file holds ${values.length}`,
        `IDX 헤더에는 ${dims.join(' x ')} = ${count}바이트인데 파일에는 ${values.length}바이트가 있습니다`,
      ),
    );
  return { dims, values };
}

interface Pair {
  readonly images: Idx;
  readonly labels: Idx;
}

function readPair(imagesPath: string, labelsPath: string): Pair {
  const images = readIdx(imagesPath);
  const labels = readIdx(labelsPath);
  if (labels.dims.length !== 1)
    throw new Fault('bad-file', text('labels must have one dimension', '레이블은 1차원이어야 합니다'), {
      where: labelsPath,
    });
  if (images.dims.length < 3 || images.dims.length > 4)
    throw new Fault(
      'bad-file',
      text(
        `images must have 3 or 4 dimensions, not ${images.dims.length}`,
        `이미지는 ${images.dims.length}차원이 아니라 3차원이나 4차원이어야 합니다`,
      ),
      { where: imagesPath },
    );
  if (images.dims[0] !== labels.dims[0])
    throw new Fault(
      'bad-file',
      text(
        `${images.dims[0]} images but ${labels.dims[0]} labels`,
        `이미지는 ${images.dims[0]}개인데 레이블은 ${labels.dims[0]}개입니다`,
      ),
      { where: labelsPath },
    );
  return { images, labels };
}

function assemble(id: string, training: Pair, test: Pair | undefined): Dataset {
  const [, height = 0, width = 0, channels = 1] = training.images.dims;
  const each = height * width * channels;
  if (test !== undefined && test.images.dims.slice(1).join() !== training.images.dims.slice(1).join())
    throw new Fault(
      'bad-file',
      text('the test images have another size than the training images', '시험 이미지와 학습 이미지의 크기가 다릅니다'),
      { where: id },
    );
  const values = new Uint8Array(training.images.values.length + (test?.images.values.length ?? 0));
  values.set(training.images.values);
  if (test !== undefined) values.set(test.images.values, training.images.values.length);
  const labels = [...training.labels.values, ...(test?.labels.values ?? [])];
  const first = training.labels.values.length;
  const classes = labels.reduce((a, b) => Math.max(a, b), 0) + 1;
  return indexedDataset(
    {
      id,
      source: `IDX files: ${labels.length} images of ${height} x ${width}`,
      labelled: true,
      classes: Array.from({ length: classes }, (_, c) => String(c)),
      sample: { kind: 'image', height, width, channels },
      splitRule: test === undefined ? shareRule : heldOutRule,
    },
    stackSource({ values, each }, labels),
    test === undefined ? shareSplit(labels, labels.length) : heldOutSplit(labels, first, labels.length),
  );
}

const isIdx = (name: string): boolean => /(idx\d?-ubyte|\.idx)(\.gz)?$/i.test(name);
export const isLabelFile = (name: string): boolean => /label/i.test(basename(name));

/** True where a folder holds IDX files. */
export const holdsIdx = (folder: string): boolean => readdirSync(folder).some(isIdx);

/** A folder with images and labels, and where there are such, t10k or test files as its test part. */
export function openIdxFolder(folder: string): Dataset {
  const files = readdirSync(folder).filter(isIdx).sort();
  const isTest = (name: string): boolean => /t10k|test/i.test(name);
  const pair = (wanted: boolean): Pair | undefined => {
    const mine = files.filter((f) => isTest(f) === wanted);
    const images = mine.find((f) => !isLabelFile(f));
    const labels = mine.find(isLabelFile);
    if (images === undefined && labels === undefined) return undefined;
    if (images === undefined || labels === undefined)
      throw new Fault(
        'bad-file',
        text(
          `${images === undefined ? 'images' : 'labels'} missing beside ${images ?? labels}`,
          `${images ?? labels} 옆에 ${images === undefined ? '이미지' : '레이블'} 파일이 없습니다`,
        ),
        {
          where: folder,
        },
      );
    return readPair(join(folder, images), join(folder, labels));
  };
  const training = pair(false);
  const test = pair(true);
  if (training !== undefined) return assemble(folder, training, test);
  if (test !== undefined) return assemble(folder, test, undefined);
  throw new Fault('bad-file', text('no IDX images here', '여기에 IDX 이미지가 없습니다'), { where: folder });
}

/** Two files: images and labels, in either order. */
export function openIdxPair(id: string, a: string, b: string): Dataset {
  return isLabelFile(a) && !isLabelFile(b)
    ? assemble(id, readPair(b, a), undefined)
    : assemble(id, readPair(a, b), undefined);
}
