/** Owns the gradients of Fourier transforms: linear, so that the gradient is the conjugate transform. */
import { text } from '../base/text.ts';
import { attr, intAttr } from '../ir/attribute.ts';
import { int64Tensor } from '../ir/values.ts';
import type { GradientContext, GradientRule } from './declare.ts';
import { numbersOf } from './fold.ts';
import { dataOnly, mul, part, refuse, reshapeTo, times, xShape, yShape } from './gradient-rule.ts';
import { axisAt } from './rule.ts';

const number = (c: GradientContext, v: number): string => c.constant(int64Tensor('number', [], [v]));

/** A DFT over one axis, wherever the version keeps the axis (attribute to 19, input from 20). */
function transform(c: GradientContext, x: string, axis: number, inverse: boolean, onesided: boolean): string {
  const settings = [attr.int('inverse', inverse ? 1 : 0), attr.int('onesided', onesided ? 1 : 0)];
  return c.opset >= 20
    ? c.one('DFT', [x, '', number(c, axis)], settings)
    : c.one('DFT', [x], [...settings, attr.int('axis', axis)]);
}

/** Zeros added or the end cut off, so that the axis has this size. */
function fitted(c: GradientContext, value: string, dims: readonly number[], axis: number, size: number): string {
  const now = dims[axis] ?? 1;
  if (now === size) return value;
  if (now > size) return part(c, value, axis, 0, size);
  return c.one('Pad', [value, c.ints([...dims.map(() => 0), ...dims.map((_, i) => (i === axis ? size - now : 0))])]);
}

/** x: [.., n, .., 1 or 2]; real inputs take the real part. */
export const dftGradient: GradientRule = dataOnly((c, dy) => {
  const [x, y] = [xShape(c), yShape(c)];
  const onesided = intAttr(c.node, 'onesided', 0) === 1;
  const inverse = intAttr(c.node, 'inverse', 0) === 1;
  if (inverse && onesided)
    return refuse(c, text('a one-sided inverse is not followed', '한쪽 역변환은 다루지 않습니다'));
  const given = c.version < 20 ? intAttr(c.node, 'axis', 1) : (numbersOf(c.inputs[2])?.[0] ?? -2);
  const axis = axisAt(given, x.length);
  const length = (c.node.inputs[1] ?? '') === '' ? x[axis] : numbersOf(c.inputs[1])?.[0];
  if (length === undefined)
    return refuse(c, text('its length is not known before it runs', '길이를 실행 전에는 알 수 없습니다'));
  const full = fitted(c, dy, y, axis, length);
  // The runtime's inverse divides by the length.
  const back = times(c, transform(c, full, axis, !inverse, false), inverse ? 1 / length : length);
  const wide = y.map((d, i) => (i === axis ? length : d));
  const same = fitted(c, back, wide, axis, x[axis] ?? length);
  return x.at(-1) === 1 ? part(c, same, x.length - 1, 0, 1) : same;
});

/** signal [B, n, 1 or 2], step, window, frame length: frames, times the window, transformed. */
export const stftGradient: GradientRule = (c) =>
  c.through(() => {
    const [batch = 1, n = 1, parts = 1] = [...xShape(c), 1];
    const hop = numbersOf(c.inputs[1])?.[0];
    const windowed = (c.node.inputs[2] ?? '') !== '';
    const frame =
      (c.node.inputs[3] ?? '') === '' ? (windowed ? xShape(c, 2)[0] : undefined) : numbersOf(c.inputs[3])?.[0];
    if (hop === undefined || frame === undefined)
      return refuse(c, text('its frames are not known before it runs', '프레임을 실행 전에는 알 수 없습니다'));
    const count = Math.floor((n - frame) / hop) + 1;
    const places = Array.from({ length: count * frame }, (_, i) => Math.floor(i / frame) * hop + (i % frame));
    const signal = reshapeTo(c, c.x(0), [batch, n, parts]);
    const framed = reshapeTo(c, c.one('Gather', [signal, c.ints(places)], [attr.int('axis', 1)]), [
      batch,
      count,
      frame,
      parts,
    ]);
    const shaped = windowed ? mul(c, framed, reshapeTo(c, c.x(2), [frame, 1])) : framed;
    return [transform(c, shaped, 2, false, intAttr(c.node, 'onesided', 1) === 1)];
  });
