/** Owns what a measured profile is: times of a whole model and its layers on this machine, and its memory. */
import { z } from 'zod';

/** Milliseconds a run. */
export const timingSchema = z.object({
  runs: z.number(),
  median: z.number(),
  p95: z.number(),
  min: z.number(),
  max: z.number(),
  /** 95 % interval of the median. */
  interval95: z.tuple([z.number(), z.number()]),
  /** Interquartile range over the median. */
  spread: z.number(),
});

export const profileSchema = z.object({
  runtime: z.string(),
  /** null: the runtime's default, all cores. */
  threads: z.number().nullable(),
  /** Execution provider that it ran on. */
  provider: z.string().default('cpu'),
  /** The provider that was asked for and why it did not take the model; null: nothing else was asked for. */
  fellBack: z.object({ asked: z.string(), reason: z.string() }).nullable().default(null),
  /** Of the whole model, not profiled. */
  latencyMs: timingSchema,
  startUpMs: z.object({ open: z.number(), firstRun: z.number() }),
  /** What the process grew by from before opening to after the runs; null where it did not. */
  residentBytes: z.number().nullable(),
  /** Layer by layer, in the order in which they ran; null where the file is too large to be copied for it. */
  trace: z
    .object({
      runs: z.number(),
      /** Sum of the layers as traced over the median of untraced runs in between: what profiling itself adds. */
      rawRatio: z.number(),
      layers: z.array(
        z.object({
          /** Node id; null for what the runtime put in itself. */
          id: z.string().nullable(),
          name: z.string(),
          op: z.string(),
          /** The runtime's operator. */
          kernel: z.string(),
          /** Ids of further nodes that this kernel computes. */
          fused: z.array(z.string()),
          /** Scaled so that all add up to the median of the whole model. */
          ms: z.number(),
          rawMs: z.number(),
          /** Less than 20 us a run. */
          belowResolution: z.boolean(),
        }),
      ),
      /** Nodes that take no time: removed, or computed when the model was loaded. */
      removed: z.array(z.string()),
    })
    .nullable(),
  /** Peak activation bytes by order of the nodes; null where a size is not known (or, for the runtime's, without a trace). */
  memory: z.object({
    fileOrder: z.number().nullable(),
    runtimeOrder: z.number().nullable(),
    bestOrder: z.number().nullable(),
  }),
  /** Against a second model, measured in turn. */
  versus: z
    .object({
      first: timingSchema,
      second: timingSchema,
      /** Time of the second over the first, with its 95 % interval. */
      ratio: z.number(),
      interval95: z.tuple([z.number(), z.number()]),
      rounds: z.number(),
      /** A difference only where the whole interval lies beyond 3 %. */
      verdict: z.enum(['faster', 'slower', 'no difference']),
    })
    .optional(),
});
export type Profile = z.infer<typeof profileSchema>;
