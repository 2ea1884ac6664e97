/** Owns the gradients of operators that pick, place, repeat or reorder elements: each goes back to where it was read. */
import { text } from '../base/text.ts';
import { attr, intAttr, intsAttr, stringAttr } from '../ir/attribute.ts';
import type { GradientContext, GradientRule } from './declare.ts';
import {
  dataOnly,
  minus,
  product,
  refuse,
  reshapeTo,
  sumOver,
  transposeBy,
  withDy,
  xShape,
  yShape,
  zeros,
} from './gradient-rule.ts';
import { axisAt } from './rule.ts';
import { cutsOf, marginsOf, window } from './slice-bounds.ts';

const adds = attr.string('reduction', 'add');

/** A tensor of x's shape that holds each element's linear position: what the operator does to it says where y's came from. */
const positions = (c: GradientContext, dims: readonly number[]): string =>
  reshapeTo(
    c,
    c.one(
      'Range',
      [0, product(dims), 1].map((v) => c.one('Reshape', [c.ints([v]), c.ints([])])),
    ),
    dims,
  );

/** Sums dy at the linear positions `from` (int64, of y's shape) into zeros of `dims`. */
function scatterBack(c: GradientContext, dy: string, from: string, dims: readonly number[]): string {
  const flat = (value: string): string => reshapeTo(c, value, [-1]);
  const sum = c.one('ScatterElements', [zeros(c, [product(dims)]), flat(from), flat(dy)], [attr.int('axis', 0), adds]);
  return reshapeTo(c, sum, dims);
}

/** The rule of any operator that only picks elements of input 0: it is asked to pick their positions. */
export const byPositions: GradientRule = dataOnly((c, dy) => {
  const x = xShape(c);
  return scatterBack(c, dy, c.again([positions(c, x), ...c.node.inputs.slice(1)]), x);
});

/** At steps of 1 the cut-off margins come back as zeros. */
export const sliceGradient: GradientRule = dataOnly((c, dy) => {
  const x = xShape(c);
  const cuts = cutsOf(c);
  const windows = x.map((d, i) => {
    const cut = cuts?.get(i);
    return cut === undefined ? { start: 0, step: 1, count: d } : window(cut, d);
  });
  if (cuts !== undefined && windows.every((w) => w?.step === 1)) {
    const before = windows.map((w) => w?.start ?? 0);
    const after = x.map((d, i) => d - (before[i] ?? 0) - (windows[i]?.count ?? 0));
    return c.one('Pad', [dy, c.ints([...before, ...after])]);
  }
  const from = c.one('Slice', [positions(c, x), ...c.node.inputs.slice(1)]);
  return scatterBack(c, dy, from, x);
});

/** Constant margins are cut off; mirrored, repeated and wrapped ones go back to what they copied. */
export const padGradient: GradientRule = withDy((c, dy) => {
  const constant = stringAttr(c.node, 'mode', 'constant') === 'constant';
  const margins = marginsOf(c)?.map((m) => m.map(Number));
  if (!constant) return c.wants(0) ? (byPositions(c) as readonly string[]) : [];
  if (margins === undefined)
    return refuse(c, text('its margins are not known before it runs', '여백을 실행 전에는 알 수 없습니다'));
  const cut = c.one('Pad', [dy, c.ints([0, 1].flatMap((side) => margins.map((m) => -(m[side] ?? 0))))]);
  const all = (value: string): string => c.one('ReduceSum', [value], [attr.int('keepdims', 0)]);
  const fill = (): string => reshapeTo(c, minus(c, all(dy), all(cut)), xShape(c, 2));
  return [c.wants(0) ? cut : undefined, undefined, c.node.inputs[2] && c.wants(2) ? fill() : undefined];
});

/** Copies add up: dy as [r0, d0, r1, d1 ...], summed over the r. */
export const tileGradient: GradientRule = dataOnly((c, dy) => {
  const x = xShape(c);
  const y = yShape(c);
  const split = x.flatMap((d, i) => [d === 0 ? 1 : (y[i] ?? 0) / d, d]);
  return sumOver(
    c,
    reshapeTo(c, dy, split),
    x.map((_, i) => 2 * i),
    false,
  );
});

export const gatherElementsGradient: GradientRule = dataOnly((c, dy) =>
  c.one('ScatterElements', [zeros(c, xShape(c)), c.x(1), dy], [attr.int('axis', intAttr(c.node, 'axis', 0)), adds]),
);

export const gatherNDGradient: GradientRule = dataOnly((c, dy) => {
  const x = xShape(c);
  if (intAttr(c.node, 'batch_dims', 0) === 0) return c.one('ScatterND', [zeros(c, x), c.x(1), dy], [adds]);
  return scatterBack(c, dy, c.again([positions(c, x), c.x(1)]), x);
});

