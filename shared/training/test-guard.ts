/** Owns the guard that keeps test samples from whatever learns or chooses. */
import { Fault } from '../base/fault.ts';
import { text } from '../base/text.ts';
import type { Dataset } from '../ports/dataset.ts';

/** The data set without its test split: reading that is a fault. Only `evaluate` gets the unguarded one. */
export const withoutTest = (dataset: Dataset): Dataset => ({
  info: { ...dataset.info, counts: { ...dataset.info.counts, test: 0 } },
  read: async (split, indices) => {
    if (split === 'test')
      throw new Fault(
        'internal',
        text('test samples were asked for outside of an evaluation', '평가가 아닌 곳에서 시험 샘플을 요청했습니다'),
      );
    return dataset.read(split, indices);
  },
});
