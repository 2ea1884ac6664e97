/** Owns the digits that come with the package `mnist`: the first 10,000 of MNIST's training images. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Fault } from '#shared/base/fault.ts';
import { text } from '#shared/base/text.ts';
import type { Dataset } from '#shared/ports/dataset.ts';
import { indexedDataset, stackSource } from './memory-dataset.ts';
import { splitSeed, stratify } from './stratified-split.ts';

const pixels = 28 * 28;

/** One class's values; the package stores v / 255 rounded, so rounding v * 255 restores the bytes. */
function readClass(digit: number): Uint8Array {
  try {
    const path = createRequire(import.meta.url).resolve(`mnist/src/digits/${digit}.json`);
    const { data } = JSON.parse(readFileSync(path, 'utf8')) as { readonly data: readonly number[] };
    const bytes = new Uint8Array(data.length);
    for (let i = 0; i < data.length; i++) bytes[i] = Math.round((data[i] ?? 0) * 255);
    return bytes;
  } catch (cause) {
    throw new Fault(
      'no-data',
      text(
        'the digits are not here: the package "mnist" is not installed',
        '숫자 데이터가 없습니다: "mnist" 패키지가 설치되지 않았습니다',
      ),
      {
        where: 'digits',
        hint: text('Run npm ci.', 'npm ci를 실행하세요.'),
        cause,
      },
    );
  }
}

let held: Dataset | undefined;

/** The digits, read once a process: they never change. */
export function openDigits(): Dataset {
  held ??= readDigits();
  return held;
}

/** 7,000 to train, 1,000 to validate, 2,000 to test; the package sorts by class, so they are shuffled once. */
function readDigits(): Dataset {
  const parts = Array.from({ length: 10 }, (_, digit) => readClass(digit));
  const labels = parts.flatMap((p, digit) => Array.from({ length: p.length / pixels }, () => digit));
  const values = new Uint8Array(labels.length * pixels);
  let at = 0;
  for (const part of parts) {
    values.set(part, at);
    at += part.length;
  }
  const indices = labels.map((_, i) => i);
  const [train = [], validation = [], test = []] = stratify(indices, labels, [7000, 1000, 2000]);
  return indexedDataset(
    {
      id: 'digits',
      source: '10,000 handwritten digits of MNIST (package "mnist" 1.1.0)',
      labelled: true,
      classes: Array.from({ length: 10 }, (_, d) => String(d)),
      sample: { kind: 'image', height: 28, width: 28, channels: 1 },
      splitRule: `7,000 train, 1,000 validation, 2,000 test, stratified, seed ${splitSeed}`,
    },
    stackSource({ values, each: pixels }, labels),
    { train, validation, test },
  );
}
