/** Owns the data set that stands in memory: decoded samples, labels and a fixed split by index. */
import { Fault } from '#shared/base/fault.ts';
import { text } from '#shared/base/text.ts';
import type { Dataset, DatasetInfo, Sample, Split } from '#shared/ports/dataset.ts';
import type { SplitIndices } from './stratified-split.ts';

/** Samples of one size, one after another: bytes of pixels, or floats. */
export interface Stack {
  readonly values: Uint8Array | Float32Array;
  /** Numbers in one sample. */
  readonly each: number;
}

/** `label` of sample i, and its values as floats. */
export interface SampleSource {
  readonly labels: ArrayLike<number> | null;
  sample(index: number): Sample | Promise<Sample>;
}

/** Samples of one size from a stack. Each read copies, so a caller may change what it got. */
export const stackSource = (stack: Stack, labels: ArrayLike<number> | null): SampleSource => ({
  labels,
  sample: (i) => ({
    values: Float32Array.from(stack.values.subarray(i * stack.each, (i + 1) * stack.each)),
    label: labels?.[i] ?? null,
  }),
});

/** A Dataset over a source whose splits are lists of indices. */
export function indexedDataset(info: Omit<DatasetInfo, 'counts'>, source: SampleSource, splits: SplitIndices): Dataset {
  const counts = {
    train: splits.train.length,
    validation: splits.validation.length,
    test: splits.test.length,
  };
  return {
    info: { ...info, counts },
    read: async (split: Split, indices) =>
      Promise.all(
        indices.map((i) => {
          const at = splits[split][i];
          if (at === undefined)
            throw new Fault(
              'internal',
              text(`sample ${i} of ${counts[split]} in ${split}`, `${split}의 샘플 ${counts[split]}개 가운데 ${i}번째`),
              { where: info.id },
            );
          return source.sample(at);
        }),
      ),
  };
}
