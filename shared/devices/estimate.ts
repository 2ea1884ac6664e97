/** Owns the estimate of a whole model on a device: each layer on the unit that takes it, what falls back, what does not fit. */
import { peakLayerBytes } from './activation-bytes.ts';
import { energyRatesOf, horowitz2014, layerEnergyMj } from './energy.ts';
import type { LayerWork } from './layer-work.ts';
import type { DeviceProfile, PeakType, Unit } from './profile.ts';
import { type Bound, layerTime, type Refusal, refusalOf, type Traffic } from './roofline.ts';

export interface LayerEstimate {
  readonly id: string;
  readonly op: string;
  readonly kernel: LayerWork['kernel'];
  /** The type in the graph, and the one that the unit computes in. */
  readonly type: LayerWork['type'];
  readonly computedIn: PeakType | null;
  /** null: nobody can time it. */
  readonly ms: number | null;
  readonly bound: Bound | null;
  /** Unit that runs it; null: none that the profile describes. */
  readonly unit: string | null;
  /** Why the asked unit does not take it. */
  readonly refused?: Refusal;
  readonly energyMj: number | null;
}

export interface MemoryNeed {
  readonly weightBytes: number | null;
  readonly activationBytes: number | null;
  readonly deviceBytes: number | null;
  /** null: one of the figures is unknown. */
  readonly fits: boolean | null;
  /** On-chip memory of the unit, and whether what it is for fits; null where the unit has none that is known. */
  readonly onChip: { readonly bytes: number; readonly needed: number; readonly fits: boolean } | null;
}

export interface DeviceEstimate {
  readonly device: string;
  readonly unit: string;
  /** Milliseconds of the layers that could be timed, with the run's own cost; null where none could, or memory is too small. */
  readonly ms: number | null;
  /** Layers without a time; their cost is not in `ms`. */
  readonly notTimed: number;
  /** Layers that another unit than the asked one runs. */
  readonly fallenBack: number;
  readonly layers: readonly LayerEstimate[];
  readonly memory: MemoryNeed;
  /** Sum over the layers whose energy is known; null where none is. */
  readonly energyMj: number | null;
  readonly energyNotKnown: number;
  /** Whose energy figures: the device's own, or those of 45 nm logic in general. */
  readonly energyOf: 'device' | 'general';
  /** Milliseconds by what bounds them. */
  readonly byBound: Readonly<Record<Bound, number>>;
}

const sumOrNull = (values: readonly (number | null)[]): number | null => {
  let sum = 0;
  for (const v of values) {
    if (v === null) return null;
    sum += v;
  }
  return sum;
};

/** Bytes that go in at the first layer and come out of the last: what a cable carries at a run. */
const inOutBytes = (layers: readonly LayerWork[]): number =>
  (layers[0]?.bytesRead ?? 0) + (layers.at(-1)?.bytesWritten ?? 0);

/** The unit asked for: the first of the profile, or the one of that id. */
export const unitOf = (profile: DeviceProfile, id?: string): Unit | undefined =>
  id === undefined ? profile.units[0] : profile.units.find((u) => u.id === id);

const floatBytes: Readonly<Partial<Record<LayerWork['type'], number>>> = { fp32: 4, fp16: 2 };

/** A layer with its bytes in the float type that the unit computes it in; its own type stays. */
function asComputed(unit: Unit, layer: LayerWork): LayerWork {
  const as = layer.type === 'other' ? undefined : unit.computesAs?.[layer.type];
  const [from, to] = [floatBytes[layer.type], as === undefined ? undefined : floatBytes[as]];
  if (from === undefined || to === undefined || from === to) return layer;
  const part = (bytes: number | null): number | null => (bytes === null ? null : (bytes * to) / from);
  return {
    ...layer,
    bytesRead: part(layer.bytesRead),
    bytesWritten: part(layer.bytesWritten),
    weightBytes: part(layer.weightBytes),
  };
}

/** A unit's memory on the chip as the layers come. */
interface Chip {
  /** What a layer would move; null where a size is unknown. */
  readonly trafficOf: (layer: LayerWork) => Traffic | null;
  /** Keeps what fits of a layer's weights: only for layers that the unit runs. */
  readonly take: (layer: LayerWork) => void;
}

function chipOf(unit: Unit, activationBytes: number | null): Chip {
  const size = unit.onChip?.bytes?.value ?? 0;
  const holds = unit.onChip?.holds;
  let left = holds === 'all' ? Math.max(0, size - (activationBytes ?? size)) : holds === 'weights' ? size : 0;
  return {
    trafficOf: ({ weightBytes, bytesRead, bytesWritten }) => {
      if (weightBytes === null || bytesRead === null || bytesWritten === null) return null;
      const moved = bytesRead + bytesWritten;
      const keeps = (holds === 'activations' || holds === 'all') && moved <= size;
      const inside = Math.min(weightBytes, left) + (keeps ? moved : 0);
      return { memory: weightBytes + moved - inside, chip: inside };
    },
    // First come, first kept; the rest comes from memory at every run.
    take: ({ weightBytes }) => {
      left -= Math.min(weightBytes ?? 0, left);
    },
  };
}

