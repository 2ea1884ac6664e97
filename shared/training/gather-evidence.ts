/**
 * Owns gatherEvidence: what a step asked of samples, gathered over the Runtime port. Only training samples are read, and
 * validation samples for trials; never test samples.
 */
import { type Evidence, type EvidenceRequest, evidenceFrom, type ParameterGradient } from '../analysis/evidence.ts';
import { observe } from '../analysis/observe.ts';
import { type Cancel, checkCancel } from '../base/cancel.ts';
import type { Model } from '../ir/model.ts';
import type { Feeds, Runtime } from '../ports/runtime.ts';
import type { EvidenceBatch, EvidenceSource } from './evidence-source.ts';
import { takeTaylor } from './taylor.ts';
import { judgeTrials } from './trials.ts';

export interface EvidenceParts {
  readonly runtime: Runtime;
  /** The model that enters the step. */
  readonly model: Model;
  readonly request: EvidenceRequest;
  readonly source: EvidenceSource;
  readonly seed: number;
  readonly cancel: Cancel;
  readonly report?: (share: number) => void;
}

async function* feedsOf(batches: AsyncIterable<EvidenceBatch>): AsyncGenerator<Feeds> {
  for await (const b of batches) yield b.feeds;
}

/** Faults: `no-data` without samples, `no-rule` where a gradient has none, `unsupported`, `runtime`. Throws Cancelled. */
export async function gatherEvidence(parts: EvidenceParts): Promise<Evidence> {
  const { runtime, request, source, seed, cancel, report = () => {} } = parts;
  const model = request.model ?? parts.model;
  const { taylor, trials = [] } = request;
  const stages = [
    (request.channels ?? []).length + (request.rows ?? []).length > 0,
    taylor !== undefined,
    trials.length > 0,
  ];
  const share = 1 / Math.max(1, stages.filter(Boolean).length);
  let done = 0;
  const part = (s: number): void => report(done + s * share);
  const observed = await observe(
    runtime,
    model,
    request,
    feedsOf(source(model, 'train', request.samples)),
    seed,
    cancel,
    part,
  );
  if (stages[0] === true) done += share;
  checkCancel(cancel);
  const gradients =
    taylor === undefined
      ? { gradients: new Map<string, ParameterGradient>(), taylor: new Map<string, Float64Array>() }
      : await takeTaylor({ runtime, model, request: taylor, source, samples: request.samples, cancel, report: part });
  if (stages[1] === true) done += share;
  checkCancel(cancel);
  const scores =
    trials.length === 0
      ? new Map()
      : await judgeTrials({
          runtime,
          model: parts.model,
          trials,
          source,
          samples: request.samples,
          cancel,
          report: part,
        });
  report(1);
  return evidenceFrom({ ...observed, ...gradients, trials: scores });
}
