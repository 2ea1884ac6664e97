/** Owns what a check of a written file in the browser's runtime tells. */
import { z } from 'zod';

export const browserCheckSchema = z.object({
  /** 'onnxruntime-web 1.30.0' */
  runtime: z.string(),
  loads: z.boolean(),
  /** The runtime's words, where it did not load or did not run. */
  why: z.string().optional(),
  /** Of its outputs to the native runtime's, on one seeded random input; null where that is no input for the model. */
  maxAbsError: z.number().nullable(),
  /** Median there of the original and of the result, where both were timed. */
  latencyMs: z.object({ before: z.number().nullable(), after: z.number() }).nullable(),
});
export type BrowserCheck = z.infer<typeof browserCheckSchema>;
