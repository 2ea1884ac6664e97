/** Owns the way back for operators whose attributes became inputs: an input that is known becomes the attribute it was. */
import { text } from '../../../base/text.ts';
import { attr, intAttr, intsAttr, stringAttr } from '../../../ir/attribute.ts';
import type { Node } from '../../../ir/model.ts';
import { type Adapt, type AdapterContext, type Adapters, changed, elemOr, refuse } from '../context.ts';

const omitted = (node: Node, k: number): boolean => (node.inputs[k] ?? '') === '';

/** The numbers of input k; undefined where it is left out. Refuses where only a run can tell them. */
function settled(c: AdapterContext, k: number, what: string): readonly number[] | undefined {
  const name = c.node.inputs[k] ?? '';
  if (name === '') return undefined;
  return (
    c.known(name) ?? refuse(c, text(`its ${what} are computed when it runs`, `${what}이(가) 실행할 때 계산됩니다`))
  );
}

/** Bounds at the end of int64 come back as doubles, one too large. */
const int64 = (x: number): bigint => {
  if (x >= 2 ** 63) return 2n ** 63n - 1n;
  return x <= -(2 ** 63) ? -(2n ** 63n) : BigInt(x);
};

/** Axes counted from the front, for a value of this rank. */
export function fromFront(c: AdapterContext, axes: readonly number[], rank: number | undefined): readonly number[] {
  if (axes.every((a) => a >= 0)) return axes;
  if (rank === undefined)
    refuse(
      c,
      text(
        'an axis is counted from the end of a shape whose rank is not known',
        '랭크를 모르는 형상의 끝에서부터 축을 셉니다',
      ),
    );
  return axes.map((a) => (a < 0 ? a + rank : a));
}

export const rankOf = (c: AdapterContext, value: string): number | undefined => c.shape(value)?.length;

const passedOn = (node: Node): readonly Node[] => [
  { ...node, op: 'Identity', inputs: node.inputs.slice(0, 1), attributes: [] },
];

/** `axes` comes back from input 1. Empty or absent: all axes, or none with noop_with_empty_axes, which then does nothing. */
const axesAttribute: Adapt = (c) => {
  const { node } = c;
  const axes = settled(c, 1, 'axes');
  const some = axes !== undefined && axes.length > 0;
  if (!some && intAttr(node, 'noop_with_empty_axes', 0) !== 0) {
    if (['ReduceSum', 'ReduceMean', 'ReduceMax', 'ReduceMin', 'ReduceProd'].includes(node.op)) return passedOn(node);
    refuse(c, text('it reduces over no axis', '줄이는 축이 없습니다'));
  }
  const add = some ? [attr.ints('axes', axes)] : [];
  return [changed(node, { inputs: node.inputs.slice(0, 1), without: ['noop_with_empty_axes'], add })];
};

/** Reductions and Squeeze take axes from the end since 11; Unsqueeze counts them in its output. */
const frontAxes: Adapt = (c) => {
  const { node } = c;
  const axes = intsAttr(node, 'axes');
  if (axes === undefined || axes.every((a) => a >= 0)) return [node];
  const inside = rankOf(c, node.inputs[0] ?? '');
  const rank = node.op === 'Unsqueeze' && inside !== undefined ? inside + axes.length : inside;
  return [changed(node, { add: [attr.ints('axes', fromFront(c, axes, rank))] })];
};

/** Slice 9 has no steps. */
const sliceAttributes: Adapt = (c) => {
  const { node } = c;
  if (settled(c, 4, 'steps')?.some((s) => s !== 1) === true) refuse(c, text('it has steps', 'steps가 있습니다'));
  const starts = settled(c, 1, 'starts') ?? [];
  const ends = settled(c, 2, 'ends') ?? [];
  const axes = settled(c, 3, 'axes');
  const add = [attr.ints('starts', starts.map(int64)), attr.ints('ends', ends.map(int64))];
  if (axes !== undefined) add.push(attr.ints('axes', fromFront(c, axes, rankOf(c, node.inputs[0] ?? ''))));
  return [changed(node, { inputs: node.inputs.slice(0, 1), add })];
};

