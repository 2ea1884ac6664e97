/** Owns what travels in a frame: a call, its result or fault, a job document. */
import { z } from 'zod';
import { type CallName, calls, faultSchema, jobSchema } from './calls.ts';

export const requestSchema = z.strictObject({
  kind: z.literal('call'),
  id: z.number().int().nonnegative(),
  name: z.string().refine((n): n is CallName => Object.hasOwn(calls, n), { error: 'no such call' }),
  input: z.unknown(),
});
export type Request = z.infer<typeof requestSchema>;

export const replySchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('result'), id: z.number(), output: z.unknown() }),
  /** `id` is null where the host could not read which call it answers. */
  z.strictObject({ kind: z.literal('fault'), id: z.number().nullable(), fault: faultSchema }),
  z.strictObject({ kind: z.literal('job'), job: jobSchema }),
]);
export type Reply = z.infer<typeof replySchema>;
