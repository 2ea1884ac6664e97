/** Owns TimedChain: what timing one calibration model gave, kernel by kernel. */
import { z } from 'zod';

export const sampleSchema = z.object({
  form: z.string(),
  macs: z.number(),
  bytes: z.number(),
  weightBytes: z.number(),
  sizes: z.array(z.number()),
  /** Milliseconds as the trace has it. */
  ms: z.number(),
  /** With weights out of the cache. */
  coldMs: z.number().optional(),
});
export type Sample = z.infer<typeof sampleSchema>;

export const timedChainSchema = z.object({
  chain: z.string(),
  /** Milliseconds of an unprofiled run, of all kernels of its trace together, and how many those are. */
  wholeMs: z.number(),
  tracedMs: z.number(),
  kernels: z.number(),
  /** How many times slower than at its best the machine was meanwhile, by a fixed model timed before and after. */
  pace: z.number(),
  /** Milliseconds of each free reshape. */
  viewsMs: z.array(z.number()),
  samples: z.array(sampleSchema),
});
export type TimedChain = z.infer<typeof timedChainSchema>;
