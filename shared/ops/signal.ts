/** Owns signal processing: DFT, STFT, windows, MelWeightMatrix. */

import { attr, intAttr } from '../ir/attribute.ts';
import type { Dim } from '../ir/model.ts';
import { fed, fixed, ints } from './case-values.ts';
import { type Facts, type NodeContext, none, type Op, type WorkContext } from './declare.ts';
import { numbersOf, sizeOf } from './fold.ts';
import {
  axisAt,
  elemAttr,
  family,
  freezeAll,
  noGradientYet,
  noQuantize,
  perOutput,
  tensorFacts,
  times,
} from './rule.ts';
import { dftGradient, stftGradient } from './signal-gradient.ts';

const signals = family({
  domain: '',
  parameters: {},
  work: perOutput('other'),
  gradient: noGradientYet,
  channels: freezeAll('a transform mixes this axis'),
  quantize: noQuantize,
});

/** x [.., n, .., 1 or 2] -> [.., n or n / 2 + 1, .., 2]; dft_length is input 1, the axis attribute (17) or input 2 (20). */
const inferDft = (c: NodeContext): readonly Facts[] => {
  const x = c.inputs[0];
  const s = x?.shape;
  if (!s) return [tensorFacts(c, x?.elem ?? null, null)];
  const given =
    c.version < 20 ? intAttr(c.node, 'axis', 1) : c.inputs[2] === undefined ? -2 : numbersOf(c.inputs[2])?.[0];
  const onesided = intAttr(c.node, 'onesided', 0) === 1;
  const inverse = intAttr(c.node, 'inverse', 0) === 1;
  const shape = s.map((d, i): Dim => {
    if (i === s.length - 1) return onesided && inverse ? 1 : 2;
    if (given === undefined) return null;
    if (i !== axisAt(given, s.length)) return d;
    const n: Dim = c.inputs[1] === undefined ? d : (c.inputs[1].content?.[0] ?? null);
    if (!onesided) return n;
    if (inverse) return c.inputs[1] === undefined && typeof n === 'number' ? (n - 1) * 2 : n;
    return typeof n === 'number' ? Math.floor(n / 2) + 1 : null;
  });
  return [tensorFacts(c, x.elem, shape)];
};

/** signal [B, n, 1 or 2], frame_step, window, frame_length -> [B, frames, bins, 2]. */
const inferStft = (c: NodeContext): readonly Facts[] => {
  const [x, step, window, length] = c.inputs;
  const n = x?.shape?.[1];
  const frame = length === undefined ? window?.shape?.[0] : length.content?.[0];
  const hop = step?.content?.[0];
  const frames =
    typeof n === 'number' && typeof frame === 'number' && typeof hop === 'number'
      ? Math.floor((n - frame) / hop) + 1
      : null;
  const onesided = intAttr(c.node, 'onesided', 1) === 1;
  const bins = typeof frame === 'number' ? (onesided ? Math.floor(frame / 2) + 1 : frame) : null;
  return [tensorFacts(c, x?.elem ?? null, [x?.shape?.[0] ?? null, frames, bins, 2])];
};

/** About 5 n log2 n operations for a transform of length n. */
const fftWork = (c: WorkContext) => {
  const size = sizeOf(c.outputs[0]?.shape);
  const n = c.inputs[0]?.shape?.[1];
  return {
    kernel: 'other' as const,
    macs: 0,
    otherOps: times(size, typeof n === 'number' ? Math.ceil(2.5 * Math.log2(Math.max(2, n))) : null),
  };
};

const inferWindow = (c: NodeContext): readonly Facts[] => [
  tensorFacts(c, elemAttr(intAttr(c.node, 'output_datatype', 1)), [c.inputs[0]?.content?.[0] ?? null]),
];

const inferMel = (c: NodeContext): readonly Facts[] => {
  const bins = c.inputs[0]?.content?.[0] ?? null;
  const length = c.inputs[1]?.content?.[0];
  const rows = typeof length === 'number' ? Math.floor(length / 2) + 1 : null;
  return [tensorFacts(c, elemAttr(intAttr(c.node, 'output_datatype', 1)), [rows, bins])];
};

export const signalOps: readonly Op[] = [
  signals('DFT', [17, 20], inferDft, {
    gradient: dftGradient,
    work: fftWork,
    cases: [
      { name: 'real', inputs: [fed(1, 8, 1)] },
      { name: 'one side', attributes: [attr.int('onesided', 1)], inputs: [fed(1, 8, 1)] },
      { name: 'a length', inputs: [fed(1, 8, 1), ints([6], [])] },
      { name: 'axis as input', opset: 20, inputs: [fed(2, 8, 3, 1), undefined, ints([1], [])] },
    ],
  }),
  signals('STFT', [17], inferStft, {
    gradient: stftGradient,
    work: fftWork,
    cases: [{ name: 'frames', inputs: [fed(1, 64, 1), ints([8], []), undefined, ints([16], [])] }],
  }),
  ...['HannWindow', 'HammingWindow', 'BlackmanWindow'].map((type) =>
    signals(type, [17], inferWindow, {
      gradient: none('its result is fixed'),
      channels: freezeAll('a window of fixed length'),
      cases: [{ name: 'ten', inputs: [ints([10], [])] }],
    }),
  ),
  signals('MelWeightMatrix', [17], inferMel, {
    gradient: none('its result is fixed'),
    cases: [
      {
        name: 'eight bins',
        inputs: [ints([8], []), ints([16], []), ints([8000], []), fixed('float', [0], []), fixed('float', [4000], [])],
      },
    ],
  }),
];
