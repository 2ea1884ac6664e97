/** Owns the energy of a layer as an estimate: per multiply-accumulate and per byte moved, by type. */
import type { LayerWork } from './layer-work.ts';
import type { DeviceProfile, PeakType } from './profile.ts';

/** Picojoules; null: unknown. */
export interface EnergyRates {
  readonly macPj: Readonly<Record<PeakType, number | null>>;
  readonly memoryBytePj: number | null;
  /** A byte of memory on the chip. */
  readonly onChipBytePj: number | null;
}

/**
 * 45 nm logic at 0.9 V (Horowitz, "Computing's energy problem", ISSCC 2014). A multiply-accumulate is the product plus the
 * sum in the accumulator: fp32 3.7 + 0.9, fp16 1.1 + 0.4, int8 0.2 + 0.1 (32-bit sum). DRAM 1.3 nJ for 64 bits, the low end of
 * 1.3 to 2.6; a cache of 32 kB 20 pJ for 64 bits. The paper has no 4-bit and no one-bit product: unknown.
 */
export const horowitz2014: EnergyRates = {
  macPj: { fp32: 4.6, fp16: 1.5, int8: 0.3, int4: null, binary: null },
  memoryBytePj: 162.5,
  onChipBytePj: 2.5,
};

/** The device's own figures; the general ones where its profile has none. */
export function energyRatesOf(profile: Pick<DeviceProfile, 'energy'>): EnergyRates {
  const { energy } = profile;
  if (energy === null) return horowitz2014;
  const { macPj } = energy;
  return {
    macPj: {
      fp32: macPj.fp32?.value ?? null,
      fp16: macPj.fp16?.value ?? null,
      int8: macPj.int8?.value ?? null,
      int4: macPj.int4?.value ?? null,
      binary: macPj.binary?.value ?? null,
    },
    memoryBytePj: energy.memoryBytePj?.value ?? null,
    onChipBytePj: energy.onChipBytePj?.value ?? null,
  };
}

/**
 * Millijoules of a layer computed in `type` that moves `memoryBytes` from and to memory and `chipBytes` on the chip; null where
 * a figure it needs is unknown. Leakage, control and everything that is no multiply-accumulate are left out.
 */
export function layerEnergyMj(
  rates: EnergyRates,
  work: Pick<LayerWork, 'macs'>,
  type: PeakType | null,
  memoryBytes: number | null,
  chipBytes: number | null,
): number | null {
  if (work.macs === null || memoryBytes === null || chipBytes === null) return null;
  const mac = work.macs === 0 ? 0 : type === null ? null : rates.macPj[type];
  const memory = memoryBytes === 0 ? 0 : rates.memoryBytePj;
  const chip = chipBytes === 0 ? 0 : rates.onChipBytePj;
  if (mac === null || memory === null || chip === null) return null;
  // pJ to mJ
  return (work.macs * mac + memoryBytes * memory + chipBytes * chip) * 1e-9;
}
