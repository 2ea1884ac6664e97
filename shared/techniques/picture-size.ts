/**
 * Owns what stands in the way of another picture size: nodes that have the old one built in, outputs that would change. Shapes with
 * a batch of one are compared before and after.
 */
import { inferScope } from '../analysis/infer-facts.ts';
import { Fault } from '../base/fault.ts';
import { intAttr, intsAttr } from '../ir/attribute.ts';
import { elementCount } from '../ir/element-type.ts';
import { type Dim, fixedDims, type Model, type Node } from '../ir/model.ts';
import type { Facts } from '../ops/declare.ts';

type FactsMap = ReadonlyMap<string, Facts>;

const told = (shape: readonly Dim[] | null | undefined): string => shape?.map((d) => d ?? '?').join(' x ') ?? 'unknown';
const labelOf = (n: Node): string => `${n.op} ${n.name || n.id}`;

/** What the node says against its inputs' new shapes; undefined where it is content. */
function complaint(node: Node, facts: FactsMap, was: FactsMap): string | undefined {
  const shape = (k: number) => fixedDims(facts.get(node.inputs[k] ?? '')?.shape);
  const out = fixedDims(facts.get(node.outputs[0] ?? '')?.shape);
  if (out?.some((d) => d <= 0)) return `nothing is left behind ${labelOf(node)}`;
  if (node.domain !== '') return undefined;
  if (node.op === 'Reshape') {
    const x = shape(0);
    if (x === undefined || out === undefined || elementCount(x) === elementCount(out)) return undefined;
    return `${labelOf(node)} has the size of the picture built in (${told(out)})`;
  }
  const meets = (a: number | undefined, b: number | undefined): string | undefined =>
    a === undefined || b === undefined || a === b
      ? undefined
      : `${labelOf(node)} takes ${b} features, it would get ${a}: the size of the picture is built into its weights`;
  const grew = told(was.get(node.inputs[0] ?? '')?.shape) !== told(facts.get(node.inputs[0] ?? '')?.shape);
  if (node.op === 'ConvTranspose' && grew && intsAttr(node, 'output_shape') !== undefined)
    return `${labelOf(node)} has the size of its result built in`;
  if (node.op === 'Gemm') {
    const [a, b] = [shape(0), shape(1)];
    return meets(a?.[intAttr(node, 'transA', 0) === 1 ? 0 : 1], b?.[intAttr(node, 'transB', 0) === 1 ? 1 : 0]);
  }
  if (node.op === 'MatMul') {
    const [a, b] = [shape(0), shape(1)];
    return meets(a?.at(-1), b?.at(-2) ?? b?.[0]);
  }
  return undefined;
}

/** Why `after`, the model at another picture size, is no whole model; undefined where it is. Outputs must keep their shapes. */
export function sizeBarrier(before: Model, after: Model): string | undefined {
  let now: FactsMap;
  try {
    now = inferScope(after, undefined, { batch: 1 }).facts;
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    return thrown.where === undefined ? thrown.message : `${thrown.message} (${thrown.where})`;
  }
  const was = inferScope(before, undefined, { batch: 1 }).facts;
  for (const node of after.graph.nodes) {
    const why = complaint(node, now, was);
    if (why !== undefined) return why;
    for (const o of node.outputs)
      if (fixedDims(was.get(o)?.shape) !== undefined && fixedDims(now.get(o)?.shape) === undefined)
        return `the shape that ${labelOf(node)} would give is not known any more`;
  }
  for (const o of after.graph.outputs) {
    const [a, b] = [was.get(o.name)?.shape, now.get(o.name)?.shape];
    if (told(a) !== told(b)) return `the output ${o.name} would be ${told(b)} instead of ${told(a)}`;
  }
  return undefined;
}

/** The model without recorded shapes that no longer hold. */
export function withoutStaleShapes(before: Model, after: Model): Model {
  if (after.graph.valueInfos.length === 0) return after;
  const was = inferScope(before, undefined, { batch: 1 }).facts;
  const now = inferScope(after, undefined, { batch: 1 }).facts;
  const kept = after.graph.valueInfos.filter((v) => told(was.get(v.name)?.shape) === told(now.get(v.name)?.shape));
  return { ...after, graph: { ...after.graph, valueInfos: kept } };
}
