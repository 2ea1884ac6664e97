/** Owns the way back for operators whose meaning or default changed while their attributes look the same. */
import { text } from '../../../base/text.ts';
import { attr, attribute, attributeOf, intAttr, stringAttr, utf8Bytes } from '../../../ir/attribute.ts';
import type { Node } from '../../../ir/model.ts';
import { int64Tensor, numbersTensor } from '../../../ir/values.ts';
import type { Scalar } from '../../../ops/declare.ts';
import { type Adapt, type Adapters, changed, refuse } from '../context.ts';
import { fromFront, rankOf } from './inputs-to-attributes.ts';
import { resizeAdapters } from './resize.ts';

/**
 * Softmax, LogSoftmax, Hardmax before 13 work along everything from the axis on: the same where the axis is the last or all
 * behind it are 1; else the axis is brought to the end and back.
 */
const oneAxis: Adapt = (c) => {
  const { node } = c;
  const [x = ''] = node.inputs;
  const shape = c.shape(x) ?? c.shape(node.outputs[0] ?? '');
  const given = intAttr(node, 'axis', -1);
  if (shape === null) {
    if (given === -1) return [changed(node, { add: [attr.int('axis', -1)] })];
    refuse(c, text('the rank of its input is not known', '입력의 랭크를 알 수 없습니다'));
  }
  const axis = given < 0 ? given + shape.length : given;
  if (shape.slice(axis + 1).every((d) => d === 1)) return [changed(node, { add: [attr.int('axis', axis)] })];
  const last = shape.length - 1;
  const perm = shape.map((_, i) => (i === axis ? last : i === last ? axis : i));
  const out: Node[] = [];
  const moved = c.emit(out, 'Transpose', [x], [attr.ints('perm', perm)]);
  const result = c.emit(out, node.op, [moved], [attr.int('axis', last)]);
  return [...out, { ...node, op: 'Transpose', inputs: [result], attributes: [attr.ints('perm', perm)] }];
};

/** An axis from the end came with 11. */
const frontAxis: Adapt = (c) => {
  const { node } = c;
  const axis = intAttr(node, 'axis');
  if (axis === undefined || axis >= 0) return [node];
  const [front = axis] = fromFront(c, [axis], rankOf(c, node.inputs[0] ?? ''));
  return [changed(node, { add: [attr.int('axis', front)] })];
};

/** Gather 11 may also count indices from the end. */
const gatherFront: Adapt = (c) => {
  const indices = c.node.inputs[1] ?? '';
  if (c.known(indices)?.some((i) => i < 0) !== true) return frontAxis(c);
  const shape = c.shape(c.node.inputs[0] ?? '');
  const axis = intAttr(c.node, 'axis', 0);
  const size = shape?.[axis < 0 ? axis + shape.length : axis];
  if (typeof size !== 'number')
    refuse(
      c,
      text(
        'an index is counted from the end of an axis whose size is not known',
        '크기를 모르는 축의 끝에서부터 인덱스를 셉니다',
      ),
    );
  const dims = (c.shape(indices) ?? []).map(Number);
  const positive = (c.known(indices) ?? []).map((i) => (i < 0 ? i + size : i));
  return frontAxis({ ...c, node: changed(c.node, { inputs: [c.node.inputs[0] ?? '', c.ints(positive, dims)] }) });
};

/** Before 14 the number of outputs told training from use. */
const batchNormUse: Adapt = (c) => {
  const { node } = c;
  if (intAttr(node, 'training_mode', 0) !== 0)
    refuse(c, text('it is in training form (training_mode = 1)', '학습 형태입니다(training_mode = 1)'));
  return [{ ...changed(node, { without: ['training_mode'] }), outputs: node.outputs.slice(0, 1) }];
};

/**
 * Reshape 14 may take a 0 as an empty axis; before, a 0 means the input's size there. Where no 0 stands the flag says nothing, nor
 * where a size that may be 0 is the input's own.
 */
const reshapeZero: Adapt = (c) => {
  const { node } = c;
  const [x = '', shape = ''] = node.inputs;
  const from = c.shape(x);
  const harmless = (d: Scalar, k: number): boolean => (typeof d === 'number' ? d !== 0 : d !== null && d === from?.[k]);
  if (intAttr(node, 'allowzero', 0) !== 0 && c.content(shape)?.every(harmless) !== true)
    refuse(c, text('its zeros mean empty axes (allowzero)', '0이 빈 축을 뜻합니다(allowzero)'));
  return [changed(node, { without: ['allowzero'] })];
};

/** Shape 15 may give a part: the whole, then a Slice. */
const shapePart: Adapt = (c) => {
  const { node } = c;
  const start = intAttr(node, 'start', 0);
  const end = intAttr(node, 'end');
  if (start === 0 && end === undefined) return [changed(node, { without: ['start'] })];
  const out: Node[] = [];
  const whole = c.emit(out, 'Shape', node.inputs);
  const inputs = [whole, c.ints([start]), c.ints([end ?? 2n ** 63n - 1n]), c.ints([0])];
  return [...out, { ...node, op: 'Slice', inputs, attributes: [] }];
};

