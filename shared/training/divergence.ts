/** Owns the watch over the loss of a training: no number any more, or risen far above where it began. */
import { Fault } from '../base/fault.ts';
import { text } from '../base/text.ts';
import type { TargetRule } from './targets.ts';

export interface Divergence {
  /** Takes the loss of a step; returns it smoothed over the last ones. Faults: `diverged`, with advice. */
  take(loss: number, where: string): number;
  /** Mean loss of the first steps; null as long as there are too few. */
  firstLoss(): number | null;
}

/** Steps whose mean is the start. */
const beginning = 3;
/** Steps over which a rise is smoothed. */
const settling = 10;
/** Times the larger of the start and of what guessing costs. */
const tolerated = 4;

export const divergedAdvice = text(
  'Take a learning rate a tenth of this one, and check the preprocessing.',
  '학습률을 10분의 1로 낮추고 전처리를 확인하세요.',
);

/** What an answer without any knowledge costs; 0 where that cannot be told. */
function guessing(r: TargetRule): number {
  if (r.kind === 'cross-entropy') return Math.log(Math.max(2, r.classes));
  return r.kind === 'binary-cross-entropy' ? Math.LN2 : 0;
}

/** `first`: from the epochs before. */
export function divergence(rule: TargetRule, first: number | null): Divergence {
  const early: number[] = [];
  let start = first;
  let smooth: number | null = null;
  return {
    firstLoss: () => start,
    take: (loss, where) => {
      if (!Number.isFinite(loss))
        throw new Fault('diverged', text('the loss is no number any more', '손실이 더 이상 수가 아닙니다'), {
          where,
          hint: divergedAdvice,
        });
      smooth = smooth === null ? loss : smooth + (loss - smooth) / settling;
      if (start === null) {
        early.push(loss);
        if (early.length === beginning) start = early.reduce((a, b) => a + b, 0) / beginning;
        return smooth;
      }
      const limit = tolerated * Math.max(start, guessing(rule));
      if (smooth > limit)
        throw new Fault(
          'diverged',
          text(
            `the loss rises: ${start.toPrecision(3)} at the start, ${smooth.toPrecision(3)} now`,
            `손실이 커집니다: 처음 ${start.toPrecision(3)}, 지금 ${smooth.toPrecision(3)}`,
          ),
          {
            where,
            hint: divergedAdvice,
          },
        );
      return smooth;
    },
  };
}
