/** Owns how figures are told on the command line: as JSON, and as tables. */
import type { Figures } from '#shared/analysis/figures.ts';
import type { Headline } from '#shared/contract/calls.ts';
import { bytes, count, ratio, table } from './table.ts';

/** The JSON form, its keys as issue and README name them. */
export const figuresJson = (f: Figures) => ({
  opset: f.opset,
  nodes: f.nodes,
  parameters: f.parameters,
  macs: f.macs,
  fileBytes: f.fileBytes,
  peakActivationBytes: f.peakActivationBytes,
  notCounted: f.notCounted,
  layers: f.layers.map((l) => ({
    name: l.name === '' ? l.id : l.name,
    op: l.op,
    parameters: l.parameters,
    macs: l.macs,
    outputShape: l.outputShape,
  })),
});

const shapeText = (shape: Figures['layers'][number]['outputShape']): string =>
  shape === null ? 'unknown' : shape.map((d) => d ?? '?').join(' x ');

/** Every layer in a line, then the sums. */
export function figuresText(f: Figures): string {
  const layers = f.layers.map((l) => [
    l.name === '' ? l.id : l.name,
    l.op,
    count(l.parameters),
    l.counted ? count(l.macs) : 'not counted',
    shapeText(l.outputShape),
  ]);
  const sums = [
    ['opset', String(f.opset)],
    ['nodes', count(f.nodes)],
    ['parameters', count(f.parameters)],
    ['multiply-accumulates', count(f.macs)],
    ['file', `${bytes(f.fileBytes)} (${count(f.fileBytes)} bytes)`],
    ['peak activation memory', bytes(f.peakActivationBytes)],
  ];
  const parts = [
    table(['layer', 'operator', 'parameters', 'MACs', 'output'], layers),
    sums.map(([k = '', v = '']) => `${k.padEnd(24)}${v}`).join('\n'),
  ];
  if (f.notCounted.length > 0) parts.push(`not counted: ${f.notCounted.map((n) => `${n.op} (${n.nodes})`).join(', ')}`);
  if (f.macs === null) parts.push('MACs are unknown because a dimension is: give it with --shape name=1,3,224,224.');
  return parts.join('\n\n');
}

const lines: readonly (readonly [string, (h: Headline) => number | null, (n: number | null) => string])[] = [
  ['file', (h) => h.fileBytes, bytes],
  ['parameters', (h) => h.parameters, count],
  ['MACs', (h) => h.macs, count],
  ['peak activations', (h) => h.peakActivationBytes, bytes],
  ['nodes', (h) => h.nodes, count],
  ['opset', (h) => h.opset, count],
];

/** Before and after (and predicted, where it is told) side by side, with the ratio. */
export function headlineTable(before: Headline, after: Headline, predicted?: Headline, afterName = 'after'): string {
  const head = ['', 'before', ...(predicted === undefined ? [] : ['predicted']), afterName, 'smaller by'];
  const rows = lines.map(([name, of, say]) => [
    name,
    say(of(before)),
    ...(predicted === undefined ? [] : [say(of(predicted))]),
    say(of(after)),
    name === 'opset' || name === 'nodes' ? '' : ratio(of(before), of(after)),
  ]);
  return table(head, rows);
}
