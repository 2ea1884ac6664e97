/** Owns parseWith: zod at the boundary, its complaint as one clear Fault. */
import type { z } from 'zod';
import { Fault, type FaultCode } from './fault.ts';

/** Parses `value`; on failure throws one Fault naming the first offending path. */
export function parseWith<T>(schema: z.ZodType<T>, value: unknown, what: string, code: FaultCode = 'bad-input'): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = issue === undefined || issue.path.length === 0 ? what : `${what}: ${issue.path.join('.')}`;
  throw new Fault(code, issue?.message ?? 'invalid', { where: path });
}
