/**
 * Owns how quantization rounds weights: to the nearest level, or to the level below or above that keeps the layer's outputs on
 * sampled rows (`rounding: "adaround"`). Where a layer has no rows (a transposed convolution, a graph inside a node) the nearest.
 */
import type { Evidence, EvidenceRequest } from '../analysis/evidence.ts';
import { inferFacts } from '../analysis/infer-facts.ts';
import { rowSizes } from '../analysis/layer-rows.ts';
import { lazy } from '../base/lazy.ts';
import { type Text, text } from '../base/text.ts';
import { intAttr } from '../ir/attribute.ts';
import type { Model } from '../ir/model.ts';
import { adaptiveLevels } from './adaptive-rounding.ts';
import { evidenceOf, type StepContext } from './declare.ts';
import type { QuantLayer } from './quantize-layers.ts';
import { roundedLevels } from './quantize-numbers.ts';

/** Levels -top..top of a layer's weight, in the order in which it is stored. Reads the weight: a thunk's business. */
export type Rounder = (layer: QuantLayer, scaleOf: (k: number) => number, top: number) => Float64Array;

export const toNearest: Rounder = (layer, scaleOf, top) => roundedLevels(layer.numbers(), scaleOf, top);

export const roundsAdaptively = ({ params }: Pick<StepContext, 'params'>): boolean =>
  params.rounding === 'adaround' && params.mode !== 'dynamic';

/** Rows per layer: within what all layers together may take of memory, and of time. */
function rowsFor(columns: number, width: number, layers: number): number {
  const numbers = 60e6 / Math.max(1, layers);
  return Math.round(Math.max(128, Math.min(1200, numbers / (columns + width))));
}

/** The rows that adaptive rounding asks for; `model` is folded already. Undefined where no layer has any. */
export function roundingRequest(
  c: StepContext,
  model: Model,
  layers: Iterable<QuantLayer>,
): EvidenceRequest | undefined {
  if (!roundsAdaptively(c)) return undefined;
  const facts = inferFacts(model);
  const sized = [...layers].flatMap(({ node, weight }) => {
    const sizes = weight.uniform === undefined ? rowSizes(facts, node) : undefined;
    return sizes === undefined ? [] : [{ node: node.id, sizes }];
  });
  if (sized.length === 0) return undefined;
  const rows = sized.map(({ node, sizes }) => ({ node, rows: rowsFor(sizes.columns, sizes.width, sized.length) }));
  return { samples: Number(c.params.samples ?? 128), model, rows };
}

/** What came of one layer. */
interface Rounded {
  readonly levels: Float64Array;
  /** Squared error of the outputs on the rows against that of rounding to the nearest; null where there are no rows. */
  readonly share: number | null;
}

/** Trials of candidates round the same layers again and again. */
const memo = new WeakMap<Evidence, Map<string, Rounded>>();

/** What tells two roundings of a node apart: other weights, or other scales. */
function sumsOf(numbers: Float64Array, scaleOf: (k: number) => number): readonly number[] {
  let [all, scales] = [0, 0];
  numbers.forEach((x, k) => {
    const s = scaleOf(k);
    all += x / s;
    scales += s * ((k % 7) + 1);
  });
  return [numbers.length, all, scales];
}

/** Where the weight of output o and column i of a group stands in the stored weight. */
function placeOf(layer: QuantLayer, columns: number, width: number): (o: number, i: number) => number {
  const outputsFirst = layer.node.op === 'Conv' || (layer.node.op === 'Gemm' && intAttr(layer.node, 'transB', 0) === 1);
  return outputsFirst ? (o, i) => o * columns + i : (o, i) => i * width + o;
}

function adaptive(layer: QuantLayer, evidence: Evidence, scaleOf: (k: number) => number, top: number): Rounded {
  const { node } = layer;
  const rows = evidence.rows(node.id);
  const groups = node.op === 'Conv' ? intAttr(node, 'group', 1) : 1;
  const columns = rows.columns / groups;
  const width = rows.width / groups;
  const place = placeOf(layer, columns, rows.width);
  const numbers = layer.numbers();
  const levels = new Float64Array(numbers.length);
  let [before, after] = [0, 0];
  for (let g = 0; g < groups; g++) {
    const at = (o: number, i: number): number => place(g * width + o, i);
    const found = adaptiveLevels(
      { rows: rows.rows, inputs: rows.inputs, stride: rows.columns, offset: g * columns, columns, width },
      { weight: (o, i) => numbers[at(o, i)] ?? 0, scale: (o, i) => scaleOf(at(o, i)), top },
    );
    before += found.before;
    after += found.after;
    for (let o = 0; o < width; o++)
      for (let i = 0; i < columns; i++) levels[at(o, i)] = found.levels[o * columns + i] ?? 0;
  }
  return { levels, share: before > 0 ? after / before : 1 };
}

export interface Rounding {
  readonly round: Rounder;
  /** What was gained, once the weights are computed. */
  readonly findings: () => readonly Text[];
}

/** The rounding that the parameters ask for. Adaptive: its thunks fault `no-data` in a preview. */
export function roundingOf(c: StepContext, model: Model): Rounding {
  if (!roundsAdaptively(c)) return { round: toNearest, findings: () => [] };
  const facts = lazy(() => inferFacts(model));
  const shares = new Map<string, number | null>();
  const round: Rounder = (layer, scaleOf, top) => {
    const { node, weight } = layer;
    if (weight.uniform !== undefined || rowSizes(facts(), node) === undefined) {
      shares.set(node.id, null);
      return toNearest(layer, scaleOf, top);
    }
    const evidence = evidenceOf(c);
    const known = memo.get(evidence) ?? new Map<string, Rounded>();
    memo.set(evidence, known);
    const key = [node.id, top, ...sumsOf(layer.numbers(), scaleOf)].join(' ');
    const found = known.get(key) ?? adaptive(layer, evidence, scaleOf, top);
    known.set(key, found);
    shares.set(node.id, found.share);
    return found.levels;
  };
  return { round, findings: () => found(shares) };
}

function found(shares: ReadonlyMap<string, number | null>): readonly Text[] {
  const all = [...shares];
  const fitted = all.flatMap(([, s]) => (s === null ? [] : [s]));
  const plain = all.flatMap(([id, s]) => (s === null ? [id] : []));
  const said: Text[] = [];
  if (fitted.length > 0) {
    const mean = Math.exp(fitted.reduce((sum, s) => sum + Math.log(Math.max(s, 1e-12)), 0) / fitted.length);
    const percent = (mean * 100).toFixed(0);
    said.push(
      text(
        `Adaptive rounding of ${fitted.length} layers: the squared error of their outputs on calibration rows is ${percent} % of that of the nearest levels (geometric mean).`,
        `레이어 ${fitted.length}개를 적응형으로 반올림했습니다. 보정 표본에서 출력의 제곱 오차가 가장 가까운 값으로 반올림할 때의 ${percent} %입니다(기하 평균).`,
      ),
    );
  }
  if (plain.length > 0)
    said.push(
      text(
        `Rounded to the nearest, for want of rows to fit: ${plain.join(', ')}.`,
        `맞출 표본 행이 없어 가장 가까운 값으로 반올림했습니다: ${plain.join(', ')}.`,
      ),
    );
  return said;
}
