/** Owns labels: numbers or words, as files have them, to class numbers and class names. */
import { Fault } from '#shared/base/fault.ts';
import { text } from '#shared/base/text.ts';

export interface Labels {
  readonly labels: readonly number[];
  readonly classes: readonly string[];
}

/** More classes than any data set has: the numbers are something else (ids, a measured value). */
const mostClasses = 100_000;

export const numberedClasses = (labels: readonly number[]): readonly string[] =>
  Array.from({ length: labels.reduce((a, b) => Math.max(a, b), -1) + 1 }, (_, c) => String(c));

/** Numbered labels keep their numbers. Faults: `bad-file` naming the first sample whose label is no class number. */
export function numberLabels(values: ArrayLike<number>, where: string): Labels {
  const labels = Array.from(values);
  const wrong = labels.findIndex((v) => !Number.isInteger(v) || v < 0 || v >= mostClasses);
  if (wrong >= 0)
    throw new Fault(
      'bad-file',
      text(
        `label ${labels[wrong]} of sample ${wrong} is no class number`,
        `샘플 ${wrong}의 레이블 ${labels[wrong]}은(는) 클래스 번호가 아닙니다`,
      ),
      {
        where,
        hint: text(
          `Labels are whole numbers from 0, below ${mostClasses}, or words.`,
          `레이블은 0부터 ${mostClasses} 미만의 정수이거나 낱말이어야 합니다.`,
        ),
      },
    );
  return { labels, classes: numberedClasses(labels) };
}

/** Words become classes in sorted order; words that are all whole numbers are those numbers. */
export function wordLabels(words: readonly string[], where: string): Labels {
  if (words.every((w) => /^\d{1,9}$/.test(w))) {
    const numbers = words.map(Number);
    if (numbers.every((n) => n < mostClasses)) return numberLabels(numbers, where);
  }
  const classes = [...new Set(words)].sort();
  const at = new Map(classes.map((c, i) => [c, i]));
  return { labels: words.map((w) => at.get(w) ?? 0), classes };
}
