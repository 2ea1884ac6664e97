/** Owns the gradients of spatial transformers (Jaderberg et al. 2015): sampling at a grid, and the grid of an affine map. */
import { text } from '../base/text.ts';
import { attr, intAttr, stringAttr } from '../ir/attribute.ts';
import type { GradientContext, GradientRule } from './declare.ts';
import {
  add,
  dataOnly,
  flag,
  minus,
  mul,
  oneMinus,
  part,
  plus,
  refuse,
  reshapeTo,
  scalar,
  times,
  transposeBy,
  xShape,
} from './gradient-rule.ts';

/** Along one axis: the two neighbours of every place (whole numbers as float) and how much each counts. */
interface Neighbours {
  readonly at: readonly [string, string];
  readonly share: readonly [string, string];
}

/** Whole numbers without a slope: what a Floor's straight-through rule would give is not wanted here. */
const whole = (c: GradientContext, op: 'Floor' | 'Round', value: string): string =>
  c.one('Cast', [c.one('Cast', [c.one(op, [value])], [attr.int('to', 7)])], [attr.int('to', 1)]);

function neighbours(c: GradientContext, place: string, size: number, linear: boolean, zeros: boolean): Neighbours {
  const inside = (at: string, share: string): string =>
    zeros
      ? mul(c, share, mul(c, flag(c, 'Greater', at, scalar(c, -0.5)), flag(c, 'Less', at, scalar(c, size - 0.5))))
      : share;
  const low = whole(c, linear ? 'Floor' : 'Round', place);
  const high = plus(c, low, 1);
  const rest = linear ? minus(c, place, low) : times(c, low, 0);
  return { at: [low, high], share: [inside(low, oneMinus(c, rest)), inside(high, rest)] };
}

/** x: [N, C, H, W]; grid: [N, H', W', 2], (x, y) in -1..1. */
export const gridSampleGradient: GradientRule = (c) => {
  const mode = stringAttr(c.node, 'mode', 'linear');
  const padding = stringAttr(c.node, 'padding_mode', 'zeros');
  if (mode.endsWith('cubic') || padding === 'reflection')
    return refuse(
      c,
      text(
        `its ${mode} mode with ${padding} is not followed`,
        `${mode} 방식과 ${padding} 패딩의 조합은 다루지 않습니다`,
      ),
    );
  const [n = 1, channels = 1, height = 1, width = 1, more] = xShape(c);
  if (more !== undefined) return refuse(c, text('it samples in three dimensions', '3차원으로 샘플링합니다'));
  const [, high = 1, wide = 1] = xShape(c, 1);
  const points = high * wide;
  const aligned = intAttr(c.node, 'align_corners', 0) === 1;
  return c.through(() => {
    const grid = reshapeTo(c, c.x(1), [n, points, 2]);
    const along = (k: number, size: number): Neighbours => {
      const g = plus(c, reshapeTo(c, part(c, grid, 2, k, k + 1), [n, 1, points]), 1);
      const free = aligned ? times(c, g, (size - 1) / 2) : times(c, plus(c, times(c, g, size), -1), 0.5);
      const place = padding === 'border' ? c.one('Clip', [free, scalar(c, 0), scalar(c, size - 1)]) : free;
      return neighbours(c, place, size, !mode.startsWith('nearest'), padding === 'zeros');
    };
    const [xs, ys] = [along(0, width), along(1, height)];
    const flat = reshapeTo(c, c.x(0), [n, channels, height * width]);
    const within = (at: string, size: number): string => c.one('Clip', [at, scalar(c, 0), scalar(c, size - 1)]);
    const corner = (i: 0 | 1, j: 0 | 1): string => {
      const place = add(c, times(c, within(ys.at[i], height), width), within(xs.at[j], width));
      const index = c.one('Expand', [c.one('Cast', [place], [attr.int('to', 7)]), c.ints([n, channels, points])]);
      return mul(c, c.one('GatherElements', [flat, index], [attr.int('axis', 2)]), mul(c, ys.share[i], xs.share[j]));
    };
    const sum = add(c, add(c, corner(0, 0), corner(0, 1)), add(c, corner(1, 0), corner(1, 1)));
    return [reshapeTo(c, sum, [n, channels, high, wide])];
  });
};

/** theta: [N, r, r + 1]; the grid is linear in it: its columns are the coordinates that an identity gives, and ones. */
export const affineGridGradient: GradientRule = dataOnly((c, dy) => {
  const [n = 1, rank = 2] = xShape(c);
  const size = c.inputs[1]?.content?.map(Number);
  if (size === undefined)
    return refuse(c, text('its size is not known before it runs', '크기를 실행 전에는 알 수 없습니다'));
  const points = size.slice(2).reduce((a, b) => a * b, 1);
  const identity = Array.from({ length: rank * (rank + 1) }, (_, i) => (i % (rank + 2) === 0 ? 1 : 0));
  const one = c.floats(identity, [1, rank, rank + 1]);
  const plain = c.one('AffineGrid', [one, c.ints([1, 1, ...size.slice(2)])], c.node.attributes);
  const ones = c.one('Expand', [scalar(c, 1), c.ints([points, 1])]);
  const base = c.one('Concat', [reshapeTo(c, plain, [points, rank]), ones], [attr.int('axis', 1)]);
  const turned = transposeBy(c, reshapeTo(c, dy, [n, points, rank]), [0, 2, 1]);
  return c.one('MatMul', [turned, base]);
});
