/**
 * Owns the plan of static quantization: which values are quantized and which share a grid, so that int8 kernels chain. Read twice:
 * to ask for the ranges, and to rewrite.
 */
import { attribute, floatAttr } from '../ir/attribute.ts';
import { elementCount } from '../ir/element-type.ts';
import { graphIndex } from '../ir/graph-index.ts';
import { type Model, type Node, opsetVersion } from '../ir/model.ts';
import { toNumbers } from '../ir/values.ts';
import { constantValue } from '../transforms/constant-values.ts';
import type { StepContext } from './declare.ts';
import { computesIn8Bits, type QuantLayer, quantLayer, ruleOf } from './quantize-layers.ts';

export interface QuantizedValue {
  /** The value whose range gives the grid: itself, or the one it passes on unchanged. */
  readonly root: string;
  /** Never below 0 (behind Relu): the grid starts there, and the runtime drops the Relu. */
  readonly nonNegative: boolean;
  /** Set where it is another quantized value times a positive number: the same integers under a scaled grid, no node at all. */
  readonly scaled?: { readonly of: string; readonly by: number };
}

export interface QuantPlan {
  readonly layers: ReadonlyMap<string, QuantLayer>;
  /** Layers that no 8-bit kernel computes: only their weights are stored in 8 bits, decoded when the file is loaded. */
  readonly stored: ReadonlyMap<string, QuantLayer>;
  readonly refused: readonly { readonly id: string; readonly reason: string }[];
  readonly values: ReadonlyMap<string, QuantizedValue>;
  /** Constant operands of quantized elementwise nodes. */
  readonly operands: ReadonlySet<string>;
}

/** Values whose ranges give all grids. */
export const rangedValues = ({ values }: QuantPlan): readonly string[] =>
  [...new Set([...values.values()].map((v) => v.root))].filter((root) => values.get(root)?.scaled === undefined);

/** Operators whose 8-bit form no CPU kernel computes: their constants would be decoded on every call. */
const withoutKernel: ReadonlySet<string> = new Set(['Div', 'Sub']);

/** True for Relu, and Clip with a lower bound of at least 0 (an attribute before opset 11, an input since: S18). */
function clampsBelow(model: Model, node: Node): boolean {
  if (node.op === 'Relu') return true;
  if (node.op !== 'Clip') return false;
  if ((opsetVersion(model) ?? 0) < 11) return attribute(node, 'min') !== undefined && floatAttr(node, 'min', -1) >= 0;
  const min = constantValue(model.graph, node.inputs[1] ?? '');
  return min !== undefined && (toNumbers(min.tensor)[0] ?? -1) >= 0;
}