/** Clip 6 wants plain numbers; bounds that a run computes are a Max and a Min. */
const clipAttributes: Adapt = (c) => {
  const { node } = c;
  const bounds = ['min', 'max'].map((name, k) => ({ name, input: node.inputs[k + 1] ?? '' }));
  const known = bounds.map((b) => ({ ...b, value: b.input === '' ? undefined : c.known(b.input)?.[0] }));
  if (known.every((b) => b.input === '' || b.value !== undefined)) {
    const add = known.flatMap((b) => (b.value === undefined ? [] : [attr.float(b.name, b.value)]));
    return [changed(node, { inputs: node.inputs.slice(0, 1), add })];
  }
  const [low, high] = bounds.map((b) => b.input);
  const [x = ''] = node.inputs;
  const last = (op: string, inputs: readonly string[]): Node => ({ ...node, op, inputs, attributes: [] });
  if (!low) return [last('Min', [x, high ?? ''])];
  if (!high) return [last('Max', [x, low])];
  const out: Node[] = [];
  const above = c.emit(out, 'Max', [x, low]);
  return [...out, last('Min', [above, high])];
};

/** Pad 10 takes plain numbers for all axes. */
const padAttributes: Adapt = (c) => {
  const { node } = c;
  const pads = settled(c, 1, 'pads') ?? refuse(c, text('it has no pads', 'pads가 없습니다'));
  const constant = stringAttr(node, 'mode', 'constant') === 'constant';
  const value = constant ? settled(c, 2, 'fill value')?.[0] : undefined;
  const add = [attr.ints('pads', pads), ...(value === undefined ? [] : [attr.float('value', value)])];
  return [changed(node, { inputs: node.inputs.slice(0, 1), add })];
};

/** Pad 18 may name the axes it pads: written out for all. */
const padAllAxes: Adapt = (c) => {
  const { node } = c;
  if (omitted(node, 3)) return [changed(node, { inputs: node.inputs.slice(0, 3) })];
  const rank =
    rankOf(c, node.inputs[0] ?? '') ??
    refuse(c, text('the rank of its input is not known', '입력의 랭크를 알 수 없습니다'));
  const axes = fromFront(c, settled(c, 3, 'axes') ?? [], rank);
  const pads = settled(c, 1, 'pads') ?? [];
  const all = new Array<number>(2 * rank).fill(0);
  for (const [k, axis] of axes.entries()) {
    all[axis] = pads[k] ?? 0;
    all[axis + rank] = pads[k + axes.length] ?? 0;
  }
  return [changed(node, { inputs: [node.inputs[0] ?? '', c.ints(all), node.inputs[2] ?? ''] })];
};

const padWrap: Adapt = (c) =>
  stringAttr(c.node, 'mode', 'constant') === 'wrap'
    ? refuse(c, text('its mode is wrap', '방식이 wrap입니다'))
    : [c.node];

const topKAttribute: Adapt = (c) => {
  const k = settled(c, 1, 'numbers kept')?.[0] ?? refuse(c, text('it has no k', 'k가 없습니다'));
  return [changed(c.node, { inputs: c.node.inputs.slice(0, 1), add: [attr.int('k', k)] })];
};

/** Dropout before 12 passes its input on when the model is used; what its mask then says was left open. */
const dropoutAttribute: Adapt = (c) => {
  const { node } = c;
  const mask = node.outputs[1] ?? '';
  if (mask !== '' && c.isRead(mask)) refuse(c, text('its mask is read', '마스크를 읽는 곳이 있습니다'));
  if ((settled(c, 2, 'training flags')?.[0] ?? 0) !== 0)
    refuse(c, text('it drops values (training_mode)', '값을 버립니다(training_mode)'));
  const ratio = settled(c, 1, 'ratios')?.[0];
  const add = ratio === undefined ? [] : [attr.float('ratio', ratio)];
  return [changed(node, { inputs: node.inputs.slice(0, 1), without: ['seed'], add })];
};

