/** Owns the preprocessing document: how samples become a model's input. Part of the project, shown beside each accuracy. */
import { z } from 'zod';

export const preprocessSchema = z.strictObject({
  /** Divide 0..255 by this first (255 gives 0..1; 1 keeps raw pixels). */
  scale: z.number().positive().default(255),
  mean: z.array(z.number()).min(1).max(4).default([0]),
  std: z.array(z.number().positive()).min(1).max(4).default([1]),
  /** By the input's shape where not given. A flat input takes one plane a channel, or 'flat-hwc' pixel by pixel. */
  layout: z.enum(['nchw', 'nhwc', 'flat', 'flat-hwc']).optional(),
  colour: z.enum(['as-is', 'rgb', 'bgr', 'grey']).default('as-is'),
  /** Resize to the model's input: 'fit' stretches, 'crop' keeps the ratio and crops the centre. */
  resize: z.enum(['fit', 'crop', 'none']).default('fit'),
  invert: z.boolean().default(false),
});
export type Preprocess = z.infer<typeof preprocessSchema>;
