/**
 * Owns mapping a runtime's trace back to the graph: kernels carry fused or invented names, so the profiled copy names every
 * node by its position, and what has no kernel of its own goes with the neighbour that took it in.
 */
import { quantileSorted } from 'simple-statistics';
import type { Graph, Model, Node } from '../../ir/model.ts';
import { subgraphs } from '../../ir/subgraphs.ts';
import { wiringOf } from '../../ir/wiring.ts';
import type { ProfileEntry } from '../../ports/runtime.ts';
import { inferFacts } from '../infer-facts.ts';

export interface TracedLayer {
  /** Node id; null for what the runtime put in itself (a change of layout). */
  readonly id: string | null;
  readonly name: string;
  readonly op: string;
  /** The runtime's operator: FusedConv, QLinearConv, ReorderOutput ... */
  readonly kernel: string;
  /** Ids of further nodes that this kernel computes. */
  readonly fused: readonly string[];
  /** Milliseconds a run, scaled so that all layers add up to the unprofiled median. */
  readonly ms: number;
  /** As the trace has it: a median over its runs, unless another quantile was asked for. */
  readonly rawMs: number;
  /** True where the trace has less than 20 us a run: the figure is mostly the clock's. */
  readonly belowResolution: boolean;
}

export interface Traced {
  /** In the order in which the runtime runs them. */
  readonly layers: readonly TracedLayer[];
  /** Milliseconds of all raw times together. */
  readonly rawSum: number;
  /** Nodes that take no time at run time and are part of no kernel: removed or computed at load. */
  readonly removed: readonly string[];
  /** Positions of nodes by when their kernel runs. */
  readonly rank: ReadonlyMap<number, number>;
}

const mark = (position: number): string => `bantam#${position}#`;
const inner = 'bantam-inner';
const resolutionMs = 0.02;

/** The model with every node named by its position; nodes of subgraphs all alike, since their time is their owner's. */
export function markedModel(model: Model): Model {
  const nodes = model.graph.nodes.map((n, k) => ({ ...markedInside(n), name: mark(k) }));
  return { ...model, graph: { ...model.graph, nodes } };
}

function markedInside(node: Node): Node {
  if (subgraphs(node).length === 0) return node;
  const graph = (g: Graph): Graph => ({ ...g, nodes: g.nodes.map((n) => ({ ...markedInside(n), name: inner })) });
  return {
    ...node,
    attributes: node.attributes.map((a) => {
      if (a.kind === 'graph') return { ...a, value: graph(a.value) };
      return a.kind === 'graphs' ? { ...a, value: a.value.map(graph) } : a;
    }),
  };
}

interface Kernel {
  readonly op: string;
  readonly positions: number[];
  readonly us: number[];
}

