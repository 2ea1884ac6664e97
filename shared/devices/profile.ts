/** Owns the device profile: what is known of a device's arithmetic, memory and energy, each number with where it comes from. */
import { z } from 'zod';
import { parseWith } from '../base/schema.ts';
import { layerClasses, layerTypes } from './layer-work.ts';

export const profileVersion = 1;

/** '2018', '2018-05' or '2018-05-23'. */
const date = z.string().regex(/^\d{4}(-\d{2}(-\d{2})?)?$/, 'expected a date such as 2018, 2018-05 or 2018-05-23');
const value = z.number().positive().finite();

/**
 * A number and where it comes from: a source of the profile's list, a formula over such numbers, a fit to measured times,
 * or an assumption with its reason. null: unknown. Never 0.
 */
export const quantitySchema = z
  .union([
    z.strictObject({ value, source: z.string().min(1), date }),
    z.strictObject({ value, derived: z.string().min(1) }),
    z.strictObject({ value, fitted: z.string().min(1) }),
    z.strictObject({ value, assumed: z.string().min(1) }),
  ])
  .nullable();
export type Quantity = z.infer<typeof quantitySchema>;

/** The types that arithmetic is told apart by. 'other' (int16, double ...) has no peak of its own. */
export const peakTypes = layerTypes.filter((t) => t !== 'other');
export type PeakType = Exclude<(typeof layerTypes)[number], 'other'>;

const byType = z.strictObject({
  fp32: quantitySchema,
  fp16: quantitySchema,
  int8: quantitySchema,
  int4: quantitySchema,
  binary: quantitySchema,
});

/** How far kernels of a class get. Shares are of the unit's peak and of its bandwidth, above 0 and at most 1. */
const classSchema = z.strictObject({
  utilisation: z.partialRecord(z.enum([...peakTypes, 'any']), quantitySchema).optional(),
  bandwidthShare: quantitySchema.optional(),
  launchUs: quantitySchema.optional(),
});
export type ClassProfile = z.infer<typeof classSchema>;

const unitSchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9-]+$/),
  name: z.string().min(1),
  kind: z.enum(['cpu', 'gpu', 'npu', 'vpu', 'dsp']),
  /** The software that the shares below speak of. */
  software: z.string().min(1),
  /** Multiply-accumulates a second; null: the unit has no such arithmetic, or none that is known. */
  peak: byType,
  /** Types that the software computes as another: a float graph on a unit that has half floats only. */
  computesAs: z.partialRecord(z.enum(peakTypes), z.enum(peakTypes)).optional(),
  /** By kernel class; 'default' for those not listed. */
  classes: z.partialRecord(z.enum([...layerClasses, 'default']), classSchema),
  /** A kernel's fixed cost in microseconds, where its class does not say otherwise. */
  launchUs: quantitySchema,
  /** A run's fixed cost in microseconds: handing over, waking up. */
  runUs: quantitySchema.optional(),
  /** Bytes a second; null: the device's memory. */
  bandwidth: quantitySchema,
  /** Memory on the chip. `holds`: what need not come from outside while it fits. */
  onChip: z.strictObject({ bytes: quantitySchema, holds: z.enum(['weights', 'activations', 'all']) }).nullable(),
  /** ONNX operators that the unit runs. */
  operators: z.union([
    z.literal('all'),
    z.strictObject({ only: z.array(z.string()).min(1), source: z.string().min(1) }),
    z.strictObject({ except: z.array(z.string()).min(1), source: z.string().min(1) }),
  ]),
  /** The unit that takes what this one cannot; null: nobody, or a host that the profile does not describe. */
  fallback: z.string().nullable(),
  /** Bytes a second over the cable or bus between host and unit, for inputs and outputs. */
  link: quantitySchema.optional(),
});
export type Unit = z.infer<typeof unitSchema>;

export const deviceKinds = ['stick', 'board', 'phone', 'microcontroller', 'accelerator', 'computer'] as const;

