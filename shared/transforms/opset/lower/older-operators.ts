/** Owns operators that a lower opset does not have, written with those it has (the functions of onnx/defs, or an equal one). */
import { text } from '../../../base/text.ts';
import { attr, floatAttr, intAttr, stringAttr } from '../../../ir/attribute.ts';
import { elementTypes } from '../../../ir/element-type.ts';
import type { Node } from '../../../ir/model.ts';
import { type Adapt, type AdapterContext, type Adapters, elemOr, refuse } from '../context.ts';
import { fromFront, rankOf } from './inputs-to-attributes.ts';

/** The last node gives the outputs that the replaced one gave. */
const ending = (c: AdapterContext, before: readonly Node[], op: string, inputs: readonly string[]): readonly Node[] => [
  ...before,
  { ...c.node, op, inputs, outputs: c.node.outputs.slice(0, 1), attributes: [] },
];

/** x * HardSigmoid(x) with alpha 1/6 and beta 1/2. */
const hardSwish: Adapt = (c) => {
  const [x = ''] = c.node.inputs;
  const out: Node[] = [];
  const gate = c.emit(out, 'HardSigmoid', [x], [attr.float('alpha', 1 / 6), attr.float('beta', 0.5)]);
  return ending(c, out, 'Mul', [x, gate]);
};

/** x * tanh(softplus(x)). */
const mish: Adapt = (c) => {
  const [x = ''] = c.node.inputs;
  const out: Node[] = [];
  return ending(c, out, 'Mul', [x, c.emit(out, 'Tanh', [c.emit(out, 'Softplus', [x])])]);
};

/** x * sigmoid(alpha x). */
const swish: Adapt = (c) => {
  const [x = ''] = c.node.inputs;
  const out: Node[] = [];
  const alpha = floatAttr(c.node, 'alpha', 1);
  const scaled = alpha === 1 ? x : c.emit(out, 'Mul', [x, c.numbers(elemOr(c, x), [alpha], [])]);
  return ending(c, out, 'Mul', [x, c.emit(out, 'Sigmoid', [scaled])]);
};

/** x / 2 * (1 + erf(x / sqrt 2)), or the form with tanh. */
const gelu: Adapt = (c) => {
  const [x = ''] = c.node.inputs;
  const out: Node[] = [];
  const elem = elemOr(c, x);
  const number = (v: number): string => c.numbers(elem, [v], []);
  const times = (a: string, b: string): string => c.emit(out, 'Mul', [a, b]);
  const inner = (): string => {
    if (stringAttr(c.node, 'approximate', 'none') !== 'tanh')
      return c.emit(out, 'Erf', [times(x, number(Math.SQRT1_2))]);
    const cube = times(times(x, times(x, x)), number(0.044715));
    return c.emit(out, 'Tanh', [times(c.emit(out, 'Add', [x, cube]), number(Math.sqrt(2 / Math.PI)))]);
  };
  const half = times(x, number(0.5));
  return ending(c, out, 'Mul', [half, c.emit(out, 'Add', [inner(), number(1)])]);
};

/** alpha * Elu(x / alpha) for alpha > 0: x above 0, alpha (exp(x / alpha) - 1) below. */
const celu: Adapt = (c) => {
  const [x = ''] = c.node.inputs;
  const alpha = c.numbers(elemOr(c, x), [floatAttr(c.node, 'alpha', 1)], []);
  const out: Node[] = [];
  return ending(c, out, 'Mul', [c.emit(out, 'Elu', [c.emit(out, 'Div', [x, alpha])]), alpha]);
};

const orEqual =
  (strict: 'Greater' | 'Less'): Adapt =>
  (c) => {
    const out: Node[] = [];
    const { inputs } = c.node;
    return ending(c, out, 'Or', [c.emit(out, strict, inputs), c.emit(out, 'Equal', inputs)]);
  };

/** Axes from `axis` to the last; reductions keep them. */
function normalised(c: AdapterContext): readonly number[] {
  const rank =
    rankOf(c, c.node.inputs[0] ?? '') ??
    refuse(c, text('the rank of its input is not known', '입력의 랭크를 알 수 없습니다'));
  const [axis = rank - 1] = fromFront(c, [intAttr(c.node, 'axis', -1)], rank);
  return Array.from({ length: rank - axis }, (_, k) => axis + k);
}

/** Mean over axes, at the opset that the node is brought to: ReduceMean's axes became an input with 18. */
const meanOver = (c: AdapterContext, out: Node[], x: string, axes: readonly number[]): string =>
  c.version >= 18
    ? c.emit(out, 'ReduceMean', [x, c.ints(axes)])
    : c.emit(out, 'ReduceMean', [x], [attr.ints('axes', axes)]);

/** value / sqrt(mean(value^2) + epsilon), times scale, plus bias. */
function scaledToUnit(c: AdapterContext, out: Node[], value: string, axes: readonly number[]): readonly Node[] {
  const [x = '', scale = '', bias = ''] = c.node.inputs;
  const square = meanOver(c, out, c.emit(out, 'Mul', [value, value]), axes);
  const epsilon = c.numbers(elemOr(c, x), [floatAttr(c.node, 'epsilon', 1e-5)], []);
  const deviation = c.emit(out, 'Sqrt', [c.emit(out, 'Add', [square, epsilon])]);
  const unit = c.emit(out, 'Div', [value, deviation]);
  if (bias === '') return ending(c, out, 'Mul', [unit, scale]);
  return ending(c, out, 'Add', [c.emit(out, 'Mul', [unit, scale]), bias]);
}

