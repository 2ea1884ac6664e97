/** Owns evaluateAgainst: an evaluation with a reference model beside it; what stands in for accuracy where there are no labels. */
import type { Clock } from '../ports/clock.ts';
import type { Dataset } from '../ports/dataset.ts';
import type { Runtime } from '../ports/runtime.ts';
import { compare } from './compare.ts';
import { type EvaluateOptions, type EvaluationResult, evaluate, type Subject } from './evaluate.ts';

/** As `evaluationSchema` of the contract has it. */
export interface ReferenceResult {
  /** Name of the reference, for people. */
  model: string;
  /** Share of samples with the reference's answer; null where the outputs are no class scores. */
  agreement: number | null;
  /** Of the outputs against the reference's; null: identical. */
  sqnrDb: number | null;
  maxAbsError: number;
}

export interface Reference {
  readonly name: string;
  readonly subject: Subject;
}

/** Evaluates on a split and compares with the reference on the same samples. Faults: those of `evaluate` and `compare`. */
export async function evaluateAgainst(
  runtime: Runtime,
  clock: Clock,
  subject: Subject,
  reference: Reference,
  dataset: Dataset,
  options: EvaluateOptions = {},
): Promise<EvaluationResult & { reference: ReferenceResult }> {
  const done = await evaluate(runtime, clock, subject, dataset, options);
  const { agreement, sqnrDb, maxAbsError } = await compare(runtime, reference.subject, subject, {
    dataset,
    split: options.split ?? 'test',
    preprocess: done.preprocess,
    samples: done.samples,
    layers: false,
    ...(options.cancel === undefined ? {} : { cancel: options.cancel }),
  });
  return { ...done, reference: { model: reference.name, agreement, sqnrDb, maxAbsError } };
}