export const deviceProfileSchema = z
  .strictObject({
    bantam: z.literal(profileVersion),
    id: z.string().regex(/^[a-z0-9-]{1,64}$/),
    name: z.string().min(1).max(120),
    kind: z.enum(deviceKinds),
    year: z.number().int().min(1990).max(2100),
    memory: z.strictObject({
      kind: z.string().min(1),
      /** All of it; what a program may use is less. */
      bytes: quantitySchema,
      bandwidth: quantitySchema,
    }),
    /** The first is the one that an estimate is for, unless another is asked. */
    units: z.array(unitSchema).min(1),
    /** Picojoules a multiply-accumulate and a byte; null: the general figures of 45 nm logic are used, and said. */
    energy: z.strictObject({ macPj: byType, memoryBytePj: quantitySchema, onChipBytePj: quantitySchema }).nullable(),
    /** What a person should know, in both languages. */
    notes: z.array(z.strictObject({ en: z.string().min(1), ko: z.string().min(1) })).default([]),
    sources: z.record(
      z.string().regex(/^[a-z0-9-]+$/),
      z.strictObject({ title: z.string().min(1), address: z.string().min(1), date }),
    ),
  })
  .superRefine((profile, context) => {
    const ids = new Set<string>();
    for (const [k, unit] of profile.units.entries()) {
      if (ids.has(unit.id))
        context.addIssue({ code: 'custom', path: ['units', k, 'id'], message: `${unit.id} stands twice` });
      ids.add(unit.id);
    }
    for (const [k, unit] of profile.units.entries())
      if (unit.fallback !== null && (!ids.has(unit.fallback) || unit.fallback === unit.id))
        context.addIssue({
          code: 'custom',
          path: ['units', k, 'fallback'],
          message: `there is no other unit ${unit.fallback}`,
        });
    for (const { path, quantity } of quantitiesOf(profile)) {
      if (quantity !== null && 'source' in quantity && profile.sources[quantity.source] === undefined)
        context.addIssue({
          code: 'custom',
          path: [...path],
          message: `${quantity.source} is not in the list of sources`,
        });
      const isShare = path.includes('utilisation') || path.includes('bandwidthShare');
      if (isShare && quantity !== null && quantity.value > 1)
        context.addIssue({ code: 'custom', path: [...path], message: 'a share is at most 1' });
    }
  });
export type DeviceProfile = z.infer<typeof deviceProfileSchema>;

/** Reads a profile from outside. Faults: `bad-input`, naming the field. */
export const parseDeviceProfile = (value: unknown, what = 'device profile'): DeviceProfile =>
  parseWith(deviceProfileSchema, value, what);

interface Place {
  readonly path: readonly (string | number)[];
  readonly quantity: Quantity;
}

const isQuantity = (value: unknown): value is Exclude<Quantity, null> =>
  typeof value === 'object' && value !== null && 'value' in value && typeof value.value === 'number';

/** Names whose null is an unknown number. */
const numberNames = /^(fp32|fp16|int8|int4|binary|any|bytes|bandwidth|launchUs|runUs|link|.*Pj|bandwidthShare)$/;

/** Every number of a profile and where it stands; unknown ones as null. */
export function quantitiesOf(profile: object): readonly Place[] {
  const found: Place[] = [];
  const open: Place['path'][] = [[]];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const at = path.reduce<unknown>((v, k) => (v as Record<string | number, unknown>)[k], profile);
    if (isQuantity(at)) found.push({ path, quantity: at });
    else if (at === null && numberNames.test(String(path.at(-1)))) found.push({ path, quantity: null });
    else if (typeof at === 'object' && at !== null && path[0] !== 'sources')
      for (const k of Object.keys(at).reverse()) open.push([...path, Array.isArray(at) ? Number(k) : k]);
  }
  return found;
}

/** Where a number comes from, for people. */
export function originOf(profile: Pick<DeviceProfile, 'sources'>, quantity: Quantity): string {
  if (quantity === null) return 'unknown';
  if ('derived' in quantity) return `derived: ${quantity.derived}`;
  if ('fitted' in quantity) return `fitted: ${quantity.fitted}`;
  if ('assumed' in quantity) return `assumed: ${quantity.assumed}`;
  return `${profile.sources[quantity.source]?.title ?? quantity.source} (${quantity.date})`;
}