/** What was written over has no gradient; what was written has that of its place. */
const scatterRule = (gather: (c: GradientContext, dy: string) => string, over: GradientRule): GradientRule =>
  withDy((c, dy) => {
    const how = stringAttr(c.node, 'reduction', 'none');
    if (how !== 'none' && how !== 'add')
      return refuse(
        c,
        text(`it takes the ${how} of what meets at one place`, `한 자리에서 만나는 값의 ${how}을(를) 취합니다`),
      );
    const [data] = how === 'add' ? [dy] : c.wants(0) ? over(c) : [];
    return [c.wants(0) ? data : undefined, undefined, c.wants(2) ? gather(c, dy) : undefined];
  });

export const scatterNDGradient = scatterRule(
  (c, dy) => c.one('GatherND', [dy, c.x(1)]),
  withDy((c, dy) => [c.one('ScatterND', [dy, c.x(1), zeros(c, xShape(c, 2))])]),
);
const axisOf = (c: GradientContext) => [attr.int('axis', intAttr(c.node, 'axis', 0))];
export const scatterElementsGradient = scatterRule(
  (c, dy) => c.one('GatherElements', [dy, c.x(1)], axisOf(c)),
  withDy((c, dy) => [c.one('ScatterElements', [dy, c.x(1), zeros(c, xShape(c, 2))], axisOf(c))]),
);

/** Each of the k values goes back to its index. */
export const topKGradient: GradientRule = dataOnly((c, dy) => {
  const at = c.node.outputs[1] ? c.y(1) : (c.emit('TopK', [c.x(0), c.x(1)], c.node.attributes, 2)[1] ?? '');
  const axis = attr.int('axis', intAttr(c.node, 'axis', -1));
  return c.one('ScatterElements', [zeros(c, xShape(c)), at, dy], [axis, adds]);
});

/** The same once more: a triangle stays a triangle, a reversed sequence turns back. */
export const againGradient: GradientRule = dataOnly((c, dy) => c.again([dy, ...c.node.inputs.slice(1)]));

/** Cut and padded about the middle, back to the size it had. */
export const centerCropPadGradient: GradientRule = dataOnly((c, dy) => {
  const x = xShape(c);
  const axes = intsAttr(c.node, 'axes')?.map((a) => axisAt(a, x.length)) ?? x.map((_, i) => i);
  return c.one('CenterCropPad', [dy, c.ints(axes.map((a) => x[a] ?? 1))], [attr.ints('axes', axes)]);
});

/** DCR is undone by SpaceToDepth; CRD (a pixel shuffle) by its axes: [N, C, h, b, w, b] -> [N, C, b, b, h, w]. */
export const depthToSpaceGradient: GradientRule = dataOnly((c, dy) => {
  const block = intAttr(c.node, 'blocksize', 1);
  if (stringAttr(c.node, 'mode', 'DCR') === 'DCR') return c.one('SpaceToDepth', [dy], [attr.int('blocksize', block)]);
  const x = xShape(c);
  const [n = 1, channels = 1, h = 1, w = 1] = x;
  const split = reshapeTo(c, dy, [n, channels / (block * block), h, block, w, block]);
  return reshapeTo(c, transposeBy(c, split, [0, 1, 3, 5, 2, 4]), x);
});

export const spaceToDepthGradient: GradientRule = dataOnly((c, dy) =>
  c.one('DepthToSpace', [dy], [attr.int('blocksize', intAttr(c.node, 'blocksize', 1)), attr.string('mode', 'DCR')]),
);

/** MaxUnpool's indices count through the whole output. */
export const maxUnpoolGradient: GradientRule = dataOnly((c, dy) => {
  if ((c.node.inputs[2] ?? '') !== '')
    return refuse(c, text('its output has a size of its own', '출력 크기가 따로 정해져 있습니다'));
  return c.one('Gather', [reshapeTo(c, dy, [-1]), c.x(1)]);
});

/** Crop-1, x: [N, C, H, W]: what was cut off comes back as zeros. */
export const cropGradient: GradientRule = dataOnly((c, dy) => {
  const [x, y] = [xShape(c), yShape(c)];
  const [left = 0, top = 0] = intsAttr(c.node, 'border') ?? [];
  const after = [2, 3].map((i) => (x[i] ?? 0) - (y[i] ?? 0) - (i === 2 ? top : left));
  return c.one('Pad', [dy, c.ints([0, 0, top, left, 0, 0, ...after])]);
});