const inOwnType = (c: AdapterContext): void => {
  const elem = elemOr(c, c.node.inputs[0] ?? '');
  if (elem !== 'float' && intAttr(c.node, 'stash_type', 1) === 1)
    refuse(c, text(`it normalises ${elem} in float`, `${elem}을(를) 실수로 정규화합니다`));
};

const layerNorm: Adapt = (c) => {
  if (c.node.outputs.slice(1).some((o) => o !== '' && c.isRead(o)))
    refuse(c, text('its mean or deviation is read', '평균이나 편차를 읽는 곳이 있습니다'));
  inOwnType(c);
  const [x = ''] = c.node.inputs;
  const axes = normalised(c);
  const out: Node[] = [];
  const centred = c.emit(out, 'Sub', [x, meanOver(c, out, x, axes)]);
  return scaledToUnit(c, out, centred, axes);
};

const rmsNorm: Adapt = (c) => {
  inOwnType(c);
  return scaledToUnit(c, [], c.node.inputs[0] ?? '', normalised(c));
};

/**
 * x: [N, C, ...] as [N, G, rest] through InstanceNormalization, and back. GroupNormalization 18 has scale and bias per group [G],
 * which are that operator's own; 21 has them per channel [C].
 */
function grouped(c: AdapterContext, perChannel: boolean): readonly Node[] {
  const { node } = c;
  const [x = '', scale = '', bias = ''] = node.inputs;
  const groups = intAttr(node, 'num_groups') ?? refuse(c, text('it has no num_groups', 'num_groups가 없습니다'));
  if (perChannel) inOwnType(c);
  const elem = elemOr(c, x);
  const out: Node[] = [];
  const all = (v: number): string => c.numbers(elem, new Array<number>(groups).fill(v), [groups]);
  const flat = c.emit(out, 'Reshape', [x, c.ints([0, groups, -1])]);
  const epsilon = [attr.float('epsilon', floatAttr(node, 'epsilon', 1e-5))];
  const inputs = perChannel ? [flat, all(1), all(0)] : [flat, scale, bias];
  const normal = c.emit(out, 'InstanceNormalization', inputs, epsilon);
  const shape = c.emit(out, 'Shape', [x]);
  if (!perChannel) return ending(c, out, 'Reshape', [normal, shape]);
  const rank = rankOf(c, x) ?? refuse(c, text('the rank of its input is not known', '입력의 랭크를 알 수 없습니다'));
  const wide = (v: string): string => c.emit(out, 'Reshape', [v, c.ints([-1, ...new Array<number>(rank - 2).fill(1)])]);
  const scaled = c.emit(out, 'Mul', [c.emit(out, 'Reshape', [normal, shape]), wide(scale)]);
  return ending(c, out, 'Add', [scaled, wide(bias)]);
}

/** CastLike is a Cast to a type that is known. */
const castLike: Adapt = (c) => {
  const elem =
    c.elem(c.node.inputs[1] ?? '') ??
    refuse(c, text('the type that it casts to is not known', '바꿀 형식을 알 수 없습니다'));
  return [
    { ...c.node, op: 'Cast', inputs: c.node.inputs.slice(0, 1), attributes: [attr.int('to', elementTypes[elem].code)] },
  ];
};

/** Before 8, Sum, Mean, Max and Min take inputs of one shape only; a Sum is also a chain of Adds, which broadcast. */
const oneShape: Adapt = (c) => {
  const { node } = c;
  const shapes = node.inputs.map((i) => c.shape(i));
  const told = shapes.map((s) => s?.join() ?? '?');
  const alike = shapes.every((s) => s?.every((d) => typeof d === 'number')) && new Set(told).size === 1;
  if (alike || node.inputs.length === 1) return [node];
  if (node.op !== 'Sum')
    refuse(c, text('its inputs are not known to have one shape', '입력의 형상이 하나인지 알 수 없습니다'));
  const out: Node[] = [];
  let sum = node.inputs[0] ?? '';
  for (const next of node.inputs.slice(1, -1)) sum = c.emit(out, 'Add', [sum, next]);
  return ending(c, out, 'Add', [sum, node.inputs.at(-1) ?? '']);
};

/** By operator and the opset that it came with, or that changed what it takes. */
export const olderOperators: Adapters = {
  HardSwish: { 14: hardSwish },
  Mish: { 18: mish },
  Swish: { 24: swish },
  Gelu: { 20: gelu },
  Celu: { 12: celu },
  GreaterOrEqual: { 12: orEqual('Greater') },
  LessOrEqual: { 12: orEqual('Less') },
  LayerNormalization: { 17: layerNorm },
  RMSNormalization: { 23: rmsNorm },
  GroupNormalization: { 18: (c) => grouped(c, false), 21: (c) => grouped(c, true) },
  CastLike: { 15: castLike },
  ...Object.fromEntries(['Sum', 'Mean', 'Max', 'Min'].map((op) => [op, { 8: oneShape }])),
};
