/**
 * Owns findRuns: the stretches of a graph among selected nodes that one value enters and one value leaves, both pictures
 * [N, C, H, W], so that a single block can stand in their place: a chain of layers, or a residual block with its shortcut.
 */
import { graphIndex, readsOf, subgraphs } from '../../ir/graph-index.ts';
import type { Dim, Node } from '../../ir/model.ts';
import type { StepContext } from '../declare.ts';

export interface Run {
  /** In graph order; nodes of constants alone are not among them. */
  readonly nodes: readonly Node[];
  readonly from: string;
  readonly to: string;
  /** [height, width] of the step from one output position to the next. */
  readonly strides: readonly [number, number];
}

type Seen = Pick<StepContext, 'model' | 'facts' | 'selected'>;

/** Applied to each number alone: at the end of a run it stays, since a block ends in a sum or a convolution. */
const bends: ReadonlySet<string> = new Set([
  ...['Relu', 'LeakyRelu', 'Elu', 'Selu', 'Celu', 'ThresholdedRelu', 'Sigmoid', 'HardSigmoid', 'HardSwish', 'Tanh'],
  ...['Softplus', 'Softsign', 'Mish', 'Gelu', 'Swish', 'Clip', 'PRelu'],
]);

const farthest = 8;

/** The stride at which a centred odd window makes `to` positions of `from`: ceil(from / stride). */
function strideOf(from: Dim | undefined, to: Dim | undefined): number | undefined {
  if (typeof from !== 'number' || typeof to !== 'number')
    return from !== null && from !== undefined && from === to ? 1 : undefined;
  for (let s = 1; s <= farthest; s++) if (Math.ceil(from / s) === to) return s;
  return undefined;
}

/** Selected nodes that compute something of samples, joined where one reads what another makes; in graph order. */
function components(c: Seen): readonly (readonly Node[])[] {
  const index = graphIndex(c.model.graph);
  const wanted = new Set(c.selected.map((n) => n.id));
  const ours = index.order.filter(
    (n) => wanted.has(n.id) && subgraphs(n).length === 0 && !n.outputs.every((o) => c.facts.get(o)?.constant),
  );
  const parent = new Map(ours.map((n) => [n.id, n.id]));
  const root = (id: string): string => {
    let at = id;
    for (let up = parent.get(at); up !== undefined && up !== at; up = parent.get(at)) at = up;
    parent.set(id, at);
    return at;
  };
  for (const n of ours)
    for (const v of n.inputs) {
      const made = index.producer.get(v);
      if (made !== undefined && parent.has(made.id)) parent.set(root(n.id), root(made.id));
    }
  const groups = new Map<string, Node[]>();
  for (const n of ours) {
    const key = root(n.id);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [n]);
    else group.push(n);
  }
  return [...groups.values()];
}

interface Cut {
  /** Between nodes[at - 1] and nodes[at]. */
  readonly at: number;
  readonly value: string;
}

/** Where a single value holds all that the nodes behind it need of those before it. */
function cutsOf(c: Seen, nodes: readonly Node[]): readonly Cut[] {
  const { uses, outputNames } = graphIndex(c.model.graph);
  const own = new Set(nodes.map((n) => n.id));
  const last = new Map<string, number>();
  const varies = (v: string): boolean => v !== '' && c.facts.get(v)?.constant !== true;
  for (const [k, n] of nodes.entries()) for (const v of readsOf(n)) if (varies(v)) last.set(v, k);
  const made = new Set(nodes.flatMap((n) => n.outputs));
  for (const v of made)
    if (outputNames.has(v) || uses.get(v)?.some((u) => !own.has(u.node.id))) last.set(v, nodes.length);
  const live = new Set([...last.keys()].filter((v) => !made.has(v)));
  const cuts: Cut[] = [];
  for (let at = 0; at <= nodes.length; at++) {
    const before = nodes[at - 1];
    if (before !== undefined) {
      for (const v of readsOf(before)) if (last.get(v) === at - 1) live.delete(v);
      for (const o of before.outputs) if (last.has(o)) live.add(o);
    }
    const [value, second] = live;
    if (value !== undefined && second === undefined) cuts.push({ at, value });
  }
  return cuts;
}

function runIn(c: Seen, nodes: readonly Node[]): Run | string {
  const picture = (v: string): readonly Dim[] | undefined => {
    const shape = c.facts.get(v)?.shape;
    return shape?.length === 4 && typeof shape[1] === 'number' ? shape : undefined;
  };
  const cuts = cutsOf(c, nodes).filter((cut) => picture(cut.value) !== undefined);
  const start = cuts[0];
  if (start === undefined || cuts.length < 2)
    return 'no two values that stand alone enclose it: select a chain, or a whole block with its shortcut';
  const from = picture(start.value) ?? [];
  let why = 'no layer with a kernel lies between the values that enclose it';
  for (const end of [...cuts.slice(1)].reverse()) {
    const between = nodes.slice(start.at, end.at);
    if (bends.has(between.at(-1)?.op ?? '')) continue;
    if (!between.some((n) => n.op === 'Conv')) break;
    const to = picture(end.value) ?? [];
    const [h, w] = [strideOf(from[2], to[2]), strideOf(from[3], to[3])];
    if (h === undefined || w === undefined) {
      why = `it turns ${from.slice(2).join('x')} into ${to.slice(2).join('x')}, which no stride up to ${farthest} of a centred window does`;
      continue;
    }
    return { nodes: between, from: start.value, to: end.value, strides: [h, w] };
  }
  return why;
}

/** A run of each connected part of the selection, or why it holds none. */
export const findRuns = (c: Seen): readonly { readonly nodes: readonly Node[]; readonly run: Run | string }[] =>
  components(c).map((nodes) => ({ nodes, run: runIn(c, nodes) }));
