/** Owns what runs a recipe's steps in Node: calibration and training over the job's data, its progress and log. */
import type { StepHost } from '#shared/techniques/run-step.ts';
import { calibrateStep, type StepData } from './calibrate-step.ts';
import type { Checkpoint } from './checkpoint.ts';
import { evidenceStep } from './evidence-step.ts';
import { trainStep } from './train-step.ts';
import type { WorkParts } from './work-parts.ts';

/** Without data a step that needs some faults with `no-data`. Only training samples are ever read here. */
export function stepHost(parts: WorkParts, data: StepData | undefined, checkpoint?: Checkpoint): StepHost {
  const { cancel, report } = parts;
  const plain: StepHost = { cancel, progress: report.progress, log: report.log };
  if (data === undefined) return plain;
  const { labelled, classes } = data.dataset.info;
  return {
    ...plain,
    ...(labelled ? { classes } : {}),
    calibrate: (model, request, share) => calibrateStep(parts, data, model, request, share),
    evidence: (model, request, context, share) => evidenceStep(parts, data, model, request, context.seed, share),
    train: (model, request, context, share) => trainStep(parts, data, model, request, context.seed, share, checkpoint),
  };
}
