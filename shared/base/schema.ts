/** Owns parseWith: zod at the boundary, its complaint as one clear Fault. */
import type { z } from 'zod';
import { Fault, type FaultCode } from './fault.ts';

/** What stands at a path of a document from outside. */
const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined), value);

/** zod's words, but for the two that say nothing. */
function complaintOf(issue: z.core.$ZodIssue | undefined): string {
  if (issue?.code === 'invalid_union') return 'this fits none of the forms that may stand here';
  if (issue?.code === 'invalid_value') return `expected ${issue.values.map((v) => JSON.stringify(v)).join(' or ')}`;
  return issue?.message ?? 'invalid';
}

/** Parses `value`; on failure throws one Fault naming the first offending path. */
export function parseWith<T>(schema: z.ZodType<T>, value: unknown, what: string, code: FaultCode = 'bad-input'): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const missing = issue?.code === 'invalid_type' && valueAt(value, issue.path) === undefined;
  const path = issue === undefined || issue.path.length === 0 ? what : `${what}: ${issue.path.join('.')}`;
  throw new Fault(code, missing ? 'this is missing' : complaintOf(issue), { where: path });
}
