/** Owns peak activation memory: the most bytes of activations alive at once, nodes run in topological order. */
import { elementTypes, rawByteLength } from '../ir/element-type.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Graph, Node } from '../ir/model.ts';
import type { Facts } from '../ops/declare.ts';
import { sizeOf } from '../ops/fold.ts';

/** Bytes of a dense tensor; null where type or a dimension is unknown, or where elements have no fixed width. */
function bytesOf(facts: Facts | undefined): number | null {
  const count = sizeOf(facts?.shape);
  if (facts === undefined || facts.elem === null || count === null || elementTypes[facts.elem].bits === 0) return null;
  return rawByteLength(facts.elem, count);
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
  const home = new Map<string, string>();
  const homeOf = (name: string): string => home.get(name) ?? name;
  const order = index.order;
  const steps = new Map(order.map((n, i) => [n, i]));
  const lastUse = new Map<string, number>();
  const touch = (name: string, step: number): void => {
    lastUse.set(homeOf(name), Math.max(lastUse.get(homeOf(name)) ?? 0, step));
  };
  const isLive = (name: string): boolean => name !== '' && facts.get(name)?.constant !== true;
  for (const [step, node] of order.entries()) {
    const [first] = node.inputs;
    const [out] = node.outputs;
    if (isView(node) && first !== undefined && out !== undefined && isLive(first)) home.set(out, homeOf(first));
    for (const o of node.outputs) if (isLive(o)) touch(o, step);
  }
  for (const [name, uses] of index.uses) if (isLive(name)) for (const u of uses) touch(name, steps.get(u.node) ?? 0);
  for (const name of index.outputNames) if (isLive(name)) touch(name, order.length);
  const dying = new Map<number, string[]>();
  for (const [name, step] of lastUse) {
    const list = dying.get(step);
    if (list === undefined) dying.set(step, [name]);
    else list.push(name);
  }
  let live = 0;
  let peak = 0;
  const enter = (name: string): boolean => {
    const bytes = bytesOf(facts.get(name));
    if (bytes === null) return false;
    live += bytes;
    return true;
  };
  for (const input of index.requiredInputs) if (isLive(input.name) && !enter(input.name)) return null;
  peak = live;
  for (const [step, node] of order.entries()) {
    for (const o of node.outputs) if (isLive(o) && homeOf(o) === o && !enter(o)) return null;
    peak = Math.max(peak, live);
    for (const name of dying.get(step) ?? []) live -= bytesOf(facts.get(name)) ?? 0;
  }
  return peak;
}