/** Constant 12 may hold plain numbers: a tensor holds them as well. */
const constantTensor: Adapt = (c) => {
  const { node } = c;
  const [given] = node.attributes;
  const as = (tensor: ReturnType<typeof int64Tensor>): readonly Node[] => [
    { ...node, attributes: [attr.tensor('value', tensor)] },
  ];
  switch (given?.name) {
    case 'value_int':
      return as(
        int64Tensor('', [], attributeOf(node, 'value_int', 'int') === undefined ? [] : [intAttr(node, 'value_int', 0)]),
      );
    case 'value_ints': {
      const values = attributeOf(node, 'value_ints', 'ints') ?? [];
      return as(int64Tensor('', [values.length], values));
    }
    case 'value_float':
      return as(numbersTensor('', 'float', [], [attributeOf(node, 'value_float', 'float') ?? 0]));
    case 'value_floats': {
      const values = attributeOf(node, 'value_floats', 'floats') ?? [];
      return as(numbersTensor('', 'float', [values.length], values));
    }
    case 'value_string':
    case 'value_strings':
      return refuse(c, text('it holds text', '문자열을 담고 있습니다'));
    default:
      return [node];
  }
};

const denseConstant: Adapt = (c) =>
  attribute(c.node, 'sparse_value') === undefined
    ? [c.node]
    : refuse(c, text('its value is sparse', '값이 희소합니다'));

/** One scale and zero point for the whole tensor, until 13. */
const perTensor: Adapt = (c) => {
  const scale = c.shape(c.node.inputs[1] ?? '');
  const one = scale?.every((d) => d === 1) === true;
  return one
    ? [changed(c.node, { without: ['axis'] })]
    : refuse(c, text('its scale is per channel', '스케일이 채널마다 다릅니다'));
};

/** Pow 12 lets the exponent have a type of its own. */
const powTypes: Adapt = (c) => {
  const { node } = c;
  const [x = '', y = ''] = node.inputs;
  const [base, exponent] = [c.elem(x), c.elem(y)];
  if (base === exponent || base === null || exponent === null) return [node];
  const numbers = c.known(y);
  if (numbers === undefined)
    refuse(c, text(`its exponent is ${exponent} and its base ${base}`, `지수는 ${exponent}, 밑은 ${base}입니다`));
  return [changed(node, { inputs: [x, c.numbers(base, numbers, (c.shape(y) ?? []).map(Number))] })];
};

const renamed =
  (op: string): Adapt =>
  (c) => [changed(c.node, { op })];

/** RoiAlign 16 moved the coordinates' default by half a pixel; before, there was only the other. */
const roiAlign: Adapt = (c) =>
  stringAttr(c.node, 'coordinate_transformation_mode', 'half_pixel') === 'output_half_pixel'
    ? [changed(c.node, { without: ['coordinate_transformation_mode'] })]
    : refuse(c, text('its coordinates are moved by half a pixel', '좌표가 반 픽셀 밀려 있습니다'));

/** GridSample 20 renamed its modes and took volumes. */
const gridSample: Adapt = (c) => {
  const { node } = c;
  if (rankOf(c, node.inputs[0] ?? '') !== 4)
    refuse(c, text('its input is not known to be [N, C, H, W]', '입력이 [N, C, H, W]인지 알 수 없습니다'));
  const mode = stringAttr(node, 'mode', 'linear');
  const old = mode === 'linear' ? 'bilinear' : mode === 'cubic' ? 'bicubic' : mode;
  return [changed(node, { add: [{ name: 'mode', kind: 'string', value: utf8Bytes(old) }] })];
};

/** Before 11 both branches give outputs of one rank. */
const oneRank: Adapt = (c) => {
  const branches = ['then_branch', 'else_branch'].map((name) => attributeOf(c.node, name, 'graph')?.outputs ?? []);
  const ranks = branches.map((outputs) =>
    outputs.map(({ type }) => (type.kind === 'tensor' && type.shape !== null ? type.shape.length : '?')).join(),
  );
  if (ranks[0] !== ranks[1] || ranks[0]?.includes('?'))
    refuse(c, text('its branches are not known to give one rank', '갈래들이 같은 랭크를 내는지 알 수 없습니다'));
  return [c.node];
};

const refusedFor =
  (why: string): Adapt =>
  (c) =>
    refuse(c, why);

export const meaningAdaptersBack: Adapters = {
  Softmax: { 11: frontAxis, 13: oneAxis },
  LogSoftmax: { 11: frontAxis, 13: oneAxis },
  Hardmax: { 11: frontAxis, 13: oneAxis },
  ...Object.fromEntries(
    ['Concat', 'Flatten', 'ArgMax', 'ArgMin', 'Compress', 'Split'].map((op) => [op, { 11: frontAxis }]),
  ),
  Gather: { 11: gatherFront },
  BatchNormalization: { 14: batchNormUse },
  Reshape: { 14: reshapeZero },
  Shape: { 15: shapePart },
  Constant: { 11: denseConstant, 12: constantTensor },
  QuantizeLinear: { 13: perTensor },
  DequantizeLinear: { 13: perTensor },
  Pow: { 12: powTypes },
  ScatterElements: { 11: renamed('Scatter') },
  RoiAlign: { 16: roiAlign },
  GridSample: { 20: gridSample },
  ...resizeAdapters,
  If: { 11: oneRank },
  Scan: { 9: refusedFor('Scan 8 works on batches with lengths') },
  OptionalHasElement: { 18: refusedFor('before 18 it takes no tensor') },
  OptionalGetElement: { 18: refusedFor('before 18 it takes no tensor') },
};
