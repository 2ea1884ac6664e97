/**
 * Owns which form of a convolution's weight gradient is fastest for a shape: a rule fitted to measures, which stand in its test.
 * Source of the measures: `npm run bench gradient-forms`, two threads, onnxruntime-node 1.30.0 on x86-64 with AVX2.
 */

export type WeightForm = 'exchange' | 'columns' | 'joint' | 'groups' | 'split';

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

/** A depthwise picture so small is itself a cheap kernel. */
const fewPositions = 16;
/** Depthwise: columns cost taps times taps. */
const depthwiseTaps = 9;
/** Beyond this many taps the columns of one group cost more than the exchanged convolution. */
const manyTaps = 49;

export function chooseWeightForm(s: WeightShape): WeightForm {
  if (s.group > 1) {
    const cheap = s.positions <= fewPositions || (s.strided && s.taps > depthwiseTaps);
    return s.group === s.channels && cheap ? 'groups' : 'columns';
  }
  if (s.outputs > s.positions) return 'joint';
  if (s.splits && s.channels >= 8 && s.outputs <= 2 * s.channels) return 'split';
  return s.taps > manyTaps ? 'exchange' : 'columns';
}