const isTime = (of: { readonly ms: number } | Refusal): of is Exclude<ReturnType<typeof layerTime>, Refusal> =>
  'ms' in of;

function memoryOf(profile: DeviceProfile, unit: Unit, layers: readonly LayerWork[]): MemoryNeed {
  const weightBytes = sumOrNull(layers.map((l) => l.weightBytes));
  const activationBytes = peakLayerBytes(layers);
  const deviceBytes = profile.memory.bytes?.value ?? null;
  const size = unit.onChip?.bytes?.value ?? null;
  const needed =
    unit.onChip === null || weightBytes === null || activationBytes === null
      ? null
      : { weights: weightBytes, activations: activationBytes, all: weightBytes + activationBytes }[unit.onChip.holds];
  return {
    weightBytes,
    activationBytes,
    deviceBytes,
    fits:
      deviceBytes === null || weightBytes === null || activationBytes === null
        ? null
        : weightBytes + activationBytes <= deviceBytes,
    onChip: size === null || needed === null ? null : { bytes: size, needed, fits: needed <= size },
  };
}

/**
 * The estimate of a model's layers (`worksOf`) on a device. A layer that its unit refuses goes to the unit's fallback, and on; one
 * that nobody takes, or whose work or rate is unknown, has no time and is counted in `notTimed`.
 */
export function estimateOn(
  profile: DeviceProfile,
  works: readonly LayerWork[],
  unitId?: string,
): DeviceEstimate | null {
  const unit = unitOf(profile, unitId);
  if (unit === undefined) return null;
  const layers = works.map((l) => asComputed(unit, l));
  const rates = energyRatesOf(profile);
  const memory = memoryOf(profile, unit, layers);
  const chips = new Map(profile.units.map((u) => [u.id, chipOf(u, memory.activationBytes)]));
  const byBound = { compute: 0, memory: 0, launch: 0 };
  const used = new Set<string>();
  const rows = works.map((work): LayerEstimate => {
    const row = { id: work.id, op: work.op, kernel: work.kernel, type: work.type };
    let refused: Refusal | undefined;
    for (let at: Unit | undefined = unit, left = profile.units.length; at !== undefined && left > 0; left--) {
      const bandwidth = at.bandwidth?.value ?? profile.memory.bandwidth?.value ?? null;
      const layer = asComputed(at, work);
      const chip = chips.get(at.id);
      const traffic = chip?.trafficOf(layer) ?? null;
      const time = traffic === null ? (refusalOf(at, layer) ?? unknownWork) : layerTime(at, layer, traffic, bandwidth);
      if (isTime(time) && traffic !== null) {
        chip?.take(layer);
        used.add(at.id);
        byBound[time.bound] += time.ms;
        const energyMj = layerEnergyMj(rates, layer, time.type, traffic.memory, traffic.chip);
        const more = refused === undefined ? {} : { refused };
        return { ...row, ms: time.ms, bound: time.bound, unit: at.id, computedIn: time.type, energyMj, ...more };
      }
      if (!isTime(time)) refused ??= time;
      const { fallback } = at as Unit;
      at = fallback === null ? undefined : profile.units.find((u) => u.id === fallback);
    }
    const why = refused === undefined ? {} : { refused };
    return { ...row, ms: null, bound: null, unit: null, computedIn: null, energyMj: null, ...why };
  });
  const timed = rows.filter((r) => r.ms !== null);
  const known = rows.filter((r) => r.energyMj !== null);
  const link = unit.link?.value ?? null;
  const handing = link === null ? 0 : (inOutBytes(layers) / link) * 1e3;
  const runMs = [...used].reduce((ms, id) => ms + (unitOf(profile, id)?.runUs?.value ?? 0) / 1e3, 0) + handing;
  byBound.launch += runMs;
  return {
    device: profile.id,
    unit: unit.id,
    ms: timed.length === 0 || memory.fits === false ? null : timed.reduce((ms, r) => ms + (r.ms ?? 0), 0) + runMs,
    notTimed: rows.length - timed.length,
    fallenBack: timed.filter((r) => r.unit !== unit.id).length,
    layers: rows,
    memory,
    energyMj: known.length === 0 ? null : known.reduce((mj, r) => mj + (r.energyMj ?? 0), 0),
    energyNotKnown: rows.length - known.length,
    energyOf: rates === horowitz2014 ? 'general' : 'device',
    byBound,
  };
}

const unknownWork: Refusal = { kind: 'unknown', what: 'work' };
