/** Owns judgeTrials: candidate models against the one that enters the step, on validation samples. */
import type { Trial, TrialScore } from '../analysis/evidence.ts';
import { type Cancel, checkCancel } from '../base/cancel.ts';
import type { Model } from '../ir/model.ts';
import { writeModel } from '../onnx/write.ts';
import type { Runtime } from '../ports/runtime.ts';
import { argmax, classCount, floatsOf } from './class-scores.ts';
import { checkSeen, type EvidenceBatch, type EvidenceSource } from './evidence-source.ts';

export interface TrialParts {
  readonly runtime: Runtime;
  readonly model: Model;
  readonly trials: readonly Trial[];
  readonly source: EvidenceSource;
  readonly samples: number;
  readonly cancel: Cancel;
  readonly report: (share: number) => void;
}

/** First output of every batch. */
interface Answer {
  readonly values: Float32Array;
  readonly classes: number | undefined;
}

async function answers(parts: TrialParts, model: Model, batches: readonly EvidenceBatch[]): Promise<readonly Answer[]> {
  const session = await parts.runtime.open({ bytes: writeModel(model) });
  try {
    const out: Answer[] = [];
    const [name = ''] = session.outputNames;
    for (const b of batches) {
      checkCancel(parts.cancel);
      const tensor = (await session.run(b.feeds, [name]))[name];
      if (tensor === undefined) continue;
      out.push({ values: floatsOf(tensor).slice(), classes: classCount(tensor.dims, b.labels.length) });
    }
    return out;
  } finally {
    await session.release();
  }
}

function score(batches: readonly EvidenceBatch[], base: readonly Answer[], now: readonly Answer[]): TrialScore {
  let [signal, noise, labelled, right, baseRight, agree, answered] = [0, 0, 0, 0, 0, 0, 0];
  batches.forEach((b, i) => {
    const [was, is] = [base[i], now[i]];
    if (was === undefined || is === undefined) return;
    const each = was.values.length / Math.max(1, b.labels.length);
    for (let k = 0; k < each * b.real; k++) {
      const v = was.values[k] ?? 0;
      signal += v * v;
      noise += (v - (is.values[k] ?? 0)) ** 2;
    }
    const { classes } = was;
    if (classes === undefined) return;
    for (let n = 0; n < b.real; n++) {
      const [mine, theirs] = [argmax(is.values, n, classes), argmax(was.values, n, classes)];
      const label = b.labels[n] ?? null;
      answered++;
      if (mine === theirs) agree++;
      if (label === null) continue;
      labelled++;
      if (mine === label) right++;
      if (theirs === label) baseRight++;
    }
  });
  const share = (part: number, of: number): number | null => (of === 0 ? null : part / of);
  return {
    accuracy: share(right, labelled),
    baseAccuracy: share(baseRight, labelled),
    agreement: share(agree, answered),
    sqnrDb: noise === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(signal / noise),
  };
}

/** A score per trial. The samples are held in memory once; candidates are made, run and dropped one after the other. */
export async function judgeTrials(parts: TrialParts): Promise<ReadonlyMap<string, TrialScore>> {
  const batches: EvidenceBatch[] = [];
  for await (const b of parts.source(parts.model, 'validation', parts.samples)) batches.push(b);
  checkSeen(batches.length);
  const base = await answers(parts, parts.model, batches);
  const scores = new Map<string, TrialScore>();
  for (const [k, { key, model }] of parts.trials.entries()) {
    scores.set(key, score(batches, base, await answers(parts, model(), batches)));
    parts.report((k + 1) / parts.trials.length);
  }
  return scores;
}
