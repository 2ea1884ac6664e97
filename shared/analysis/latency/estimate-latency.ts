/** Owns estimateLatency: what a model takes on a calibrated machine, from its kernels, before anything runs. */
import { coldShare, kernelEstimate, type MachineProfile } from '../../devices/machine/machine-profile.ts';
import type { Model } from '../../ir/model.ts';
import type { ShapeChoice } from '../figures.ts';
import { runtimeKernels } from './runtime-kernels.ts';
import { type Works, worksOf } from './works-of.ts';

export interface LayerLatency {
  /** Node id. */
  readonly id: string;
  readonly op: string;
  /** Milliseconds, with the changes of layout before it; 0 where another's kernel computes it; null: a size is unknown. */
  readonly ms: number | null;
  /** What kind of kernel the runtime takes. */
  readonly form: string | null;
  /** True where calibration met no such kernel, so that its time is the machine's mean for so many bytes. */
  readonly guessed: boolean;
}

export interface LatencyEstimate {
  /** Milliseconds a run; null: a size is unknown somewhere. */
  readonly ms: number | null;
  /** Four of five outcomes lie within, by what calibration found of itself. */
  readonly plusMinusPercent: number | null;
  readonly layers: readonly LayerLatency[];
  /** Milliseconds of changes of layout, and of weights decoded in every run; at their place in `layers` too. */
  readonly reorderMs: number;
  readonly decodeMs: number;
  /** Kinds of kernels that calibration never met, each once. */
  readonly guessed: readonly string[];
}

/** A kernel that was never met: milliseconds a byte, a multiply-accumulate and a call. */
const guessByteMs = 2e-7;
const guessMacMs = 1e-7;
const guessCallMs = 0.01;
const guessError = 0.7;
/** Four of five of a normal distribution lie within so many deviations. */
const fourOfFive = 1.28;

export function estimateLatency(model: Model, profile: MachineProfile, shapes?: ShapeChoice): LatencyEstimate {
  return estimateWorks(worksOf(model, shapes), profile);
}

export function estimateWorks({ layers, views }: Works, profile: MachineProfile): LatencyEstimate {
  const placed = runtimeKernels(layers, profile.block);
  const cold = coldShare(
    profile,
    placed.reduce((sum, p) => sum + (p.kernel?.weightBytes ?? 0), 0),
  );
  const ms = new Map<number, number>();
  const forms = new Map<number, string>();
  const guessed = new Set<string>();
  const guessedLayers = new Set<number>();
  const unknownLayers = new Set<number>();
  let [total, deviation, reorderMs, decodeMs] = [profile.call.run + views * profile.call.view, 0, 0, 0];
  for (const { layer, before, kernel } of placed) {
    if (kernel === undefined) {
      unknownLayers.add(layer ?? before);
      continue;
    }
    const at = layer ?? Math.min(before, layers.length - 1);
    const found = kernelEstimate(profile, kernel, cold);
    if (found === undefined) {
      guessed.add(kernel.form);
      guessedLayers.add(at);
    }
    const own = found?.ms ?? guessCallMs + guessByteMs * (kernel.bytes + kernel.weightBytes) + guessMacMs * kernel.macs;
    const its = Math.max(profile.call.scale * own + profile.call.kernel, own / 6);
    total += its;
    deviation += (its * (found?.error ?? guessError)) ** 2;
    if (kernel.form === 'decode') decodeMs += its;
    else if (layer === null) reorderMs += its;
    else forms.set(layer, kernel.form);
    ms.set(at, (ms.get(at) ?? 0) + its);
  }
  // Errors of single kernels average out; what calibration got wrong of whole chains does not.
  const spread = Math.sqrt((fourOfFive * Math.sqrt(deviation)) ** 2 / total ** 2 + profile.spread.most ** 2);
  return {
    ms: unknownLayers.size > 0 ? null : total,
    plusMinusPercent: unknownLayers.size > 0 ? null : 100 * spread,
    layers: layers.map((l, k) => ({
      id: l.id,
      op: l.op,
      ms: ms.get(k) ?? (unknownLayers.has(k) ? null : 0),
      form: forms.get(k) ?? null,
      guessed: guessedLayers.has(k),
    })),
    reorderMs,
    decodeMs,
    guessed: [...guessed],
  };
}
