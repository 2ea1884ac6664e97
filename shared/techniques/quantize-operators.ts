/**
 * Owns the operator form of static quantization (QOperator): a layer between DequantizeLinear and QuantizeLinear becomes one QLinearConv,
 * QLinearMatMul or QGemm, and nodes that only move values work on the integers. What has no standard integer form keeps its QDQ form.
 */
import { attr, floatAttr } from '../ir/attribute.ts';
import { GraphEdit } from '../ir/graph-edit.ts';
import { type GraphIndex, graphIndex } from '../ir/graph-index.ts';
import type { Model, Node } from '../ir/model.ts';
import { toNumbers } from '../ir/values.ts';
import { constantValue } from '../transforms/constant-values.ts';
import type { QuantPlan } from './quantize-plan.ts';

/** Nodes that give integers as they give floats: no arithmetic in them. */
const moving: ReadonlySet<string> = new Set(
  'MaxPool Reshape Transpose Flatten Squeeze Unsqueeze Slice Gather Identity'.split(' '),
);
const microsoft = 'com.microsoft';

/** value, scale, zero point of what a DequantizeLinear decodes. */
type Integers = readonly [value: string, scale: string, zeroPoint: string];

interface Form {
  readonly node: Node;
  /** Ids that it makes needless. */
  readonly instead: readonly string[];
}

function integersOf(index: GraphIndex, value: string): Integers | undefined {
  const maker = index.producer.get(value);
  if (maker?.op !== 'DequantizeLinear' || maker.domain !== '') return undefined;
  const [q, scale, zero] = maker.inputs;
  return q === undefined || scale === undefined || zero === undefined ? undefined : [q, scale, zero];
}

/** The only reader of a value that is no output of the graph. */
function onlyReader(index: GraphIndex, value: string): Node | undefined {
  const uses = index.uses.get(value) ?? [];
  return uses.length === 1 && !index.outputNames.has(value) ? uses[0]?.node : undefined;
}

/** Whether the node cuts off at 0, as the end of an unsigned grid does. */
function cutsAtZero(model: Model, node: Node): boolean {
  if (node.op === 'Relu') return true;
  if (node.op !== 'Clip') return false;
  const min = constantValue(model.graph, node.inputs[1] ?? '');
  return min !== undefined && toNumbers(min.tensor)[0] === 0;
}

/**
 * The QuantizeLinear that takes a layer's result, behind the Relu or Clip that its grid stands for: from 0, where the plan knows
 * that nothing is below, to the largest value observed, which is within what a Clip lets through.
 */
function quantizer(model: Model, index: GraphIndex, plan: QuantPlan, value: string): readonly Node[] | undefined {
  const reader = onlyReader(index, value);
  if (reader?.op === 'QuantizeLinear') return [reader];
  if (reader === undefined || !cutsAtZero(model, reader)) return undefined;
  const next = onlyReader(index, reader.outputs[0] ?? '');
  if (next?.op !== 'QuantizeLinear') return undefined;
  // The result bears the planned name, or, where it is an output of the graph, what is decoded from it does.
  const decoded = (index.uses.get(next.outputs[0] ?? '') ?? []).map((u) => u.node.outputs[0] ?? '');
  const from = [reader.outputs[0] ?? '', ...decoded].map((v) => plan.values.get(v)).find((v) => v !== undefined);
  return from?.nonNegative === true ? [reader, next] : undefined;
}

function layerForm(model: Model, index: GraphIndex, plan: QuantPlan, node: Node): Form | undefined {
  const x = integersOf(index, node.inputs[0] ?? '');
  const w = integersOf(index, node.inputs[1] ?? '');
  if (x === undefined || w === undefined || index.initializer.get(x[2])?.type !== 'uint8') return undefined;
  const bias = node.inputs[2] ?? '';
  const b = bias === '' ? undefined : integersOf(index, bias);
  if (bias !== '' && b === undefined) return undefined;
  const out = node.outputs[0] ?? '';
  const after = quantizer(model, index, plan, out);
  const q = after?.at(-1);
  const instead = (after ?? []).map((n) => n.id);
  const y = q === undefined ? [] : [q.inputs[1] ?? '', q.inputs[2] ?? ''];
  const outputs = [q?.outputs[0] ?? out];
  const more = b === undefined ? [] : [b[0]];
  switch (node.op) {
    case 'Conv':
      return q === undefined
        ? undefined
        : { node: { ...node, op: 'QLinearConv', inputs: [...x, ...w, ...y, ...more], outputs }, instead };
    case 'MatMul':
      return q === undefined
        ? undefined
        : { node: { ...node, op: 'QLinearMatMul', inputs: [...x, ...w, ...y], outputs }, instead };
    case 'Gemm': {
      if (floatAttr(node, 'alpha', 1) !== 1) return undefined;
      const attributes = [
        attr.float('alpha', 1),
        ...node.attributes.filter((a) => a.name === 'transA' || a.name === 'transB'),
      ];
      const c = q === undefined ? more : [b?.[0] ?? '', ...y];
      return {
        node: { ...node, op: 'QGemm', domain: microsoft, attributes, inputs: [...x, ...w, ...c], outputs },
        instead,
      };
    }
    default:
      return undefined;
  }
}

/** A moving node between a decoder and an encoder of one grid, on the integers themselves. */
function movingForm(index: GraphIndex, node: Node): Form | undefined {
  if (!moving.has(node.op) || node.domain !== '' || node.outputs.slice(1).some((o) => o !== '')) return undefined;
  const x = integersOf(index, node.inputs[0] ?? '');
  const q = onlyReader(index, node.outputs[0] ?? '');
  if (x === undefined || q?.op !== 'QuantizeLinear' || q.inputs[1] !== x[1] || q.inputs[2] !== x[2]) return undefined;
  return {
    node: { ...node, inputs: [x[0], ...node.inputs.slice(1)], outputs: [q.outputs[0] ?? ''] },
    instead: [q.id],
  };
}

export interface OperatorForm {
  readonly model: Model;
  /** Whether a node of ONNX Runtime's own domain stands in it. */
  readonly foreign: boolean;
}

/** `model` is what the static rewrite of `plan` gave. */
export function operatorForm(model: Model, plan: QuantPlan): OperatorForm {
  const index = graphIndex(model.graph);
  const forms = new Map<string, Node>();
  const gone = new Set<string>();
  for (const node of index.order) {
    const form = plan.layers.has(node.id) ? layerForm(model, index, plan, node) : movingForm(index, node);
    if (form === undefined) continue;
    forms.set(node.id, form.node);
    for (const id of form.instead) gone.add(id);
  }
  const nodes = index.order.flatMap((n) => (gone.has(n.id) ? [] : [forms.get(n.id) ?? n]));
  const edit = new GraphEdit({ ...model.graph, nodes });
  edit.removeUnused();
  const foreign = nodes.some((n) => n.domain === microsoft && n.op === 'QGemm');
  const known = model.opsets.some((o) => o.domain === microsoft);
  const opsets = foreign && !known ? [...model.opsets, { domain: microsoft, version: 1 }] : model.opsets;
  return { model: { ...model, opsets, graph: edit.done() }, foreign };
}
