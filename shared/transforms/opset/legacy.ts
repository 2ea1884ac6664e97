/** Owns adapters for opset 1 to 6 (broadcast attributes, consumed inputs ...) and for operators that never left the trial stage. */
import { text } from '../../base/text.ts';
import { attr, attributeOf, floatAttr, intAttr, intsAttr, stringAttr } from '../../ir/attribute.ts';
import { elementTypes } from '../../ir/element-type.ts';
import type { Node } from '../../ir/model.ts';
import { type Adapt, type Adapters, changed, elemOr, refuse } from './context.ts';

const without =
  (...names: readonly string[]): Adapt =>
  (c) => [changed(c.node, { without: names })];

/** Before 7, B was laid along A from `axis` on; since then shapes are aligned at the end. */
const broadcast: Adapt = (c) => {
  const { node } = c;
  const [a = '', b = ''] = node.inputs;
  const axis = intAttr(node, 'axis');
  const plain = changed(node, { without: ['broadcast', 'axis', 'consumed_inputs'] });
  if (intAttr(node, 'broadcast', 0) === 0 || axis === undefined) return [plain];
  const aRank = c.shape(a)?.length;
  const bRank = c.shape(b)?.length;
  if (aRank === undefined || bRank === undefined)
    refuse(
      c,
      text('the ranks that its broadcast speaks of are not known', '브로드캐스트에 나오는 랭크를 알 수 없습니다'),
    );
  const missing = aRank - (axis < 0 ? axis + aRank : axis) - bRank;
  if (missing <= 0) return [plain];
  const out: Node[] = [];
  const axes = Array.from({ length: missing }, (_, i) => bRank + i);
  const wide = c.emit(out, 'Unsqueeze', [b], [attr.ints('axes', axes)]);
  return [...out, { ...plain, inputs: [a, wide] }];
};

/** PRelu 7: the slope broadcasts from the end; before, a slope [C] meant axis 1. */
const slope: Adapt = (c) => {
  const { node } = c;
  const [x = '', s = ''] = node.inputs;
  const xRank = c.shape(x)?.length;
  const size = c.shape(s);
  const plain = changed(node, { without: ['consumed_inputs'] });
  if (size?.length !== 1 || size[0] === 1) return [plain];
  if (xRank === undefined) refuse(c, text('the rank of its input is not known', '입력의 랭크를 알 수 없습니다'));
  if (xRank <= 2) return [plain];
  const out: Node[] = [];
  const axes = Array.from({ length: xRank - 2 }, (_, i) => i + 1);
  const wide = c.emit(out, 'Unsqueeze', [s], [attr.ints('axes', axes)]);
  return [...out, { ...plain, inputs: [x, wide] }];
};

const inference: Adapt = (c) => {
  if (intAttr(c.node, 'is_test', 0) === 0)
    refuse(c, text('it is in training form (is_test = 0)', '학습 형태입니다(is_test = 0)'));
  return [changed(c.node, { without: ['is_test', 'consumed_inputs'] })];
};

const reshapeInput: Adapt = (c) => {
  const shape = attributeOf(c.node, 'shape', 'ints');
  if (shape === undefined) return [c.node];
  return [changed(c.node, { without: ['shape', 'consumed_inputs'], inputs: [c.node.inputs[0] ?? '', c.ints(shape)] })];
};

const castCode: Adapt = (c) => {
  const to = c.node.attributes.find((a) => a.name === 'to');
  if (to?.kind !== 'string') return [c.node];
  const name = stringAttr(c.node, 'to', '').toLowerCase();
  const info = Object.entries(elementTypes).find(([n]) => n === name)?.[1];
  if (info === undefined) refuse(c, text(`the type ${name} is not known`, `형식 ${name}을(를) 알 수 없습니다`));
  return [changed(c.node, { add: [attr.int('to', info.code)] })];
};

const padNames: Adapt = (c) => {
  const pads = intsAttr(c.node, 'paddings');
  return [pads === undefined ? c.node : changed(c.node, { without: ['paddings'], add: [attr.ints('pads', pads)] })];
};

const upsampleScales: Adapt = (c) => {
  if (c.node.attributes.some((a) => a.name === 'scales')) return [c.node];
  const scales = [1, 1, floatAttr(c.node, 'height_scale', 1), floatAttr(c.node, 'width_scale', 1)];
  return [changed(c.node, { without: ['height_scale', 'width_scale'], add: [attr.floats('scales', scales)] })];
};

