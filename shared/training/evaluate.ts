/** Owns evaluate: accuracy with its interval and latency of a model on a split. */
import type { Cancel } from '../base/cancel.ts';
import type { Model } from '../ir/model.ts';
import { writeModel } from '../onnx/write.ts';
import type { Clock } from '../ports/clock.ts';
import type { Dataset, Split } from '../ports/dataset.ts';
import type { ModelSource, Runtime, Session } from '../ports/runtime.ts';
import { type BatchRun, runBatches } from './batches.ts';
import { argmax, classCount, floatsOf, rankOf, wilson95 } from './class-scores.ts';
import { type Latency, measureLatency } from './measure-latency.ts';
import { modelInput } from './model-input.ts';
import { preprocessBatch, startingPreprocess } from './preprocess.ts';
import type { Preprocess } from './preprocess-schema.ts';

/** A model and, where its file stands on disk, that; else it is written to bytes. */
export interface Subject {
  readonly model: Model;
  readonly source?: ModelSource;
}

export const sourceOf = (s: Subject): ModelSource => s.source ?? { bytes: writeModel(s.model) };

export interface EvaluateOptions {
  readonly split?: Split;
  readonly preprocess?: Preprocess;
  /** At most this many samples, the first ones. */
  readonly samples?: number;
  /** Output that holds the class scores; the first by default. */
  readonly output?: string;
  readonly cancel?: Cancel;
  readonly progress?: (share: number) => void;
}

/** As `evaluationSchema` of the contract has it. */
export interface EvaluationResult {
  top1: number | null;
  top5: number | null;
  interval95: [number, number] | null;
  samples: number;
  split: string;
  data: string;
  preprocess: Preprocess;
  latencyMs: Latency;
}

interface Hits {
  readonly scored: boolean;
  readonly top1: number;
  readonly top5: number;
}

async function countHits(run: LabelledRun, dataset: Dataset, progress: (share: number) => void): Promise<Hits> {
  const output = run.fetch?.[0] ?? run.session.outputNames[0] ?? '';
  let [top1, top5, done] = [0, 0, 0];
  let scored = dataset.info.labelled;
  await runBatches(run, (outputs, indices) => {
    const tensor = outputs[output];
    const classes = tensor === undefined ? undefined : classCount(tensor.dims, indices.length);
    if (tensor === undefined || classes === undefined || classes < 2) scored = false;
    else if (scored) {
      const scores = floatsOf(tensor);
      for (const [n, i] of indices.entries()) {
        const label = run.labels.get(i) ?? -1;
        if (argmax(scores, n, classes) === label) top1++;
        if (label >= 0 && rankOf(label, scores, n, classes) < 5) top5++;
      }
    }
    done += indices.length;
    progress(done / run.count);
  });
  return { scored, top1, top5 };
}

export interface LabelledRun extends BatchRun {
  /** Labels of the samples made so far. */
  readonly labels: ReadonlyMap<number, number | null>;
}

const indexList = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);

/** The samples of a split as runs of a model. */
export function runOver(
  session: Session,
  s: Subject,
  dataset: Dataset,
  split: Split,
  p: Preprocess,
  count: number,
  fetch?: readonly string[],
): LabelledRun {
  const input = modelInput(s.model);
  const labels = new Map<number, number | null>();
  return {
    session,
    input,
    count,
    labels,
    make: async (indices) => {
      const samples = await dataset.read(split, indices);
      for (const [k, i] of indices.entries()) labels.set(i, samples[k]?.label ?? null);
      return preprocessBatch(samples, dataset.info.sample, input, p);
    },
    ...(fetch === undefined ? {} : { fetch }),
  };
}

/**
 * Accuracy (top 1 and 5 as shares, Wilson's 95 % interval of top 1) and latency at the model's smallest batch. Without
 * labels, or where the output is no class score, accuracies are null. Faults: `unsupported`, `does-not-fit`, `runtime`.
 */
export async function evaluate(
  runtime: Runtime,
  clock: Clock,
  subject: Subject,
  dataset: Dataset,
  options: EvaluateOptions = {},
): Promise<EvaluationResult> {
  const split = options.split ?? 'test';
  const preprocess = options.preprocess ?? startingPreprocess(dataset.info.sample);
  const available = dataset.info.counts[split];
  const count = Math.min(available, options.samples ?? available);
  const session = await runtime.open(sourceOf(subject));
  try {
    const fetch = options.output === undefined ? undefined : [options.output];
    const run: LabelledRun = {
      ...runOver(session, subject, dataset, split, preprocess, count, fetch),
      ...(options.cancel === undefined ? {} : { cancel: options.cancel }),
    };
    const hits = await countHits(run, dataset, options.progress ?? (() => {}));
    const single = await run.make(indexList(run.input.batch ?? 1).map((i) => Math.min(i, count - 1)));
    const latencyMs = await measureLatency(session, { [run.input.name]: single }, clock, 1_000, fetch);
    return {
      top1: hits.scored ? hits.top1 / count : null,
      top5: hits.scored ? hits.top5 / count : null,
      interval95: hits.scored ? wilson95(hits.top1, count) : null,
      samples: count,
      split: `${split} (${dataset.info.splitRule})`,
      data: dataset.info.id,
      preprocess,
      latencyMs,
    };
  } finally {
    await session.release();
  }
}
