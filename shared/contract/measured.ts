/** Owns what is told of a model that was measured: its figures, its accuracy, how near it stays to another. */
import { z } from 'zod';
import { preprocessSchema } from '../recipes/recipe.ts';

/** One accuracy with all that it needs to be read honestly. Null fields: the data has no labels. */
export const evaluationSchema = z.object({
  top1: z.number().nullable(),
  top5: z.number().nullable(),
  /** 95 % Wilson interval of top1, as shares. */
  interval95: z.tuple([z.number(), z.number()]).nullable(),
  samples: z.number(),
  split: z.string(),
  data: z.string(),
  preprocess: preprocessSchema,
  latencyMs: z.object({ median: z.number(), p95: z.number() }),
  /** Against another model on the same samples: what is stated in place of an accuracy where there are no labels. */
  reference: z
    .object({
      model: z.string(),
      agreement: z.number().nullable(),
      /** null: identical. */
      sqnrDb: z.number().nullable(),
      maxAbsError: z.number(),
    })
    .optional(),
});
export type Evaluation = z.infer<typeof evaluationSchema>;

export const comparisonSchema = z.object({
  /** Share of samples with the same answer (argmax); null where outputs are no class scores. */
  agreement: z.number().nullable(),
  maxAbsError: z.number(),
  /** Signal to quantization noise of the outputs in dB; null: identical (infinite). */
  sqnrDb: z.number().nullable(),
  samples: z.number(),
  layers: z.array(z.object({ name: z.string(), sqnrDb: z.number().nullable(), maxAbsError: z.number() })),
});
export type Comparison = z.infer<typeof comparisonSchema>;

export const headlineSchema = z.object({
  opset: z.number(),
  nodes: z.number(),
  parameters: z.number(),
  fileBytes: z.number(),
  macs: z.number().nullable(),
  peakActivationBytes: z.number().nullable(),
});
export type Headline = z.infer<typeof headlineSchema>;