/** Kernels by the runtime's node, in order of their first run. */
function kernelsOf(model: Model, entries: readonly ProfileEntry[]): readonly Kernel[] {
  const wiring = wiringOf(model.graph);
  const kernels = new Map<string, Kernel>();
  for (const { node, op, microseconds } of entries) {
    if (node.includes(inner)) continue;
    let kernel = kernels.get(node);
    if (kernel === undefined) {
      kernel = { op, positions: [], us: [] };
      for (const [, k] of node.matchAll(/bantam#(\d+)#/g)) kernel.positions.push(Number(k));
      // The blocked-layout pass names its kernels after the value that they make.
      const value = /^(.*)_nchwc(?:_\d+)?$/s.exec(node)?.[1];
      // A normalisation or scale that became a convolution carries its old kind after the value's name.
      const id = wiring.ids.get(value ?? '') ?? wiring.ids.get(value?.replace(/_(?:bn|mul)$/, '') ?? '');
      const maker = value === undefined ? undefined : wiring.producer[id ?? -1];
      if (kernel.positions.length === 0 && maker !== undefined && maker >= 0) kernel.positions.push(maker);
      kernels.set(node, kernel);
    }
    kernel.us.push(microseconds);
  }
  return [...kernels.values()];
}

const sumOf = (us: readonly number[]): number => us.reduce((a, b) => a + b, 0);

/** Which runs of a trace are told of, and how. */
export interface Told {
  /** How many runs come first and do not count: a session's first is a warm-up. */
  readonly skip?: number;
  /** Of the runs that count; their median where it is left out. */
  readonly quantile?: number;
  /** Whether a run counts; every one where it is left out. At least one must. */
  readonly counts?: (run: number) => boolean;
}

/**
 * A quantile, over the runs that count, of what a kernel took in each: a Loop's own kernel may run several times a run. Where
 * runs differ in how often, nobody knows where one ends: then the mean, without the share of calls that comes first.
 */
function perRun(us: readonly number[], runs: number, { skip = 0, quantile = 0.5, counts }: Told): number {
  const each = us.length / runs;
  if (!Number.isInteger(each)) return sumOf(us.slice(Math.round(each * skip))) / (runs - skip);
  const sums: number[] = [];
  for (let r = skip; r < runs; r++) if (counts?.(r) !== false) sums.push(sumOf(us.slice(r * each, (r + 1) * each)));
  return quantileSorted(
    sums.sort((a, b) => a - b),
    quantile,
  );
}

/** Layers of a trace of `markedModel(model)` over `runs` runs, scaled to the unprofiled median. */
export function layersOfTrace(
  model: Model,
  entries: readonly ProfileEntry[],
  runs: number,
  medianMs: number,
  told: Told = {},
): Traced {
  const kernels = kernelsOf(model, entries);
  const { nodes } = model.graph;
  const kernelOf = new Map<number, number>();
  for (const [k, { positions }] of kernels.entries())
    for (const p of positions) if (!kernelOf.has(p)) kernelOf.set(p, k);
  for (const [k, kernel] of kernels.entries()) takeBack(model, kernel, k, kernelOf);
  const primary = kernels.map(({ positions }) => positions[0]);
  const removed = absorb(model, kernelOf);
  const fused = kernels.map((): string[] => []);
  for (const [p, k] of kernelOf) if (primary[k] !== p) fused[k]?.push(nodes[p]?.id ?? '');
  const raw = kernels.map(({ us }) => perRun(us, runs, told) / 1000);
  const sum = raw.reduce((a, b) => a + b, 0);
  const layers = kernels.map(({ op }, k): TracedLayer => {
    const node = nodes[primary[k] ?? -1];
    const rawMs = raw[k] ?? 0;
    return {
      id: node?.id ?? null,
      name: node?.name ?? '',
      op: node?.op ?? op,
      kernel: op,
      fused: fused[k] ?? [],
      ms: sum === 0 ? 0 : (rawMs * medianMs) / sum,
      rawMs,
      belowResolution: rawMs < resolutionMs,
    };
  });
  return { layers, rawSum: sum, removed, rank: kernelOf };
}

/** How far a fusion reaches back from the node that names it: Relu, Add, BatchNormalization, Conv. */
const farthest = 4;

/**
 * A fused kernel may be named after its last node (a convolution after its Relu). Then the node that its operator speaks of,
 * and what lies between, belong to it, and that node comes first.
 */
function takeBack(model: Model, { op, positions }: Kernel, kernel: number, kernelOf: Map<number, number>): void {
  const { nodes } = model.graph;
  const wiring = wiringOf(model.graph);
  const [named] = positions;
  if (named === undefined || positions.some((p) => op.includes(nodes[p]?.op ?? ' '))) return;
  let paths: (readonly number[])[] = [[named]];
  for (let step = 0; step < farthest; step++) {
    const next: (readonly number[])[] = [];
    for (const path of paths) {
      const from = path.at(-1) ?? named;
      for (let k = wiring.inputStart[from] ?? 0; k < (wiring.inputStart[from + 1] ?? 0); k++) {
        const maker = wiring.producer[wiring.inputs[k] ?? -1] ?? -1;
        if (maker < 0 || kernelOf.has(maker)) continue;
        const longer = [...path, maker];
        if (!op.includes(nodes[maker]?.op ?? ' ')) {
          next.push(longer);
          continue;
        }
        for (const p of longer) kernelOf.set(p, kernel);
        positions.unshift(maker);
        return;
      }
    }
    paths = next;
  }
}

/**
 * Gives nodes without a kernel of their own to the one that makes what they read (a Relu goes into its convolution), else to
 * the one that reads what they make (a DequantizeLinear into what computes on integers). Fills `kernelOf`; returns the rest.
 */
function absorb(model: Model, kernelOf: Map<number, number>): readonly string[] {
  const { nodes } = model.graph;
  const wiring = wiringOf(model.graph);
  const facts = inferFacts(model);
  const isConstant = (p: number): boolean =>
    nodes[p]?.outputs.every((o) => o === '' || facts.get(o)?.constant === true) ?? true;
  const open = [...wiring.order].filter((p) => !kernelOf.has(p) && !isConstant(p));
  for (const p of open)
    for (let k = wiring.inputStart[p] ?? 0; k < (wiring.inputStart[p + 1] ?? 0) && !kernelOf.has(p); k++) {
      const kernel = kernelOf.get(wiring.producer[wiring.inputs[k] ?? -1] ?? -1);
      if (kernel !== undefined) kernelOf.set(p, kernel);
    }
  const readerOf = new Map<number, number>();
  for (let p = 0; p < nodes.length; p++)
    for (let k = wiring.inputStart[p] ?? 0; k < (wiring.inputStart[p + 1] ?? 0); k++) {
      const maker = wiring.producer[wiring.inputs[k] ?? -1] ?? -1;
      if (maker >= 0 && !readerOf.has(maker)) readerOf.set(maker, p);
    }
  for (const p of open.reverse()) {
    const kernel = kernelOf.get(readerOf.get(p) ?? -1);
    if (!kernelOf.has(p) && kernel !== undefined) kernelOf.set(p, kernel);
  }
  return open.filter((p) => !kernelOf.has(p)).map((p) => nodes[p]?.id ?? '');
}
