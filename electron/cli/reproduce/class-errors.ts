/** Owns reading a model's scores over a split: how many it gets wrong, by class, and after a bias on one class. */
import type { Cancel } from '#shared/base/cancel.ts';
import type { Model } from '#shared/ir/model.ts';
import { writeModel } from '#shared/onnx/write.ts';
import type { Dataset, Split } from '#shared/ports/dataset.ts';
import type { Runtime } from '#shared/ports/runtime.ts';
import { runBatches } from '#shared/training/batches.ts';
import { argmax, floatsOf } from '#shared/training/class-scores.ts';
import { runOver } from '#shared/training/evaluate.ts';
import { defaultPreprocess } from '#shared/training/preprocess.ts';

/** Scores of every sample, row by row, and the labels. */
export interface Scored {
  readonly classes: number;
  readonly scores: Float32Array;
  readonly labels: readonly number[];
}

export async function scoresOn(
  runtime: Runtime,
  model: Model,
  dataset: Dataset,
  split: Split,
  cancel: Cancel,
): Promise<Scored> {
  const session = await runtime.open({ bytes: writeModel(model) });
  try {
    const count = dataset.info.counts[split];
    const classes = dataset.info.classes.length;
    const run = { ...runOver(session, { model }, dataset, split, defaultPreprocess, count), cancel };
    const scores = new Float32Array(count * classes);
    const [output = ''] = session.outputNames;
    await runBatches(run, (outputs, indices) => {
      const tensor = outputs[output];
      if (tensor !== undefined) scores.set(floatsOf(tensor), (indices[0] ?? 0) * classes);
    });
    return { classes, scores, labels: Array.from({ length: count }, (_, i) => run.labels.get(i) ?? -1) };
  } finally {
    await session.release();
  }
}

/** The scores with `bias` added to one class. */
export function withBias(s: Scored, of: number, bias: number): Scored {
  const scores = s.scores.slice();
  for (let i = of; i < scores.length; i += s.classes) scores[i] = (scores[i] ?? 0) + bias;
  return { ...s, scores };
}

export interface Wrong {
  readonly errors: number;
  readonly samples: number;
  /** By true class. */
  readonly byClass: readonly { readonly errors: number; readonly samples: number }[];
}

export function wrongOf(s: Scored): Wrong {
  const byClass = Array.from({ length: s.classes }, () => ({ errors: 0, samples: 0 }));
  let errors = 0;
  s.labels.forEach((label, n) => {
    const wrong = argmax(s.scores, n, s.classes) === label ? 0 : 1;
    errors += wrong;
    const mine = byClass[label];
    if (mine === undefined) return;
    mine.errors += wrong;
    mine.samples++;
  });
  return { errors, samples: s.labels.length, byClass };
}

/** The bias on one class with which the fewest samples are wrong; the smallest of equals. */
export function bestBias(s: Scored, of: number): number {
  const gaps = s.labels.map((_, n) => {
    let top = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < s.classes; k++) if (k !== of) top = Math.max(top, s.scores[n * s.classes + k] ?? top);
    return top - (s.scores[n * s.classes + of] ?? 0);
  });
  const sorted = [0, ...gaps.filter((g) => g > 0)].sort((a, b) => a - b);
  const step = Math.ceil(sorted.length / 400);
  const tries = sorted.map((g, i) => (g + (sorted[i + 1] ?? g + 1)) / 2).filter((_, i) => i % step === 0);
  let best = { bias: 0, errors: wrongOf(s).errors };
  for (const bias of tries) {
    const { errors } = wrongOf(withBias(s, of, bias));
    if (errors < best.errors) best = { bias, errors };
  }
  return best.bias;
}

/** The data set without one class in its train and validation splits. The test split stays whole. */
export async function withoutClass(dataset: Dataset, gone: number): Promise<Dataset> {
  const kept = async (split: Split): Promise<readonly number[]> => {
    const all = Array.from({ length: dataset.info.counts[split] }, (_, i) => i);
    const samples = await dataset.read(split, all);
    return all.filter((i) => samples[i]?.label !== gone);
  };
  const places: Readonly<Record<'train' | 'validation', readonly number[]>> = {
    train: await kept('train'),
    validation: await kept('validation'),
  };
  return {
    info: {
      ...dataset.info,
      counts: { ...dataset.info.counts, train: places.train.length, validation: places.validation.length },
      splitRule: `${dataset.info.splitRule}; no ${dataset.info.classes[gone]} in train and validation`,
    },
    read: (split, indices) =>
      dataset.read(split, split === 'test' ? indices : indices.map((i) => places[split][i] ?? 0)),
  };
}
