/** Owns what is said of the execution providers of the runtime on this machine. */
import { z } from 'zod';

export const providerSchema = z.object({
  /** As the runtime calls it: cpu, webgpu, cuda, coreml, dml ... */
  id: z.string(),
  title: z.string(),
  /** True where this build of the runtime holds it: bundled or as a library beside it. */
  inBuild: z.boolean(),
  /** True where a model ran on it just now. */
  works: z.boolean(),
  /** Why it does not, in the runtime's own words; null where it works. */
  reason: z.string().nullable(),
});
export type Provider = z.infer<typeof providerSchema>;
