/** Owns what a device would make of the recipe: the estimate of the opened model beside that of the result. Plain data. */

import { worksOf } from '#shared/analysis/latency/works-of.ts';
import { devices } from '#shared/devices/catalogue.ts';
import { type DeviceEstimate, estimateOn } from '#shared/devices/estimate.ts';
import type { DeviceProfile } from '#shared/devices/profile.ts';
import type { Refusal } from '#shared/devices/roofline.ts';
import type { Model } from '#shared/ir/model.ts';
import type { Step } from '#shared/recipes/recipe.ts';
import type { Summaries } from '#shared/techniques/declare.ts';
import { checkLatencies, medianError } from '#shared/zoo/check-latency.ts';
import { publishedLatencies } from '#shared/zoo/published-latency.ts';
import type { Editable } from '../../state/document.ts';
import { listsOf, previewSteps } from '../../state/preview-steps.ts';

export interface DeviceRequest {
  readonly edit: Editable;
  /** The step under a slider. */
  readonly draft: Step | null;
  /** The profile whole: it may be the person's own. */
  readonly profile: DeviceProfile;
  readonly unit: string;
}

/** An estimate without its layers, and why layers were refused: each reason once, with how many. */
export interface DeviceSummary extends Omit<DeviceEstimate, 'layers'> {
  readonly refused: readonly { readonly why: Refusal; readonly layers: number }[];
}

export interface DeviceAnswer {
  readonly before: DeviceSummary;
  readonly now: DeviceSummary;
  /** Published latencies that this unit's estimates were held against, and their median error; null: none. */
  readonly check: { readonly rows: number; readonly medianError: number } | null;
}

function summaryOf(profile: DeviceProfile, unit: string, model: Model, edit: Editable): DeviceSummary | null {
  const { layers } = worksOf(model, { inputs: edit.shapes });
  const found = estimateOn(profile, layers, unit);
  if (found === null) return null;
  const reasons = new Map<string, { why: Refusal; layers: number }>();
  for (const { refused } of found.layers) {
    if (refused === undefined) continue;
    const key = JSON.stringify(refused);
    reasons.set(key, { why: refused, layers: (reasons.get(key)?.layers ?? 0) + 1 });
  }
  const { layers: _, ...rest } = found;
  return { ...rest, refused: [...reasons.values()].sort((a, b) => b.layers - a.layers) };
}

const checks = new Map<string, DeviceAnswer['check']>();

/** Builds the networks that were published: some tens of milliseconds, once a unit. */
function checkOf(profile: DeviceProfile, unit: string): DeviceAnswer['check'] {
  const device = profile.id;
  // Published latencies hold for the profile that ships, not for another of its name.
  if (JSON.stringify(devices().find((d) => d.id === device)) !== JSON.stringify(profile)) return null;
  const key = `${device} ${unit}`;
  const known = checks.get(key);
  if (known !== undefined) return known;
  const rows = checkLatencies(
    publishedLatencies.filter((r) => r.device === device && r.unit === unit && r.fitted !== true),
  );
  const error = medianError(rows);
  const found = error === null ? null : { rows: rows.length, medianError: error };
  checks.set(key, found);
  return found;
}

/** The answer; where the draft, or the last steps, cannot be previewed, that of what comes before. null: no such unit. */
export function deviceAnswer(
  model: Model,
  request: DeviceRequest,
  summaries: Summaries | undefined,
): DeviceAnswer | null {
  const { edit, draft, profile, unit } = request;
  const steps = edit.steps.map((s) => s.step);
  for (const list of listsOf(steps, draft)) {
    try {
      const preview = previewSteps(model, edit, list, summaries);
      const before = summaryOf(profile, unit, model, edit);
      const now = list.length === 0 ? before : summaryOf(profile, unit, preview.model, edit);
      return before === null || now === null ? null : { before, now, check: checkOf(profile, unit) };
    } catch {
      // the screen's own preview says what is wrong with that step
    }
  }
  return null;
}