/** `model` is folded already; ranges are asked by names that stand in the model before folding too. */
export function quantPlan(model: Model, c: Omit<StepContext, 'model' | 'ranges'>): QuantPlan {
  const { graph } = model;
  const index = graphIndex(graph);
  const chosen = new Set(c.selected.map((n) => n.id));
  const perChannel = c.params.perChannel === true;
  const layers = new Map<string, QuantLayer>();
  const stored = new Map<string, QuantLayer>();
  const refused: { id: string; reason: string }[] = [];
  const values = new Map<string, QuantizedValue>();
  const operands = new Set<string>();
  const isFloat = (v: string): boolean => (c.facts.get(v)?.elem ?? 'float') === 'float' && !c.facts.get(v)?.other;
  const given = (v: string): boolean => index.producer.get(v)?.op === 'DequantizeLinear';
  const add = (v: string, nonNegative = false, root = v): void => {
    if (v !== '' && !values.has(v)) values.set(v, { root, nonNegative });
  };
  /** By what a Mul or Div with one positive constant number multiplies its quantized operand. */
  const factorOf = (node: Node): { readonly of: string; readonly by: number } | undefined => {
    if (node.op !== 'Mul' && node.op !== 'Div') return undefined;
    const at = node.op === 'Mul' && values.has(node.inputs[1] ?? '') ? 1 : 0;
    const of = node.inputs[at] ?? '';
    const number = constantValue(graph, node.inputs[1 - at] ?? '')?.tensor;
    const rank = c.facts.get(of)?.shape?.length;
    if (!values.has(of) || given(of) || number === undefined || elementCount(number.dims) !== 1) return undefined;
    if (number.type !== 'float' || rank === undefined || number.dims.length > rank) return undefined;
    // Read even in a preview: whether a node stands or falls must not wait for the run. It is one number.
    const x = toNumbers(number)[0] ?? 0;
    const by = node.op === 'Mul' ? x : 1 / x;
    return by > 1e-6 && by < 1e6 ? { of, by } : undefined;
  };

  for (const node of index.order) {
    if (!chosen.has(node.id)) continue;
    const layer = quantLayer(model, c.facts, node, perChannel);
    if (layer === undefined) continue;
    if (typeof layer === 'string') refused.push({ id: node.id, reason: layer });
    else (computesIn8Bits(layer) ? layers : stored).set(node.id, layer);
  }

  /** Where the node's result is quantized: behind a Relu or Clip that alone reads it. */
  const resultOf = (node: Node): { readonly value: string; readonly nonNegative: boolean } => {
    const own = node.outputs[0] ?? '';
    const uses = index.uses.get(own) ?? [];
    const reader = uses.length === 1 && !index.outputNames.has(own) ? uses[0]?.node : undefined;
    if (reader === undefined || ruleOf(reader)?.role !== 'activation') return { value: own, nonNegative: false };
    return { value: reader.outputs[0] ?? '', nonNegative: clampsBelow(model, reader) };
  };

  for (const node of index.order) {
    const layer = layers.get(node.id);
    if (layer !== undefined) {
      add(node.inputs[0] ?? '');
      const { value, nonNegative } = resultOf(node);
      // A matrix product may give float (QGemm, MatMulIntegerToFloat): the network's own outputs stay exact.
      const last = index.outputNames.has(value) && (node.op === 'Gemm' || node.op === 'MatMul');
      if (!last) add(value, nonNegative);
      continue;
    }
    extend(node);
  }

  function extend(node: Node): void {
    const rule = ruleOf(node);
    const out = node.outputs[0] ?? '';
    if (rule === undefined || rule.role === 'compute' || values.has(out) || index.outputNames.has(out)) return;
    if (node.outputs.slice(1).some((o) => o !== '') || !isFloat(out)) return;
    const inputs = rule.role === 'elementwise' ? elementwiseInputs(node, rule.data) : [node.inputs[rule.data] ?? ''];
    const varying = inputs.filter((i) => constantValue(graph, i) === undefined);
    if (varying.length === 0 || varying.some((i) => !values.has(i) && !given(i))) return;
    if (rule.role === 'pass') {
      const from = values.get(varying[0] ?? '');
      if (from !== undefined) add(out, from.nonNegative, from.root);
      return;
    }
    if (rule.role === 'elementwise' && !chosen.has(node.id)) return;
    const scaled = factorOf(node);
    const from = scaled === undefined ? undefined : values.get(scaled.of);
    if (scaled !== undefined && from !== undefined) {
      values.set(out, { root: out, nonNegative: from.nonNegative, scaled });
      return;
    }
    if (!withoutKernel.has(node.op)) for (const i of inputs) if (!varying.includes(i)) operands.add(i);
    if (rule.role === 'activation') {
      add(out, clampsBelow(model, node));
      return;
    }
    const { value, nonNegative } = resultOf(node);
    if (!index.outputNames.has(value)) add(value, nonNegative);
  }

  // A value that a DequantizeLinear gives has its grid already (S21).
  for (const v of [...values.keys()]) if (given(v)) values.delete(v);
  return { layers, stored, refused, values, operands };
}

const elementwiseInputs = (node: Node, data: readonly number[]): readonly string[] =>
  data.length === 0 || node.op === 'Sum' || node.op === 'Concat' ? node.inputs : data.map((k) => node.inputs[k] ?? '');
