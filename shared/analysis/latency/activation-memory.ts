/** Owns peak activation memory by the order in which nodes run: the file's, the runtime's, and the best that was found. */
import type { Model } from '../../ir/model.ts';
import type { Wiring } from '../../ir/wiring.ts';
import type { ShapeChoice } from '../figures.ts';
import { inferScope, type Scope } from '../infer-facts.ts';
import { bytesOf, peakActivationBytes } from '../peak-memory.ts';
import { workOf } from '../work-of.ts';

/** Bytes; null where a size is unknown, and `runtimeOrder` also where no trace told it. */
export interface ActivationMemory {
  readonly fileOrder: number | null;
  readonly runtimeOrder: number | null;
  readonly bestOrder: number | null;
}

/** All nodes, producers first; of those ready, the one that `pick` chooses. */
export function listSchedule(wiring: Wiring, pick: (ready: readonly number[]) => number): Int32Array {
  const count = wiring.order.length;
  const waits = new Int32Array(count);
  const readers = new Map<number, number[]>();
  for (let p = 0; p < count; p++)
    for (const maker of makersOf(wiring, p)) {
      waits[p] = (waits[p] ?? 0) + 1;
      const list = readers.get(maker);
      if (list === undefined) readers.set(maker, [p]);
      else list.push(p);
    }
  const ready = [...wiring.order].filter((p) => waits[p] === 0);
  const out = new Int32Array(count);
  for (let k = 0; k < count; k++) {
    const chosen = pick(ready);
    const p = ready[chosen] ?? 0;
    ready.splice(chosen, 1);
    out[k] = p;
    for (const r of readers.get(p) ?? []) {
      waits[r] = (waits[r] ?? 0) - 1;
      if (waits[r] === 0) ready.push(r);
    }
  }
  return out;
}

/** Positions of the nodes that make what a node reads, each once. */
function makersOf({ inputStart, inputs, producer }: Wiring, p: number): ReadonlySet<number> {
  const found = new Set<number>();
  for (let k = inputStart[p] ?? 0; k < (inputStart[p + 1] ?? 0); k++) {
    const maker = producer[inputs[k] ?? -1] ?? -1;
    if (maker >= 0) found.add(maker);
  }
  return found;
}

/** Index of the least by `cost`, the first of equals. */
function least(ready: readonly number[], cost: (p: number) => number): number {
  let best = 0;
  let low = Number.POSITIVE_INFINITY;
  for (let k = 0; k < ready.length; k++) {
    const c = cost(ready[k] ?? 0);
    if (c < low) [best, low] = [k, c];
  }
  return best;
}

/** What stands in memory: which piece each value lies in (a view in its input's), and who touches it. */
interface Pieces {
  readonly size: number[];
  readonly of: Int32Array;
  /** Nodes that have yet to read a piece; what the caller reads never ends. */
  readonly readsLeft: number[];
}

function piecesOf({ wiring, facts, graph }: Scope, isView: (p: number) => boolean): Pieces {
  const of = new Int32Array(wiring.names.length).fill(-1);
  const size: number[] = [];
  const open = (id: number): void => {
    const known = facts.at(id);
    if (known?.constant !== true) of[id] = size.push(bytesOf(known) ?? 0) - 1;
  };
  for (const { name } of graph.inputs) {
    const id = wiring.ids.get(name);
    if (id !== undefined && (wiring.initializerAt[id] ?? -1) < 0) open(id);
  }
  for (const p of wiring.order) {
    const first = wiring.outputStart[p] ?? 0;
    for (let k = first; k < (wiring.outputStart[p + 1] ?? 0); k++) {
      const id = wiring.outputs[k] ?? -1;
      const shared = k === first && isView(p) ? (of[wiring.inputs[wiring.inputStart[p] ?? -1] ?? -1] ?? -1) : -1;
      if (shared >= 0) of[id] = shared;
      else if (id >= 0) open(id);
    }
  }
  const readsLeft = size.map(() => 0);
  for (const p of wiring.order) for (const b of touched(wiring, of, p)) readsLeft[b] = (readsLeft[b] ?? 0) + 1;
  for (const { name } of graph.outputs) {
    const b = of[wiring.ids.get(name) ?? -1] ?? -1;
    if (b >= 0) readsLeft[b] = Number.POSITIVE_INFINITY;
  }
  return { size, of, readsLeft };
}

/** Pieces that a node reads, each once. */
function touched({ inputStart, inputs }: Wiring, of: Int32Array, p: number): ReadonlySet<number> {
  const found = new Set<number>();
  for (let k = inputStart[p] ?? 0; k < (inputStart[p + 1] ?? 0); k++) {
    const b = of[inputs[k] ?? -1] ?? -1;
    if (b >= 0) found.add(b);
  }
  return found;
}

/** Always the ready node that adds the least and frees the most: greedy, so a good order, not a proof of the best. */
function greedyOrder(scope: Scope, isView: (p: number) => boolean): Int32Array {
  const { wiring } = scope;
  const { size, of, readsLeft } = piecesOf(scope, isView);
  const growth = (p: number): number => {
    const reads = touched(wiring, of, p);
    let bytes = 0;
    for (let k = wiring.outputStart[p] ?? 0; k < (wiring.outputStart[p + 1] ?? 0); k++) {
      const b = of[wiring.outputs[k] ?? -1] ?? -1;
      if (b >= 0 && !reads.has(b)) bytes += size[b] ?? 0;
    }
    for (const b of reads) if (readsLeft[b] === 1) bytes -= size[b] ?? 0;
    return bytes;
  };
  return listSchedule(wiring, (ready) => {
    const chosen = least(ready, growth);
    for (const b of touched(wiring, of, ready[chosen] ?? 0)) readsLeft[b] = (readsLeft[b] ?? 0) - 1;
    return chosen;
  });
}

/**
 * Peaks under each order. `rank`: when the runtime runs each node, by position, as a trace tells; nodes that it does not
 * name run as soon as they can.
 */
export function activationMemory(
  model: Model,
  shapes?: ShapeChoice,
  rank?: ReadonlyMap<number, number>,
): ActivationMemory {
  const scope = inferScope(model, shapes, { batch: 1 });
  const { graph, wiring, facts } = scope;
  const views = Uint8Array.from(graph.nodes, (n, p) => (workOf(n, p, scope).work?.kernel === 'view' ? 1 : 0));
  const isView = (p: number): boolean => views[p] === 1;
  const peak = (order: Int32Array): number | null => peakActivationBytes(graph, facts, isView, order);
  const fileOrder = peak(wiring.order);
  if (fileOrder === null) return { fileOrder, runtimeOrder: null, bestOrder: null };
  const runtimeOrder =
    rank === undefined ? null : peak(listSchedule(wiring, (ready) => least(ready, (p) => rank.get(p) ?? -1)));
  const best = Math.min(fileOrder, runtimeOrder ?? fileOrder, peak(greedyOrder(scope, isView)) ?? fileOrder);
  return { fileOrder, runtimeOrder, bestOrder: best };
}