const defaultAxis =
  (axis: number): Adapt =>
  (c) => [
    c.node.attributes.some((a) => a.name === 'axis') ? c.node : changed(c.node, { add: [attr.int('axis', axis)] }),
  ];

/** ImageScaler: scale * x + bias[c], x [N, C, H, W]. */
const imageScaler: Adapt = (c) => {
  const { node } = c;
  const x = node.inputs[0] ?? '';
  const bias = attributeOf(node, 'bias', 'floats') ?? [];
  const out: Node[] = [];
  const elem = elemOr(c, x);
  const scaled = c.emit(out, 'Mul', [x, c.numbers(elem, [floatAttr(node, 'scale', 1)], [])]);
  const shift = c.numbers(elem, bias, [bias.length, 1, 1]);
  return [...out, { ...node, op: 'Add', inputs: [scaled, shift], attributes: [] }];
};

/** Crop: border [left, top, right, bottom] cut away, or `scale` [height, width] kept from the upper left border on. */
const crop: Adapt = (c) => {
  const { node } = c;
  const [left = 0, top = 0, right = 0, bottom = 0] = intsAttr(node, 'border') ?? [];
  const size = intsAttr(node, 'scale');
  const end = (border: number): number => (border === 0 ? 2 ** 31 - 1 : -border);
  const ends = size === undefined ? [end(bottom), end(right)] : [top + (size[0] ?? 0), left + (size[1] ?? 0)];
  const inputs = [node.inputs[0] ?? '', c.ints([top, left]), c.ints(ends), c.ints([2, 3])];
  return [{ ...node, op: 'Slice', inputs, attributes: [] }];
};

/** Affine: alpha * x + beta. ScaledTanh: alpha * tanh(beta * x). ParametricSoftplus: alpha * ln(exp(beta * x) + 1). */
const affine: Adapt = (c) => {
  const { node } = c;
  const x = node.inputs[0] ?? '';
  const elem = elemOr(c, x);
  const alpha = c.numbers(elem, [floatAttr(node, 'alpha', 1)], []);
  const beta = c.numbers(elem, [floatAttr(node, 'beta', node.op === 'Affine' ? 0 : 1)], []);
  const out: Node[] = [];
  if (node.op === 'Affine') {
    const scaled = c.emit(out, 'Mul', [x, alpha]);
    return [...out, { ...node, op: 'Add', inputs: [scaled, beta], attributes: [] }];
  }
  const inner = c.emit(out, node.op === 'ScaledTanh' ? 'Tanh' : 'Softplus', [c.emit(out, 'Mul', [x, beta])]);
  return [...out, { ...node, op: 'Mul', inputs: [inner, alpha], attributes: [] }];
};

/** Arithmetic and comparisons that carried `broadcast` and `axis`. */
const arithmetic = ['Add', 'Sub', 'Mul', 'Div', 'Pow', 'And', 'Or', 'Xor', 'Greater', 'Less', 'Equal'];
/** Operators whose only change up to 6 was that memory hint. */
const consumed = [
  ...['Abs', 'Ceil', 'Clip', 'Elu', 'Exp', 'Floor', 'HardSigmoid', 'InstanceNormalization', 'LeakyRelu', 'Log', 'Max'],
  ...['Mean', 'Min', 'Neg', 'Reciprocal', 'Relu', 'Selu', 'Sigmoid', 'Sqrt', 'Sum', 'Tanh'],
];

export const legacyAdapters: Adapters = {
  ...Object.fromEntries(consumed.map((op) => [op, { 6: without('consumed_inputs') }])),
  ...Object.fromEntries(arithmetic.map((op) => [op, { 7: broadcast }])),
  PRelu: { 7: slope },
  Gemm: { 7: without('broadcast') },
  BatchNormalization: { 7: inference },
  Dropout: { 7: inference },
  Reshape: { 5: reshapeInput },
  Cast: { 6: castCode },
  Concat: { 4: defaultAxis(1) },
  Pad: { 2: padNames },
  Upsample: { 7: upsampleScales },
  ...Object.fromEntries(['RNN', 'LSTM', 'GRU'].map((op) => [op, { 7: without('output_sequence') }])),
  ImageScaler: { 10: imageScaler },
  Crop: { 10: crop },
  Affine: { 10: affine },
  ScaledTanh: { 10: affine },
  ParametricSoftplus: { 10: affine },
};
