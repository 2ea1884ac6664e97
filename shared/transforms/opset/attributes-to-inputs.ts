/** Owns adapters for operators whose attributes became inputs: the values stay the same, only where they stand changes. */
import { text } from '../../base/text.ts';
import { attr, attributeOf, floatAttr, intAttr, stringAttr } from '../../ir/attribute.ts';
import { type Adapt, type Adapters, changed, elemOr, refuse } from './context.ts';

/** `axes` moves to input 1; absent stays absent (all axes). */
const axesInput: Adapt = (c) => {
  const axes = attributeOf(c.node, 'axes', 'ints');
  if (axes === undefined) return [c.node];
  return [changed(c.node, { without: ['axes'], inputs: [c.node.inputs[0] ?? '', c.ints(axes)] })];
};

const sliceInputs: Adapt = (c) => {
  const starts = attributeOf(c.node, 'starts', 'ints') ?? [];
  const ends = attributeOf(c.node, 'ends', 'ints') ?? [];
  const axes = attributeOf(c.node, 'axes', 'ints');
  const inputs = [c.node.inputs[0] ?? '', c.ints(starts), c.ints(ends), ...(axes === undefined ? [] : [c.ints(axes)])];
  return [changed(c.node, { without: ['starts', 'ends', 'axes'], inputs })];
};

/** Clip 6: bounds default to the type's limits, which an omitted input means too. */
const clipInputs: Adapt = (c) => {
  const x = c.node.inputs[0] ?? '';
  const bound = (name: string): string => {
    if (!c.node.attributes.some((a) => a.name === name)) return '';
    return c.numbers(elemOr(c, x), [floatAttr(c.node, name, 0)], []);
  };
  return [changed(c.node, { without: ['min', 'max'], inputs: [x, bound('min'), bound('max')] })];
};

const padInputs: Adapt = (c) => {
  const x = c.node.inputs[0] ?? '';
  const pads = attributeOf(c.node, 'pads', 'ints');
  if (pads === undefined) refuse(c, text('it has no pads', 'pads가 없습니다'));
  const value = floatAttr(c.node, 'value', 0);
  const constant = stringAttr(c.node, 'mode', 'constant') === 'constant' && value !== 0;
  const inputs = [x, c.ints(pads), constant ? c.numbers(elemOr(c, x), [value], []) : ''];
  return [changed(c.node, { without: ['pads', 'value'], inputs })];
};

const topKInput: Adapt = (c) => {
  const k = intAttr(c.node, 'k');
  if (k === undefined) refuse(c, text('it has no k', 'k가 없습니다'));
  return [changed(c.node, { without: ['k'], inputs: [c.node.inputs[0] ?? '', c.ints([k])] })];
};

/** Dropout 12: the ratio is an input; without training_mode it still passes its input on. */
const dropoutInput: Adapt = (c) => {
  const x = c.node.inputs[0] ?? '';
  const ratio = floatAttr(c.node, 'ratio', 0.5);
  const inputs = [x, ratio === 0.5 ? '' : c.numbers('float', [ratio], [])];
  return [changed(c.node, { without: ['ratio'], inputs })];
};

/** Dropout 10: the mask became bool; before, it had the data's type. */
const dropoutMask: Adapt = (c) => {
  const mask = c.node.outputs[1];
  if (mask === undefined || mask === '') return [c.node];
  if (c.isRead(mask))
    refuse(c, text('its mask is read, and changed its type', '마스크를 읽는 곳이 있는데 형식이 바뀌었습니다'));
  return [{ ...c.node, outputs: c.node.outputs.slice(0, 1) }];
};

const splitInput: Adapt = (c) => {
  const sizes = attributeOf(c.node, 'split', 'ints');
  if (sizes === undefined) return [c.node];
  return [changed(c.node, { without: ['split'], inputs: [c.node.inputs[0] ?? '', c.ints(sizes)] })];
};

/** Split 18: equal parts must be said by number. */
const splitNumber: Adapt = (c) =>
  (c.node.inputs[1] ?? '') !== ''
    ? [c.node]
    : [changed(c.node, { add: [attr.int('num_outputs', c.node.outputs.length)] })];

const upsampleInput: Adapt = (c) => {
  const scales = c.node.attributes.find((a) => a.name === 'scales');
  if (scales?.kind !== 'floats') refuse(c, text('it has no scales', 'scales가 없습니다'));
  const input = c.numbers('float', scales.value, [scales.value.length]);
  return [changed(c.node, { without: ['scales'], inputs: [c.node.inputs[0] ?? '', input] })];
};

/** DFT 20: axis is an input. */
const dftInput: Adapt = (c) => {
  const axis = c.ints([intAttr(c.node, 'axis', 1)], []);
  const [x = '', length = ''] = c.node.inputs;
  return [changed(c.node, { without: ['axis'], inputs: [x, length, axis] })];
};

const reductions = ['ReduceL1', 'ReduceL2', 'ReduceLogSum', 'ReduceLogSumExp', 'ReduceMax', 'ReduceMean', 'ReduceMin'];

export const inputAdapters: Adapters = {
  Upsample: { 9: upsampleInput },
  Slice: { 10: sliceInputs },
  TopK: { 10: topKInput },
  Dropout: { 10: dropoutMask, 12: dropoutInput },
  Clip: { 11: clipInputs },
  Pad: { 11: padInputs },
  Squeeze: { 13: axesInput },
  Unsqueeze: { 13: axesInput },
  ReduceSum: { 13: axesInput },
  Split: { 13: splitInput, 18: splitNumber },
  ...Object.fromEntries([...reductions, 'ReduceProd', 'ReduceSumSquare'].map((op) => [op, { 18: axesInput }])),
  DFT: { 20: dftInput },
};
