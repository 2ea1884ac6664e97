/** Owns the evidence of a step in a job: training (for trials validation) samples through the model. */
import type { Evidence, EvidenceRequest } from '#shared/analysis/evidence.ts';
import type { Model } from '#shared/ir/model.ts';
import type { EvidenceBatch, EvidenceSource } from '#shared/training/evidence-source.ts';
import { gatherEvidence } from '#shared/training/gather-evidence.ts';
import { modelInput } from '#shared/training/model-input.ts';
import { preprocessBatch } from '#shared/training/preprocess.ts';
import { type StepData, spread } from './calibrate-step.ts';
import type { WorkParts } from './work-parts.ts';

/** Samples of a split spread evenly, in batches as the model takes them; without validation samples, training ones. */
export const evidenceSource =
  ({ dataset, preprocess }: StepData): EvidenceSource =>
  (model, split, samples) => {
    const input = modelInput(model);
    const size = input.batch ?? 1;
    const from = dataset.info.counts[split] > 0 ? split : 'train';
    const indices = spread(dataset.info.counts[from], samples);
    return {
      async *[Symbol.asyncIterator](): AsyncGenerator<EvidenceBatch> {
        for (let at = 0; at < indices.length; at += size) {
          // A fixed batch is filled up with the last sample.
          const some = Array.from({ length: size }, (_, k) => indices[Math.min(at + k, indices.length - 1)] ?? 0);
          const read = await dataset.read(from, some);
          yield {
            feeds: { [input.name]: preprocessBatch(read, dataset.info.sample, input, preprocess) },
            labels: read.map((s) => s.label),
            real: Math.min(size, indices.length - at),
          };
        }
      },
    };
  };

/** What the step asked for. Faults: as `gatherEvidence`; `does-not-fit` where data and input disagree. */
export const evidenceStep = (
  parts: WorkParts,
  data: StepData,
  model: Model,
  request: EvidenceRequest,
  seed: number,
  report: (share: number) => void,
): Promise<Evidence> =>
  gatherEvidence({
    runtime: parts.runtime,
    model,
    request,
    source: evidenceSource(data),
    seed,
    cancel: parts.cancel,
    report,
  });