/** Dropout 10 made the mask bool; before, it had the data's type. */
const dropoutMask: Adapt = (c) => {
  const mask = c.node.outputs[1] ?? '';
  if (mask !== '' && c.isRead(mask))
    refuse(c, text('its mask is read, and had another type', '마스크를 읽는 곳이 있는데 형식이 달랐습니다'));
  return [{ ...c.node, outputs: c.node.outputs.slice(0, 1) }];
};

const splitAttribute: Adapt = (c) => {
  const sizes = settled(c, 1, 'sizes');
  const add = sizes === undefined ? [] : [attr.ints('split', sizes)];
  return [changed(c.node, { inputs: c.node.inputs.slice(0, 1), add })];
};

/** Split 18 by number: ceil(size / n) each and the rest in the last part; before, only equal parts go unsaid. */
const splitEven: Adapt = (c) => {
  const { node } = c;
  const parts = intAttr(node, 'num_outputs');
  if (parts === undefined || !omitted(node, 1)) return [node];
  const shape = c.shape(node.inputs[0] ?? '');
  const axis = intAttr(node, 'axis', 0);
  const size = shape?.[axis < 0 ? axis + shape.length : axis];
  if (typeof size !== 'number') refuse(c, text('the size that it splits is not known', '나눌 크기를 알 수 없습니다'));
  if (size % parts === 0) return [changed(node, { without: ['num_outputs'] })];
  const each = Math.ceil(size / parts);
  const sizes = Array.from({ length: parts }, (_, k) => Math.max(0, Math.min(each, size - k * each)));
  return [changed(node, { without: ['num_outputs'], inputs: [node.inputs[0] ?? '', c.ints(sizes)] })];
};

const upsampleAttribute: Adapt = (c) => {
  const scales = settled(c, 1, 'scales') ?? refuse(c, text('it has no scales', 'scales가 없습니다'));
  return [changed(c.node, { inputs: c.node.inputs.slice(0, 1), add: [attr.floats('scales', scales)] })];
};

/** DFT 20 counts from the end by default, 17 from the front. */
const dftAttribute: Adapt = (c) => {
  const { node } = c;
  const [axis = 1] = fromFront(c, [settled(c, 2, 'axes')?.[0] ?? -2], rankOf(c, node.inputs[0] ?? ''));
  return [changed(node, { inputs: node.inputs.slice(0, 2), add: [attr.int('axis', axis)] })];
};

/** Gemm 11 may leave C out: a zero, which broadcasts. */
const gemmBias: Adapt = (c) => {
  const [a = '', b = '', bias = ''] = c.node.inputs;
  return bias !== '' ? [c.node] : [changed(c.node, { inputs: [a, b, c.numbers(elemOr(c, a), [0], [1])] })];
};

const reductions = ['ReduceL1', 'ReduceL2', 'ReduceLogSum', 'ReduceLogSumExp', 'ReduceMax', 'ReduceMean', 'ReduceMin'];

export const attributeAdapters: Adapters = {
  Upsample: { 9: upsampleAttribute },
  Slice: { 10: sliceAttributes },
  TopK: { 10: topKAttribute },
  Dropout: { 10: dropoutMask, 12: dropoutAttribute },
  Clip: { 11: clipAttributes },
  Gemm: { 11: gemmBias },
  Pad: { 11: padAttributes, 18: padAllAxes, 19: padWrap },
  Squeeze: { 11: frontAxes, 13: axesAttribute },
  Unsqueeze: { 11: frontAxes, 13: axesAttribute },
  ReduceSum: { 11: frontAxes, 13: axesAttribute },
  Split: { 13: splitAttribute, 18: splitEven },
  ...Object.fromEntries(
    [...reductions, 'ReduceProd', 'ReduceSumSquare'].map((op) => [op, { 11: frontAxes, 18: axesAttribute }]),
  ),
  DFT: { 20: dftAttribute },
};
