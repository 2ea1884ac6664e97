/** Owns adapters for operators whose meaning, default or name changed while their attributes look the same. */
import { text } from '../../base/text.ts';
import { attr, attributeOf, intAttr, stringAttr } from '../../ir/attribute.ts';
import type { Node } from '../../ir/model.ts';
import { toNumbers } from '../../ir/values.ts';
import { type Adapt, type Adapters, changed, refuse } from './context.ts';

/**
 * Softmax, LogSoftmax, Hardmax before 13 coerce x to [prod(dims before axis), prod(dims from axis)] and work along the
 * second; from 13 they work along one axis (default -1, before: 1). Where all dims behind the axis are 1 the two agree.
 */
const coercedAxis: Adapt = (c) => {
  const { node } = c;
  const x = node.inputs[0] ?? '';
  const given = intAttr(node, 'axis', 1);
  const shape = c.shape(x) ?? c.shape(node.outputs[0] ?? '');
  if (given === -1) return [changed(node, { add: [attr.int('axis', -1)] })];
  if (shape !== null) {
    const axis = given < 0 ? given + shape.length : given;
    if (axis < shape.length && shape.slice(axis + 1).every((d) => d === 1))
      return [changed(node, { add: [attr.int('axis', axis === shape.length - 1 ? -1 : axis)] })];
  }
  const before: Node[] = [];
  const dims = c.emit(before, 'Shape', [x]);
  const flat = c.emit(before, 'Flatten', [x], [attr.int('axis', given)]);
  const result = c.fresh(`${node.outputs[0] ?? 'softmax'}_2d`);
  const main = { ...changed(node, { inputs: [flat], add: [attr.int('axis', -1)] }), outputs: [result] };
  const after: Node[] = [];
  c.emit(after, 'Reshape', [result, dims]);
  const back = after.map((n) => ({ ...n, outputs: [node.outputs[0] ?? ''] }));
  return [...before, main, ...back];
};

/** Upsample 9 became Resize 10, both sampling at x / scale; on the way to 11 it waits, to be told from a Resize. */
const upsampleToResize: Adapt = (c) => (c.target > 10 ? [c.node] : [changed(c.node, { op: 'Resize' })]);

/** Resize 11 as Upsample and Resize 10 sampled: at x / scale. */
function asymmetric(node: Node, roi: string, rounding: 'floor' | 'ceil'): Node {
  const nearest = stringAttr(node, 'mode', 'nearest') === 'nearest';
  const add = [
    attr.string('mode', nearest ? 'nearest' : 'linear'),
    attr.string('coordinate_transformation_mode', 'asymmetric'),
    ...(nearest ? [attr.string('nearest_mode', rounding)] : []),
  ];
  const [x = '', scales = ''] = node.inputs;
  return changed(node, { op: 'Resize', inputs: [x, roi, scales], add });
}

/** Upsample only enlarges; nearest takes the floor. */
const upsampleModes: Adapt = (c) => [asymmetric(c.node, c.numbers('float', [], [0]), 'floor')];

/**
 * Resize 11 got roi, sizes and coordinate modes; Resize 10 samples at x / scale ("asymmetric"). Its nearest rounds down when it
 * enlarges and up when it shrinks, as the runtime has it (the specification is silent).
 */
const resizeModes: Adapt = (c) => {
  const { node } = c;
  let rounding: 'floor' | 'ceil' = 'floor';
  if (stringAttr(node, 'mode', 'nearest') === 'nearest') {
    const known = c.constant(node.inputs[1] ?? '');
    if (known === undefined)
      refuse(
        c,
        text(
          'how its nearest mode rounds depends on scales that are not known',
          'nearest 방식의 반올림이 알 수 없는 배율에 달려 있습니다',
        ),
      );
    const values = toNumbers(known);
    const shrinks = values.some((s) => s < 1);
    if (shrinks && values.some((s) => s > 1))
      refuse(
        c,
        text(
          'it shrinks one axis and enlarges another in nearest mode',
          'nearest 방식으로 한 축은 줄이고 다른 축은 늘립니다',
        ),
      );
    if (shrinks) rounding = 'ceil';
  }
  return [asymmetric(node, c.numbers('float', [], [0]), rounding)];
};

/** Resize 13 dropped tf_half_pixel_for_nn: floor((x + 0.5) / scale) is round_prefer_ceil of half_pixel's coordinate. */
const resizeHalfPixel: Adapt = (c) => {
  const mode = stringAttr(c.node, 'coordinate_transformation_mode', 'half_pixel');
  if (mode !== 'tf_half_pixel_for_nn') return [c.node];
  const rounding = stringAttr(c.node, 'nearest_mode', 'round_prefer_floor');
  if (stringAttr(c.node, 'mode', 'nearest') !== 'nearest' || rounding !== 'floor')
    refuse(
      c,
      text(
        `tf_half_pixel_for_nn with nearest_mode ${rounding} is gone`,
        `nearest_mode ${rounding}인 tf_half_pixel_for_nn은 없어졌습니다`,
      ),
    );
  const add = [
    attr.string('coordinate_transformation_mode', 'half_pixel'),
    attr.string('nearest_mode', 'round_prefer_ceil'),
  ];
  return [changed(c.node, { add })];
};

