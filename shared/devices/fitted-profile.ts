/** Owns the profile that measured runs give: fitted rates as peaks and shares, and how well it meets what it did not see. */
import { median } from 'simple-statistics';
import { text } from '../base/text.ts';
import { estimateOn } from './estimate.ts';
import { type FittedRates, fitRates, type MeasuredRun } from './fit-rates.ts';
import type { LayerClass } from './layer-work.ts';
import {
  type ClassProfile,
  type DeviceProfile,
  type PeakType,
  parseDeviceProfile,
  peakTypes,
  profileVersion,
  type Quantity,
  type Unit,
} from './profile.ts';

/** What is told of the device that was measured. */
export interface MeasuredDevice {
  readonly id: string;
  readonly name: string;
  readonly kind: DeviceProfile['kind'];
  readonly year: number;
  readonly unit: Unit['kind'];
  readonly software: string;
  /** Where the results stand and when they were measured. */
  readonly source: { readonly title: string; readonly address: string; readonly date: string };
  readonly memoryBytes?: number;
}

export interface FittedProfile {
  readonly profile: DeviceProfile;
  /** Relative errors of the runs under the profile that was fitted to all of them. */
  readonly medianError: number;
  readonly worst: { readonly id: string; readonly error: number };
  /** Median error of runs that the fit had not seen: five fits, each without a fifth of the runs. null: too few runs. */
  readonly unseenError: number | null;
}

const rounded = (value: number): number => Number(value.toPrecision(4));

function profileOf(device: MeasuredDevice, fit: FittedRates, runs: number): DeviceProfile {
  const said = `${runs} runs of the device kit (results)`;
  const fitted = (value: number, what: string): Quantity => ({ value: rounded(value), fitted: `${what}, ${said}` });
  const peaks = new Map<PeakType, number>();
  for (const byType of fit.rates.values())
    for (const [type, rate] of byType) peaks.set(type, Math.max(peaks.get(type) ?? 0, rate));
  const bandwidth = Math.max(0, ...fit.bandwidths.values());
  const classes: Partial<Record<LayerClass | 'default', ClassProfile>> = {};
  for (const kernel of new Set([...fit.rates.keys(), ...fit.bandwidths.keys()])) {
    const utilisation: Partial<Record<PeakType, Quantity>> = {};
    for (const [type, rate] of fit.rates.get(kernel) ?? [])
      utilisation[type] = fitted(rate / (peaks.get(type) ?? rate), 'rate of the class over the peak');
    const own = fit.bandwidths.get(kernel);
    classes[kernel] = {
      ...(fit.rates.has(kernel) ? { utilisation } : {}),
      ...(own === undefined
        ? {}
        : { bandwidthShare: fitted(own / bandwidth, 'bandwidth of the class over the highest') }),
    };
  }
  // Classes that no run had: as convolutions.
  const conv = fit.rates.get('conv') ?? [...fit.rates.values()][0];
  if (conv !== undefined)
    classes.default = {
      utilisation: Object.fromEntries(
        [...conv].map(([type, rate]) => [
          type,
          {
            value: rounded(rate / (peaks.get(type) ?? rate)),
            assumed: 'as convolutions: the kit has no run of this class',
          },
        ]),
      ),
    };
  const peak = Object.fromEntries(
    peakTypes.map((type) => {
      const rate = peaks.get(type as PeakType);
      return [type, rate === undefined ? null : fitted(rate, 'highest rate of all classes')];
    }),
  );
  const cost = (us: number, what: string): Quantity => (us > 1e-3 ? fitted(us, what) : null);
  return parseDeviceProfile({
    bantam: profileVersion,
    id: device.id,
    name: device.name,
    kind: device.kind,
    year: device.year,
    memory: {
      kind: 'as measured',
      bytes:
        device.memoryBytes === undefined
          ? null
          : { value: device.memoryBytes, source: 'results', date: device.source.date },
      bandwidth: bandwidth > 0 ? fitted(bandwidth, 'highest bandwidth of all classes') : null,
    },
    units: [
      {
        id: device.unit,
        name: device.name,
        kind: device.unit,
        software: device.software,
        peak,
        // The runtime widens what it has no kernels for.
        computesAs: peaks.has('fp16')
          ? { int4: 'fp32', binary: 'fp32' }
          : { fp16: 'fp32', int4: 'fp32', binary: 'fp32' },
        classes,
        launchUs: cost(fit.launchUs, 'cost of a kernel'),
        runUs: cost(fit.runUs, 'cost of a run'),
        bandwidth: null,
        onChip: null,
        operators: 'all',
        fallback: null,
      },
    ],
    energy: null,
    notes: [],
    sources: { results: device.source },
  });
}

const errorOn = (profile: DeviceProfile, run: MeasuredRun): number => {
  const ms = estimateOn(profile, run.layers)?.ms ?? null;
  return ms === null ? 1 : Math.abs(ms / run.ms - 1);
};

const parts = 5;

/** Fits a profile to runs; at least one. The errors stand in its notes. */
export function fitProfile(device: MeasuredDevice, runs: readonly MeasuredRun[]): FittedProfile {
  const profile = profileOf(device, fitRates(runs), runs.length);
  const errors = runs.map((r) => ({ id: r.id, error: errorOn(profile, r) }));
  const worst = errors.reduce((a, b) => (b.error > a.error ? b : a));
  const medianError = median(errors.map((e) => e.error));
  const unseen =
    runs.length < 2 * parts
      ? null
      : Array.from({ length: parts }, (_, part) => {
          const seen = runs.filter((_, k) => k % parts !== part);
          const without = profileOf(device, fitRates(seen), seen.length);
          return runs.filter((_, k) => k % parts === part).map((r) => errorOn(without, r));
        }).flat();
  const unseenError = unseen === null ? null : median(unseen);
  const percent = (x: number): string => `${(x * 100).toFixed(1)} %`;
  const said = { n: runs.length, median: percent(medianError), worst: `${percent(worst.error)} (${worst.id})` };
  const unseenText = unseenError === null ? null : percent(unseenError);
  const note = text(
    `Fitted to ${said.n} runs: median error ${said.median}, worst ${said.worst}${unseenText === null ? '' : `; on runs that the fit had not seen, median ${unseenText}`}.`,
    `실행 ${said.n}건에 맞춘 프로필: 오차 중앙값 ${said.median}, 최대 ${said.worst}${unseenText === null ? '' : `, 맞출 때 쓰지 않은 실행에서는 중앙값 ${unseenText}`}.`,
  );
  return { profile: { ...profile, notes: [note] }, medianError, worst, unseenError };
}
