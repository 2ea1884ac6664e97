/** Owns how accuracies and comparisons are told on the command line. */
import { accuracyDifference } from '#shared/contract/accuracy-difference.ts';
import type { Comparison, Evaluation } from '#shared/contract/calls.ts';
import { count, decibels, milliseconds, percent, table } from './table.ts';

/** 98.60 % (98.00 to 99.02 %): never an accuracy without its interval. */
export function accuracyText(e: Evaluation): string {
  if (e.top1 === null) return 'no accuracy: no labels of the classes that the output scores';
  if (e.interval95 === null) return percent(e.top1);
  const [low, high] = e.interval95.map((x) => (x * 100).toFixed(2));
  return `${percent(e.top1)} (${low} to ${high} %)`;
}

/** "no difference", or how many points better or worse. */
export function differenceText(before: Evaluation, after: Evaluation): string {
  const d = accuracyDifference(before, after);
  if (d.kind === 'none') return 'no difference';
  return d.kind === 'unknown' ? 'not comparable' : `${Math.abs(d.points).toFixed(2)} points ${d.kind}`;
}

export const preprocessText = (e: Evaluation): string =>
  Object.entries(e.preprocess)
    .map(([k, v]) => `${k} ${Array.isArray(v) ? v.join(',') : v}`)
    .join(', ');

/** Large finite stand-ins mean "no bound" in JSON. */
const errorText = (x: number): string => (x > 1e300 ? 'unbounded' : x.toPrecision(3));

export function evaluationText(e: Evaluation): string {
  const rows = [
    ['top 1', accuracyText(e)],
    ['top 5', e.top5 === null ? 'unknown' : percent(e.top5)],
    ...(e.reference === undefined
      ? []
      : [
          ['reference', e.reference.model],
          ['same answer', e.reference.agreement === null ? 'no class scores' : percent(e.reference.agreement)],
          ['signal to noise', decibels(e.reference.sqnrDb)],
          ['largest error', errorText(e.reference.maxAbsError)],
        ]),
    ['samples', `${count(e.samples)} of ${e.data}, split ${e.split}`],
    ['preprocessing', preprocessText(e)],
    ['latency', `median ${milliseconds(e.latencyMs.median)}, p95 ${milliseconds(e.latencyMs.p95)}`],
  ];
  return rows.map(([k = '', v = '']) => `${k.padEnd(17)}${v}`).join('\n');
}

export function comparisonText(c: Comparison): string {
  const rows = [
    ['same answer', c.agreement === null ? 'no class scores' : percent(c.agreement)],
    ['largest error', errorText(c.maxAbsError)],
    ['signal to noise', decibels(c.sqnrDb)],
    ['samples', count(c.samples)],
  ];
  const head = rows.map(([k = '', v = '']) => `${k.padEnd(17)}${v}`).join('\n');
  if (c.layers.length === 0) return head;
  const layers = c.layers.map((l) => [l.name, decibels(l.sqnrDb), errorText(l.maxAbsError)]);
  return `${head}\n\n${table(['layer output', 'signal to noise', 'largest error'], layers)}`;
}