/** BatchNormalization 9 dropped spatial; with spatial=0 every element had parameters of its own: written out. */
const batchNormSpatial: Adapt = (c) => {
  const { node } = c;
  if (intAttr(node, 'spatial', 1) === 1) return [changed(node, { without: ['spatial'] })];
  if (node.outputs.slice(1).some((o) => o !== '' && c.isRead(o)))
    refuse(c, text('spatial=0 in training form', '학습 형태의 spatial=0입니다'));
  const [x = '', scale = '', bias = '', mean = '', variance = ''] = node.inputs;
  const epsilon = attributeOf(node, 'epsilon', 'float') ?? 1e-5;
  const out: Node[] = [];
  const sum = c.emit(out, 'Add', [variance, c.numbers('float', [epsilon], [])]);
  const factor = c.emit(out, 'Div', [scale, c.emit(out, 'Sqrt', [sum])]);
  const scaled = c.emit(out, 'Mul', [c.emit(out, 'Sub', [x, mean]), factor]);
  const last: Node = { ...node, op: 'Add', inputs: [scaled, bias], outputs: node.outputs.slice(0, 1), attributes: [] };
  return [...out, last];
};

/** BatchNormalization 14: more outputs than one meant training; now an attribute says so, and two saved outputs are gone. */
const batchNormTraining: Adapt = (c) => {
  const { node } = c;
  const extra = node.outputs.slice(1).filter((o) => o !== '');
  if (extra.length === 0) return [{ ...node, outputs: node.outputs.slice(0, 1) }];
  if (node.outputs.slice(3).some((o) => o !== '' && c.isRead(o)))
    refuse(c, text('its saved mean or variance is read', '저장된 평균이나 분산을 읽는 곳이 있습니다'));
  return [{ ...changed(node, { add: [attr.int('training_mode', 1)] }), outputs: node.outputs.slice(0, 3) }];
};

const renamed =
  (op: string): Adapt =>
  (c) => [changed(c.node, { op })];

/** RoiAlign 16: the coordinates' default moved by half a pixel. */
const roiAlign: Adapt = (c) =>
  c.node.attributes.some((a) => a.name === 'coordinate_transformation_mode')
    ? [c.node]
    : [changed(c.node, { add: [attr.string('coordinate_transformation_mode', 'output_half_pixel')] })];

/** GridSample 20: modes renamed. */
const gridSample: Adapt = (c) => {
  const mode = stringAttr(c.node, 'mode', 'bilinear');
  const now = mode === 'bilinear' ? 'linear' : mode === 'bicubic' ? 'cubic' : mode;
  return [changed(c.node, { add: [attr.string('mode', now)] })];
};

/** GroupNormalization 21: scale and bias are per channel [C], before per group [G]: each repeated C / G times. */
const groupNorm: Adapt = (c) => {
  const { node } = c;
  const [x = '', scale = '', bias = ''] = node.inputs;
  const groups = intAttr(node, 'num_groups');
  if (groups === undefined) refuse(c, text('it has no num_groups', 'num_groups가 없습니다'));
  const out: Node[] = [];
  const channels = c.emit(out, 'Shape', [x], [attr.int('start', 1), attr.int('end', 2)]);
  const each = c.emit(out, 'Div', [channels, c.ints([groups])]);
  const target = c.emit(out, 'Concat', [c.ints([groups]), each], [attr.int('axis', 0)]);
  const repeat = (v: string): string => {
    const column = c.emit(out, 'Reshape', [v, c.ints([groups, 1])]);
    return c.emit(out, 'Reshape', [c.emit(out, 'Expand', [column, target]), c.ints([-1])]);
  };
  const inputs = [x, repeat(scale), repeat(bias)];
  return [...out, changed(node, { inputs })];
};

const scanBatch: Adapt = (c) =>
  refuse(
    c,
    text(
      'Scan 8 works on batches with lengths, which Scan 9 has not',
      'Scan 8은 길이가 있는 배치를 다루는데 Scan 9에는 없습니다',
    ),
  );

export const meaningAdapters: Adapters = {
  Softmax: { 13: coercedAxis },
  LogSoftmax: { 13: coercedAxis },
  Hardmax: { 13: coercedAxis },
  Upsample: { 10: upsampleToResize, 11: upsampleModes },
  Resize: { 11: resizeModes, 13: resizeHalfPixel },
  BatchNormalization: { 9: batchNormSpatial, 14: batchNormTraining },
  Scatter: { 11: renamed('ScatterElements') },
  Scan: { 9: scanBatch },
  RoiAlign: { 16: roiAlign },
  GridSample: { 20: gridSample },
  GroupNormalization: { 21: groupNorm },
};
