/**
 * Owns the roofline estimate of a layer on a unit (Williams, Waterman, Patterson 2009): the slower of arithmetic and memory, and
 * the fixed cost of a kernel. Nothing is measured here; what is unknown stays unknown.
 */
import type { LayerClass, LayerWork } from './layer-work.ts';
import type { ClassProfile, PeakType, Quantity, Unit } from './profile.ts';

export type Bound = 'compute' | 'memory' | 'launch';

export interface LayerTime {
  readonly ms: number;
  readonly computeMs: number;
  readonly memoryMs: number;
  readonly launchMs: number;
  readonly bound: Bound;
  /** The type that the unit computes in. */
  readonly type: PeakType | null;
}

/** Why a unit does not take a layer. */
export type Refusal =
  | { readonly kind: 'operator'; readonly op: string }
  | { readonly kind: 'type'; readonly type: string }
  | { readonly kind: 'unknown'; readonly what: 'work' | 'utilisation' | 'bandwidth' };

const numberOf = (quantity: Quantity | undefined): number | null => quantity?.value ?? null;

/** What the profile says of a class, its default filling the gaps. */
function classOf(unit: Unit, kernel: LayerClass): ClassProfile {
  const own = unit.classes[kernel];
  const base = unit.classes.default ?? {};
  return own === undefined ? base : { ...base, ...own };
}

function runs(unit: Unit, op: string): boolean {
  if (unit.operators === 'all') return true;
  return 'only' in unit.operators ? unit.operators.only.includes(op) : !unit.operators.except.includes(op);
}

/** The type that a unit computes a layer's type in; null: it cannot. */
export function typeOn(unit: Unit, type: LayerWork['type']): PeakType | null {
  if (type === 'other') return null;
  const as = unit.computesAs?.[type] ?? type;
  return unit.peak[as] === null ? null : as;
}

const hasArithmetic = (layer: LayerWork): boolean => layer.macs === null || layer.macs > 0;

/** What is gone once a kernel is made of a group: the ends of an integer kernel, and a normalisation within the weights. */
const folded = new Set([
  'QuantizeLinear',
  'DequantizeLinear',
  'DynamicQuantizeLinear',
  'BatchNormalization',
  'Identity',
]);

/** Whether a unit takes a layer at all; undefined: it does. */
export function refusalOf(unit: Unit, layer: LayerWork): Refusal | undefined {
  const ops = [layer.op, ...layer.fusedOps.filter((op) => !folded.has(op))];
  for (const op of ops) if (!runs(unit, op)) return { kind: 'operator', op };
  // Into and out of 8 bits is what an integer unit does at its ends, whatever type stands on the other side.
  if (layer.kernel === 'quantize') return undefined;
  // Kernels without products move data; a unit that has some arithmetic of that width moves it too.
  if (typeOn(unit, layer.type) === null && (hasArithmetic(layer) || layer.type !== 'other'))
    return { kind: 'type', type: layer.type };
  return undefined;
}

/** Bytes that a layer moves: from and to memory, and on the chip. */
export interface Traffic {
  readonly memory: number;
  readonly chip: number;
}

/**
 * Milliseconds of a layer on a unit: max(MACs / (peak x utilisation), bytes / (bandwidth x share)) + launch.
 * `bandwidth`: the memory's, in bytes a second. Bytes on the chip cost no time.
 */
export function layerTime(
  unit: Unit,
  layer: LayerWork,
  traffic: Traffic,
  bandwidth: number | null,
): LayerTime | Refusal {
  const refused = refusalOf(unit, layer);
  if (refused !== undefined) return refused;
  if (layer.macs === null) return { kind: 'unknown', what: 'work' };
  const type = typeOn(unit, layer.type);
  const of = classOf(unit, layer.kernel);
  let computeMs = 0;
  if (layer.macs > 0) {
    const peak = type === null ? null : numberOf(unit.peak[type]);
    const share = numberOf((type === null ? undefined : of.utilisation?.[type]) ?? of.utilisation?.any);
    if (peak === null || share === null) return { kind: 'unknown', what: 'utilisation' };
    computeMs = (layer.macs / (peak * share)) * 1e3;
  }
  let memoryMs = 0;
  if (traffic.memory > 0) {
    if (bandwidth === null) return { kind: 'unknown', what: 'bandwidth' };
    memoryMs = (traffic.memory / (bandwidth * (numberOf(of.bandwidthShare) ?? 1))) * 1e3;
  }
  const launchMs = (numberOf(of.launchUs) ?? numberOf(unit.launchUs) ?? 0) / 1e3;
  const slower = Math.max(computeMs, memoryMs);
  const bound = launchMs > slower ? 'launch' : memoryMs > computeMs ? 'memory' : 'compute';
  return { ms: slower + launchMs, computeMs, memoryMs, launchMs, bound, type };
}
