/** Owns peak activation memory: the most bytes of activations alive at once, nodes run in topological order. */
import { elementTypes, rawByteLength } from '../ir/element-type.ts';
import { graphIndex, outerReads, subgraphs } from '../ir/graph-index.ts';
import type { Graph, Node } from '../ir/model.ts';
import type { Facts } from '../ops/declare.ts';
import { sizeOf } from '../ops/fold.ts';

/** Bytes of a dense tensor; null where type or a dimension is unknown, or where elements have no fixed width. */
function bytesOf(facts: Facts | undefined): number | null {
  const count = sizeOf(facts?.shape);
  if (facts === undefined || facts.elem === null || count === null || elementTypes[facts.elem].bits === 0) return null;
  return rawByteLength(facts.elem, count);
}

/** One piece of memory: a value, and the views that share it. */
interface Block {
  readonly bytes: number | null;
  /** Step of the last node that touches it. */
  last: number;
}

/**
 * Peak in bytes over all nodes of what is alive while the node runs: its inputs, its outputs, and every value that a later
 * node or the caller still reads. Weights are not counted. A view (`isView`) shares its input's memory. null as soon as
 * one live value's size is unknown.
 */
export function peakActivationBytes(
  graph: Graph,
  facts: ReadonlyMap<string, Facts>,
  isView: (node: Node) => boolean,
): number | null {
  const index = graphIndex(graph);
  const { order } = index;
  const blocks = new Map<string, Block>();
  const born: (Block[] | undefined)[] = new Array(order.length);
  const open = (name: string, step: number): Block | undefined => {
    const known = name === '' ? undefined : facts.get(name);
    if (name === '' || known?.constant === true) return undefined;
    const block: Block = { bytes: bytesOf(known), last: step };
    blocks.set(name, block);
    return block;
  };
  const given = index.requiredInputs.flatMap((input) => open(input.name, 0) ?? []);
  for (let step = 0; step < order.length; step++) {
    const node = order[step];
    if (node === undefined) continue;
    for (const name of node.inputs) touch(blocks.get(name), step);
    for (const g of subgraphs(node)) for (const name of outerReads(g)) touch(blocks.get(name), step);
    const shared = isView(node) ? blocks.get(node.inputs[0] ?? '') : undefined;
    for (let k = 0; k < node.outputs.length; k++) {
      const name = node.outputs[k] ?? '';
      if (k === 0 && shared !== undefined) {
        blocks.set(name, shared);
        continue;
      }
      const block = open(name, step);
      if (block === undefined) continue;
      const list = born[step];
      if (list === undefined) born[step] = [block];
      else list.push(block);
    }
  }
  for (const name of index.outputNames) touch(blocks.get(name), order.length);
  return sweep(given, born);
}

function touch(block: Block | undefined, step: number): void {
  if (block !== undefined && block.last < step) block.last = step;
}

const none: readonly Block[] = [];

/** Walks the steps: blocks are alive from birth to their last use. */
function sweep(given: readonly Block[], born: readonly (readonly Block[] | undefined)[]): number | null {
  const freed = new Float64Array(born.length + 1);
  let live = 0;
  for (const { bytes, last } of given) {
    if (bytes === null) return null;
    live += bytes;
    freed[last] = (freed[last] ?? 0) + bytes;
  }
  let peak = live;
  for (let step = 0; step < born.length; step++) {
    for (const { bytes, last } of born[step] ?? none) {
      if (bytes === null) return null;
      live += bytes;
      freed[last] = (freed[last] ?? 0) + bytes;
    }
    peak = Math.max(peak, live);
    live -= freed[step] ?? 0;
  }
  return peak;
}
