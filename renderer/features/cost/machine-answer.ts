/** Owns what this computer would make of the recipe, by its calibration: the opened model beside the result. Plain data. */
import { estimateLatency, type LatencyEstimate } from '#shared/analysis/latency/estimate-latency.ts';
import { type WhyNotFaster, whyNotFaster } from '#shared/analysis/latency/why-not-faster.ts';
import type { MachineProfile } from '#shared/devices/machine/machine-profile.ts';
import type { Model } from '#shared/ir/model.ts';
import type { Step } from '#shared/recipes/recipe.ts';
import type { Summaries } from '#shared/techniques/declare.ts';
import type { Editable } from '../../state/document.ts';
import { listsOf, previewSteps } from '../../state/preview-steps.ts';

export interface MachineRequest {
  readonly edit: Editable;
  /** The step under a slider. */
  readonly draft: Step | null;
  readonly profile: MachineProfile;
}

export interface MachineFigure {
  /** Milliseconds a run. */
  readonly ms: number;
  /** Four of five outcomes lie within. */
  readonly plusMinusPercent: number;
  /** Kinds of kernels that calibration never met. */
  readonly guessed: readonly string[];
}

/** null: a size is unknown. */
export interface MachineAnswer {
  readonly before: MachineFigure | null;
  readonly now: MachineFigure | null;
  /** Why the result is no faster, by its kernels. */
  readonly because: readonly WhyNotFaster[];
}

function figureOf({ ms, plusMinusPercent, guessed }: LatencyEstimate): MachineFigure | null {
  return ms === null || plusMinusPercent === null ? null : { ms, plusMinusPercent, guessed };
}

/** Where the draft, or the last steps, cannot be previewed, the answer is that of what comes before. */
export function machineAnswer(
  model: Model,
  { edit, draft, profile }: MachineRequest,
  summaries: Summaries | undefined,
): MachineAnswer | null {
  const steps = edit.steps.map((s) => s.step);
  for (const list of listsOf(steps, draft)) {
    try {
      const result = list.length === 0 ? model : previewSteps(model, edit, list, summaries).model;
      const shapes = { inputs: edit.shapes };
      const before = estimateLatency(model, profile, shapes);
      if (result === model) return { before: figureOf(before), now: figureOf(before), because: [] };
      const now = estimateLatency(result, profile, shapes);
      return { before: figureOf(before), now: figureOf(now), because: whyNotFaster(before, now) };
    } catch {
      // the screen's own preview says what is wrong with that step
    }
  }
  return null;
}
