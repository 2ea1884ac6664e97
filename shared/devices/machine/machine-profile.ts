/** Owns MachineProfile: what calibration learnt of one machine and runtime, and the time that it gives a list of kernels. */
import { z } from 'zod';
import { type Estimate, estimateForm } from './form-fit.ts';
import type { RuntimeKernel } from './runtime-kernel.ts';

const formSchema = z.object({
  samples: z.number(),
  /** Milliseconds of the call, a multiply-accumulate, a byte moved, a byte of weights. */
  parts: z.tuple([z.number(), z.number(), z.number(), z.number()]),
  smooth: z
    .object({
      lengths: z.array(z.number()),
      points: z.array(z.array(z.number())),
      weights: z.array(z.number()),
    })
    .optional(),
  /** Milliseconds a byte of weights that comes from memory. */
  coldByteMs: z.number(),
  error: z.number(),
  roughError: z.number(),
});

export const machineProfileSchema = z.object({
  /** Version of this format and of the rules that made it: another version calibrates anew. */
  bantam: z.literal(1),
  machine: z.string(),
  runtime: z.string(),
  threads: z.number(),
  /** ISO date and time. */
  date: z.string(),
  seconds: z.number(),
  /** Milliseconds of the model that tells the machine's pace, as fast as it usually ran: what every time here stands at. */
  paceMs: z.number(),
  chains: z.number(),
  samples: z.number(),
  /** Channels a block in the runtime's blocked layout; 1: it has none. */
  block: z.number(),
  forms: z.record(z.string(), formSchema),
  /**
   * Milliseconds beside the kernels: of a run, of each kernel's call (below 0: the trace's own time), of a free reshape; and how
   * many times longer than traced kernels take in a run.
   */
  call: z.object({ run: z.number(), kernel: z.number(), scale: z.number().default(1), view: z.number() }),
  /**
   * What weights cost that no longer fit the cache from run to run: bytes of all weights against the share of them read from
   * memory, ascending, and milliseconds a byte.
   */
  cold: z.object({ share: z.array(z.tuple([z.number(), z.number()])), byteMs: z.number() }),
  /** Of whole chains that were left out: half of them lie within `median`, four of five within `most`, as shares. */
  spread: z.object({ median: z.number(), most: z.number() }),
});
export type MachineProfile = z.infer<typeof machineProfileSchema>;

/** Share of all weights that comes from memory in each run. */
export function coldShare(profile: Pick<MachineProfile, 'cold'>, weightBytes: number): number {
  const points = profile.cold.share;
  let before: readonly [number, number] | undefined;
  for (const point of points) {
    if (weightBytes <= point[0]) {
      if (before === undefined) return point[1];
      const along = Math.log(weightBytes / before[0]) / Math.log(point[0] / before[0]);
      return before[1] + along * (point[1] - before[1]);
    }
    before = point;
  }
  return before?.[1] ?? 0;
}

/** Milliseconds of one kernel, `cold` of its weights read from memory; undefined where calibration has met no such kernel. */
export function kernelEstimate(profile: MachineProfile, kernel: RuntimeKernel, cold: number): Estimate | undefined {
  // Bytes and integers are moved as floats are.
  const fit = profile.forms[kernel.form] ?? profile.forms[kernel.form.replace(/^other /, '')];
  if (fit === undefined) return undefined;
  const { smooth, ...more } = fit;
  const { ms, error } = estimateForm(smooth === undefined ? more : { ...more, smooth }, kernel);
  return { ms: ms + cold * fit.coldByteMs * kernel.weightBytes, error };
}
