/** Owns the way back of Resize: 19 to 10, and to Upsample at 9. */
import { text } from '../../../base/text.ts';
import { attr, intAttr, stringAttr } from '../../../ir/attribute.ts';
import { type Adapt, type AdapterContext, type Adapters, changed, refuse } from '../context.ts';

const modeOf = (c: AdapterContext): string => stringAttr(c.node, 'mode', 'nearest');
const coordinates = (c: AdapterContext): string => stringAttr(c.node, 'coordinate_transformation_mode', 'half_pixel');

const symmetric: Adapt = (c) =>
  coordinates(c) === 'half_pixel_symmetric'
    ? refuse(c, text('its coordinates are half_pixel_symmetric', '좌표가 half_pixel_symmetric입니다'))
    : [c.node];

/** Resize 18 got antialias, axes and a policy for the aspect ratio. */
const plain: Adapt = (c) => {
  const { node } = c;
  if (intAttr(node, 'antialias', 0) !== 0)
    refuse(c, text('it smooths what it shrinks (antialias)', '줄이면서 부드럽게 합니다(antialias)'));
  if (node.attributes.some((a) => a.name === 'axes'))
    refuse(c, text('it names the axes that it resizes', '크기를 바꿀 축을 지정합니다'));
  if (stringAttr(node, 'keep_aspect_ratio_policy', 'stretch') !== 'stretch')
    refuse(c, text('it keeps the aspect ratio', '가로세로비를 지킵니다'));
  return [changed(node, { without: ['antialias', 'keep_aspect_ratio_policy'] })];
};

/** Resize 11 wants all its inputs; what is not used is empty. */
const allInputs: Adapt = (c) => {
  const [x = '', roi = '', scales = '', sizes = ''] = c.node.inputs;
  const empty = c.numbers('float', [], [0]);
  return [changed(c.node, { inputs: [x, roi || empty, scales || empty, sizes] })];
};

/** How often each axis is repeated or shrunk: from the scales, or from sizes where the input's shape is known. */
function scalesOf(c: AdapterContext): readonly number[] {
  const [x = '', , scales = '', sizes = ''] = c.node.inputs;
  const given = c.known(scales);
  if (given !== undefined && given.length > 0) return given;
  const wanted = c.content(sizes);
  const shape = c.shape(x);
  if (wanted === undefined || shape === null)
    refuse(c, text('its scales are computed when it runs', '배율이 실행할 때 계산됩니다'));
  return wanted.map((size, k) => {
    const from = shape[k] ?? null;
    if (typeof size === 'number' && typeof from === 'number') return size / from;
    return size !== null && size === from
      ? 1
      : refuse(c, text('its scales depend on a size that is not known', '배율이 알 수 없는 크기에 달려 있습니다'));
  });
}

/** Whether nearest takes floor(x / scale) for these scales, all at least 1 (half a pixel and rounding meet it for integers). */
function takesFloor(c: AdapterContext, scales: readonly number[]): boolean {
  const rounding = stringAttr(c.node, 'nearest_mode', 'round_prefer_floor');
  const whole = scales.every((s) => Number.isInteger(s));
  switch (coordinates(c)) {
    case 'asymmetric':
      return rounding === 'floor' || (rounding === 'round_prefer_floor' && scales.every((s) => s === 1 || s === 2));
    case 'half_pixel':
    case 'pytorch_half_pixel':
      return whole && rounding.startsWith('round_prefer');
    default:
      return false;
  }
}

/** Resize 10 samples at x / scale, nearest rounds down when it enlarges and up when it shrinks, as the runtime has it. */
const scalesOnly: Adapt = (c) => {
  const { node } = c;
  const mode = modeOf(c);
  if (mode === 'cubic') refuse(c, text('its mode is cubic', '방식이 cubic입니다'));
  if (mode === 'linear' && coordinates(c) !== 'asymmetric')
    refuse(c, text(`it samples at ${coordinates(c)} coordinates`, `${coordinates(c)} 좌표로 샘플링합니다`));
  const scales = scalesOf(c);
  if (mode === 'nearest' && !scales.every((s) => s === 1)) {
    const grows = scales.every((s) => s >= 1);
    const shrinks = scales.every((s) => s <= 1);
    const ceil = coordinates(c) === 'asymmetric' && stringAttr(node, 'nearest_mode', 'round_prefer_floor') === 'ceil';
    if (!(grows ? takesFloor(c, scales) : shrinks && ceil))
      refuse(
        c,
        text(
          `it samples at ${coordinates(c)} coordinates and rounds otherwise`,
          `${coordinates(c)} 좌표로 샘플링하고 반올림이 다릅니다`,
        ),
      );
  }
  const keep = node.attributes.filter((a) => a.name === 'mode');
  const input = c.numbers('float', scales, [scales.length]);
  return [{ ...changed(node, { inputs: [node.inputs[0] ?? '', input] }), attributes: keep }];
};

/** Upsample 9 only enlarges. */
const upsample: Adapt = (c) => {
  const scales = c.known(c.node.inputs[1] ?? '');
  if (scales === undefined) refuse(c, text('its scales are computed when it runs', '배율이 실행할 때 계산됩니다'));
  if (scales.some((s) => s < 1)) refuse(c, text('it shrinks', '줄입니다'));
  return [changed(c.node, { op: 'Upsample', add: [attr.string('mode', modeOf(c))] })];
};

export const resizeAdapters: Adapters = {
  Resize: { 10: upsample, 11: scalesOnly, 13: allInputs, 18: plain, 19: symmetric },
};
