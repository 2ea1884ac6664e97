/**
 * Owns which form of a convolution's weight gradient is fastest for a shape: a rule fitted to measures, which stand in its test.
 * Source of the measures: `npm run bench gradient-forms`, one thread, CPU time, onnxruntime-node 1.30.0 on x86-64 with AVX2.
 */

export type WeightForm = 'exchange' | 'taps' | 'columns' | 'joint' | 'groups' | 'split';

/** Whether a form can compute the gradient of a weight with so many channels, groups. */
export function formFits(form: WeightForm, s: Pick<WeightShape, 'channels' | 'group' | 'splits'>): boolean {
  if (form === 'columns') return true;
  if (form === 'split') return s.splits;
  return form === 'groups' ? s.group === s.channels : s.group === 1;
}

export interface WeightShape {
  readonly n: number;
  readonly channels: number;
  readonly outputs: number;
  readonly group: number;
  /** Of the output. */
  readonly positions: number;
  /** Of the kernel. */
  readonly taps: number;
  readonly strided: boolean;
  /** A window of rows and columns, which `split` takes apart. */
  readonly splits: boolean;
}

/** Columns cost taps times taps: beyond this many the exchanged convolution is faster. */
const manyTaps = 9;
/** A depthwise picture so small is itself a cheap kernel. */
const fewPositions = 16;
/** Below this the slices of all taps stay in the cache. */
const cachedFloats = 2 ** 20;

export function chooseWeightForm(s: WeightShape): WeightForm {
  if (s.group > 1) {
    const cheap = s.positions <= fewPositions || (s.strided && s.taps > manyTaps);
    return s.group === s.channels && cheap ? 'groups' : 'columns';
  }
  if (s.taps > manyTaps && !s.strided) return 'exchange';
  const few = s.channels >= 16 && s.positions >= 128 && s.n * s.channels * s.positions < cachedFloats;
  if (s.taps > 1 && few && !s.strided) return 'taps';
  if (s.outputs > s.positions) return 'joint';
  return s.splits && s.channels >= 16 ? 'split' : 'columns';
}
