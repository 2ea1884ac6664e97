/** Owns the recipe document: its schema, version and what a selection may be. */
import { z } from 'zod';
import { parseWith } from '../base/schema.ts';
import { targetRuntimes } from '../techniques/storage-target.ts';
import { type Preprocess, preprocessSchema } from '../training/preprocess-schema.ts';

export const recipeVersion = 1;

export const selectSchema = z.union([
  z.strictObject({ all: z.literal(true) }),
  z.strictObject({ names: z.array(z.string()).min(1) }),
  z.strictObject({ op: z.string().min(1) }),
  z.strictObject({ query: z.string().min(1) }),
]);
export type Select = z.infer<typeof selectSchema>;

export const stepSchema = z.strictObject({
  technique: z.string().min(1),
  select: selectSchema.default({ all: true }),
  /** Checked against the technique's own fields when the step is resolved. */
  params: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
  /** A step that is switched off stays in the document and does nothing. */
  off: z.boolean().optional(),
});
export type Step = z.infer<typeof stepSchema>;

export { type Preprocess, preprocessSchema };

export const recipeSchema = z.strictObject({
  bantam: z.literal(recipeVersion),
  target: z
    .strictObject({ runtime: z.enum(targetRuntimes).optional(), opset: z.number().int().min(7).max(25).optional() })
    .optional(),
  seed: z.number().int().nonnegative().optional(),
  preprocess: preprocessSchema.optional(),
  steps: z.array(stepSchema),
});
export type Recipe = z.infer<typeof recipeSchema>;

/** Validates a recipe from outside. Faults: `bad-recipe`, naming the path. */
export const parseRecipe = (value: unknown): Recipe => parseWith(recipeSchema, value, 'recipe', 'bad-recipe');
