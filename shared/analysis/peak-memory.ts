/** Owns peak activation memory: the most bytes of activations alive at once, nodes run in topological order. */
import { elementTypes, rawByteLength } from '../ir/element-type.ts';
import type { Graph } from '../ir/model.ts';
import { requiredInputs } from '../ir/wiring.ts';
import type { Facts } from '../ops/declare.ts';
import { sizeOf } from '../ops/fold.ts';
import type { FactsTable } from './facts-table.ts';

/** Bytes of a dense tensor; null where type or a dimension is unknown, or where elements have no fixed width. */
export function bytesOf(facts: Facts | undefined): number | null {
  const count = sizeOf(facts?.shape);
  if (facts === undefined || facts.elem === null || count === null || elementTypes[facts.elem].bits === 0) return null;
  return rawByteLength(facts.elem, count);
}

/**
 * Peak in bytes over all nodes of what is alive while the node runs: its inputs, its outputs, and every value that a later
 * node or the caller still reads. `order`: positions, producers first. Weights are not counted. A view (`isView`, by position) shares its input's memory. null
 * as soon as one value's size is unknown.
 */
export function peakActivationBytes(
  graph: Graph,
  facts: FactsTable,
  isView: (position: number) => boolean,
  order: Int32Array = facts.wiring.order,
): number | null {
  const { wiring } = facts;
  const { inputStart, inputs, outputStart, outputs } = wiring;
  // A block is a piece of memory: a value, and the views that share it. Blocks stand in the order of their birth.
  const block = new Int32Array(wiring.names.length).fill(-1);
  const size: number[] = [];
  const birth: number[] = [];
  const last: number[] = [];
  const open = (known: Facts | undefined, step: number): number => {
    if (known?.constant === true) return -1;
    const bytes = bytesOf(known);
    if (bytes === null) return -2;
    birth.push(step);
    last.push(step);
    return size.push(bytes) - 1;
  };
  for (const { name } of requiredInputs(graph)) {
    const at = open(facts.get(name), 0);
    if (at === -2) return null;
    const id = wiring.ids.get(name);
    if (id !== undefined) block[id] = at;
  }
  const touch = (id: number, step: number): void => {
    const at = block[id] ?? -1;
    if (at >= 0) last[at] = step;
  };
  for (let step = 0; step < order.length; step++) {
    const position = order[step] ?? 0;
    const start = inputStart[position] ?? 0;
    for (let k = start; k < (inputStart[position + 1] ?? 0); k++) touch(inputs[k] ?? -1, step);
    const first = outputStart[position] ?? 0;
    const end = outputStart[position + 1] ?? 0;
    for (let k = first; k < end; k++) {
      const id = outputs[k] ?? -1;
      if (id < 0) continue;
      const shared = k === first && isView(position) ? (block[inputs[start] ?? -1] ?? -1) : -1;
      const at = shared >= 0 ? shared : open(facts.at(id), step);
      if (at === -2) return null;
      block[id] = at;
    }
  }
  for (const { name } of graph.outputs) touch(wiring.ids.get(name) ?? -1, order.length);
  return sweep(size, birth, last, order.length);
}

/** Walks the steps: blocks are alive from birth to their last use. */
function sweep(size: readonly number[], birth: readonly number[], last: readonly number[], steps: number): number {
  const freed = new Float64Array(steps + 1);
  let live = 0;
  let peak = 0;
  let k = 0;
  for (let step = 0; step < Math.max(steps, 1); step++) {
    for (; k < size.length && birth[k] === step; k++) {
      const bytes = size[k] ?? 0;
      live += bytes;
      freed[last[k] ?? 0] = (freed[last[k] ?? 0] ?? 0) + bytes;
    }
    peak = Math.max(peak, live);
    live -= freed[step] ?? 0;
  }
  return peak;
}
