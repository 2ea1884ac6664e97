/**
 * Owns the fit of blocks on activations: the convolution that makes a block's output is solved by least squares so that samples give
 * what the replaced layer gave, one block after the other, each on the inputs that the fitted blocks before it make (as He, Zhang,
 * Sun 2017, eq. 3, do for pruned layers).
 */
import type { Evidence, EvidenceRequest, LayerRows } from '../../analysis/evidence.ts';
import { leastSquares } from '../../analysis/least-squares.ts';
import { Fault } from '../../base/fault.ts';
import { lazy } from '../../base/lazy.ts';
import { type Text, text } from '../../base/text.ts';
import { intAttr } from '../../ir/attribute.ts';
import { elementCount } from '../../ir/element-type.ts';
import { GraphEdit } from '../../ir/graph-edit.ts';
import { graphIndex } from '../../ir/graph-index.ts';
import type { Model, Node } from '../../ir/model.ts';
import { lazyTensor, type Tensor } from '../../ir/tensor.ts';
import { packNumbers, toFloat32 } from '../../ir/values.ts';
import { evidenceOf, type StepContext } from '../declare.ts';
import { probed, type RunLayer } from './run-layer.ts';

/** A block in place of a layer, and the node that makes its output. */
export interface BlockEnd {
  /** Id of the replaced layer in the model that enters the step; of a run, of the probe of what leaves it. */
  readonly layer: string;
  /** What a person reads. */
  readonly name: string;
  readonly last: Node;
}

/** A block whose end can be solved: [outputs, columns] and its bias, both floats of its own. */
interface Solvable extends BlockEnd {
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
}

/** Why a block's end keeps the weights that the kernel gave it. */
function solvable(model: Model, end: BlockEnd): Solvable | string {
  const { last } = end;
  if (last.op !== 'Conv') return `its block ends in ${last.op}`;
  if (intAttr(last, 'group', 1) !== 1) return 'its block ends in a grouped convolution';
  const index = graphIndex(model.graph);
  const own = (name: string): Tensor | undefined => {
    const tensor = index.initializer.get(name);
    return tensor?.type === 'float' && index.uses.get(name)?.length === 1 ? tensor : undefined;
  };
  const [, w = '', b = ''] = last.inputs;
  const weight = own(w);
  const bias = b === '' ? undefined : own(b);
  if (weight === undefined) return 'its weight is no float of its own';
  return b !== '' && bias === undefined ? 'other layers read its bias' : { ...end, weight, bias };
}

interface Found {
  readonly weight: Float64Array;
  readonly bias: Float64Array;
  /** |Y - what the block gives| / |Y| on the rows: with the kernel's fit, and with this one. */
  readonly before: number;
  readonly after: number;
}

/** Rows are [columns] per place; `start` is [columns (+ 1 for the bias), outputs]. */
function solve(one: Solvable, now: LayerRows, was: LayerRows): Found {
  if (now.rows !== was.rows)
    throw new Fault('internal', text('rows of two models do not match', '두 모델의 행이 맞지 않습니다'), {
      where: one.layer,
    });
  const { rows, columns } = now;
  const { width } = was;
  const wide = columns + (one.bias === undefined ? 0 : 1);
  const start = new Float64Array(wide * width);
  const w = toFloat32(one.weight);
  for (let i = 0; i < columns; i++) for (let o = 0; o < width; o++) start[i * width + o] = w[o * columns + i] ?? 0;
  if (one.bias !== undefined) start.set(toFloat32(one.bias), columns * width);
  const inputs = new Float32Array(rows * wide).fill(1);
  for (let r = 0; r < rows; r++) inputs.set(now.inputs.subarray(r * columns, (r + 1) * columns), r * wide);
  const fitted = leastSquares({ rows, inputs, columns: wide, outputs: was.outputs, width }, start);
  const weight = new Float64Array(columns * width);
  for (let i = 0; i < columns; i++)
    for (let o = 0; o < width; o++) weight[o * columns + i] = fitted[i * width + o] ?? 0;
  const errorOf = (solution: Float64Array): number => {
    let [off, all] = [0, 0];
    for (let r = 0; r < rows; r++)
      for (let o = 0; o < width; o++) {
        let y = 0;
        for (let i = 0; i < wide; i++) y += (inputs[r * wide + i] ?? 0) * (solution[i * width + o] ?? 0);
        const wanted = was.outputs[r * width + o] ?? 0;
        off += (y - wanted) ** 2;
        all += wanted ** 2;
      }
    return all > 0 ? Math.sqrt(off / all) : 0;
  };
  return { weight, bias: fitted.slice(columns * width), before: errorOf(start), after: errorOf(fitted) };
}

/** Enough rows for every unknown, within what all blocks together may take of memory. */
const rowsFor = ({ weight }: Solvable): number => {
  const columns = elementCount(weight.dims.slice(1));
  return Math.max(600, Math.min(4000, 2 * columns));
};

