/** Owns what the latency benchmark finds: each network's estimate beside its measurement, and what they say together. */
import { medianSorted, sampleRankCorrelation } from 'simple-statistics';
import { estimateLatency } from '#shared/analysis/latency/estimate-latency.ts';
import type { MachineProfile } from '#shared/devices/machine/machine-profile.ts';
import type { Model } from '#shared/ir/model.ts';

/** One network as it was timed; plain data, kept between calls. */
export interface Timed {
  /** Milliseconds a run, as timed. */
  readonly rawMs: number;
  /** How many times slower than in the middle of the calibration the fixed model of `machine-pace.ts` ran meanwhile. */
  readonly pace: number;
  /** Programs that wanted a processor meanwhile, a minute's mean. */
  readonly load: number;
  /** The next best measurement. */
  readonly againMs: number;
  /** Milliseconds of each node's kernel, as timed. */
  readonly layers: Readonly<Record<string, number>>;
}

export interface NetResult {
  readonly name: string;
  readonly estimatedMs: number;
  readonly plusMinusPercent: number;
  readonly measuredMs: number;
  readonly pace: number;
  readonly load: number;
  readonly againMs: number;
  /** Of the estimate against `measuredMs`. */
  readonly errorPercent: number;
  /** Absolute errors of the layers that take at least 50 us. */
  readonly layers: { readonly count: number; readonly medianErrorPercent: number | null };
  /** Every layer that was traced: milliseconds by form of kernel. */
  readonly traced: readonly { readonly form: string; readonly estimatedMs: number; readonly measuredMs: number }[];
  readonly guessed: readonly string[];
}

export interface BenchResult {
  readonly machine: string;
  readonly runtime: string;
  readonly date: string;
  readonly medianErrorPercent: number;
  /** The same against each measurement divided by the machine's pace meanwhile. */
  readonly medianAtPacePercent: number;
  readonly rankCorrelation: number;
  /** Share of networks within 10 %. */
  readonly within10: number;
  readonly repeatNoisePercent: number;
  /** Median over the networks. */
  readonly load: number;
  readonly networks: readonly NetResult[];
}

const shortestMs = 0.05;
const median = (list: readonly number[]): number =>
  list.length === 0 ? Number.NaN : medianSorted([...list].sort((a, b) => a - b));

export function netResult(name: string, model: Model, timed: Timed, profile: MachineProfile): NetResult | null {
  const found = estimateLatency(model, profile);
  if (found.ms === null || found.plusMinusPercent === null) return null;
  const measuredMs = timed.rawMs;
  const traced = found.layers.flatMap(({ id, form, ms }) => {
    const real = timed.layers[id];
    // The trace's own time is in each layer that it tells.
    return ms === null || form === null || real === undefined
      ? []
      : [{ form, estimatedMs: ms - profile.call.kernel, measuredMs: real }];
  });
  const layers = traced
    .filter((l) => l.measuredMs >= shortestMs)
    .map((l) => Math.abs(l.estimatedMs / l.measuredMs - 1) * 100);
  return {
    name,
    estimatedMs: found.ms,
    plusMinusPercent: found.plusMinusPercent,
    measuredMs,
    pace: timed.pace,
    load: timed.load,
    againMs: timed.againMs,
    errorPercent: (found.ms / measuredMs - 1) * 100,
    layers: { count: layers.length, medianErrorPercent: layers.length === 0 ? null : median(layers) },
    traced,
    guessed: found.guessed,
  };
}

export function benchResult(networks: readonly NetResult[], profile: MachineProfile, date: string): BenchResult {
  const { machine, runtime } = profile;
  const estimated = networks.map((n) => n.estimatedMs);
  return {
    machine,
    runtime,
    date,
    medianErrorPercent: median(networks.map((n) => Math.abs(n.errorPercent))),
    medianAtPacePercent: median(networks.map((n) => Math.abs((n.estimatedMs * n.pace) / n.measuredMs - 1) * 100)),
    rankCorrelation: sampleRankCorrelation(
      estimated,
      networks.map((n) => n.measuredMs),
    ),
    within10: networks.filter((n) => Math.abs(n.errorPercent) <= 10).length / Math.max(1, networks.length),
    load: median(networks.map((n) => n.load)),
    repeatNoisePercent: median(networks.map((n) => Math.abs(n.againMs / n.measuredMs - 1) * 100)),
    networks,
  };
}