/** A run's convolution has a patch of unknowns for every output. */
const runRows = 4000;

/** As many as round 0 drew for it. */
const rowsAt = (one: Solvable, runs: readonly RunLayer[]): number =>
  runs.some((r) => r.leaves === one.layer) ? Math.max(runRows, rowsFor(one)) : rowsFor(one);

const solvables = (model: Model, ends: readonly BlockEnd[]): readonly Solvable[] =>
  ends.flatMap((end) => {
    const found = solvable(model, end);
    return typeof found === 'string' ? [] : [found];
  });

/** By the round that gathered a block's inputs: every later round, and the rewrite, ask for the same solution again. */
const solved = new WeakMap<Evidence, Found>();

const foundBy = (c: StepContext, one: Solvable, k: number): (() => Found) =>
  lazy(() => {
    const gathered = evidenceOf(c, k + 1);
    const found = solved.get(gathered) ?? solve(one, gathered.rows(one.last.id), evidenceOf(c, 0).rows(one.layer));
    solved.set(gathered, found);
    return found;
  });

/** The model with the first blocks solved, lazily. */
function solvedModel(model: Model, blocks: readonly Solvable[], found: readonly (() => Found)[]): Model {
  const edit = new GraphEdit(model.graph);
  found.forEach((solution, k) => {
    const one = blocks[k];
    if (one === undefined) return;
    const { weight, bias } = one;
    edit.setInitializer(lazyTensor(weight.name, 'float', weight.dims, () => packNumbers('float', solution().weight)));
    if (bias !== undefined)
      edit.setInitializer(lazyTensor(bias.name, 'float', bias.dims, () => packNumbers('float', solution().bias)));
  });
  return { ...model, graph: edit.done() };
}

/** Round 0: what the layers give, and what enters and leaves each run; round k + 1: what enters the end of block k behind those solved before it. */
export function fitRequest(
  c: StepContext,
  model: Model,
  ends: readonly BlockEnd[],
  runs: readonly RunLayer[],
  round: number,
): EvidenceRequest | undefined {
  const blocks = solvables(model, ends);
  const samples = Number(c.params.samples ?? 256);
  if (blocks.length + runs.length === 0) return undefined;
  if (round === 0) {
    const want = new Map(blocks.map((b) => [b.layer, rowsFor(b)]));
    for (const r of runs) want.set(r.leaves, Math.max(want.get(r.leaves) ?? 0, runRows));
    const rows = [...want].map(([node, count]) => ({ node, rows: count }));
    const enter = runs.map((r) => ({ node: r.enters, rows: want.get(r.leaves) ?? runRows, as: r.leaves }));
    return { samples, rows: [...rows, ...enter], ...(runs.length === 0 ? {} : { model: probed(c.model, runs) }) };
  }
  const one = blocks[round - 1];
  if (one === undefined) return undefined;
  const before = blocks.slice(0, round - 1);
  return {
    samples,
    model: solvedModel(
      model,
      blocks,
      before.map((b, k) => foundBy(c, b, k)),
    ),
    rows: [{ node: one.last.id, rows: rowsAt(one, runs), as: one.layer }],
  };
}

const percent = (share: number): string => (share * 100).toFixed(share < 0.001 ? 3 : 1);

/** `model` with every block's end solved on what the rounds gathered, and how near each came. */
export function fitBlocks(
  c: StepContext,
  model: Model,
  ends: readonly BlockEnd[],
): { readonly model: Model; readonly notes: readonly Text[]; readonly findings: () => readonly Text[] } {
  const blocks = solvables(model, ends);
  const found = blocks.map((b, k) => foundBy(c, b, k));
  const kept = ends.flatMap((end) => {
    const why = solvable(model, end);
    return typeof why === 'string' ? [`${end.name}: ${why}`] : [];
  });
  const notes =
    kept.length === 0
      ? []
      : [
          text(
            `Fitted by the kernel all the same, ${kept.length === 1 ? kept[0] : `${kept[0]}; ${kept.length - 1} more`}.`,
            `활성값으로 맞출 수 없어 커널로 맞춥니다. ${kept.length === 1 ? kept[0] : `${kept[0]}, 그 외 ${kept.length - 1}개`}.`,
          ),
        ];
  return {
    model: solvedModel(model, blocks, found),
    notes,
    findings: () =>
      blocks.map((b, k) => {
        const { before = 0, after = 0 } = found[k]?.() ?? {};
        return text(
          `${b.name}: on samples the block's output is ${percent(after)} % off (fitted by the kernel: ${percent(before)} %).`,
          `${b.name}: 샘플에서 블록 출력의 오차는 ${percent(after)} %입니다(커널로만 맞추면 ${percent(before)} %).`,
        );
      }),
  };
}
