/** Owns parseWith: zod at the boundary, its complaint as one clear Fault. */
import type { z } from 'zod';
import { Fault, type FaultCode } from './fault.ts';
import { both, type Said, text } from './text.ts';

/** What stands at a path of a document from outside. */
const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined), value);

/** zod's words, but for the two that say nothing. */
function complaintOf(issue: z.core.$ZodIssue | undefined): Said {
  if (issue?.code === 'invalid_union')
    return text('this fits none of the forms that may stand here', '여기에 올 수 있는 어떤 형식과도 맞지 않습니다');
  if (issue?.code === 'invalid_value')
    return text(
      `expected ${issue.values.map((v) => JSON.stringify(v)).join(' or ')}`,
      `${issue.values.map((v) => JSON.stringify(v)).join(' 또는 ')}이어야 합니다`,
    );
  return issue?.message ?? text('invalid', '올바르지 않습니다');
}

/** Parses `value`; on failure throws one Fault naming the first offending path. */
export function parseWith<T>(schema: z.ZodType<T>, value: unknown, what: Said, code: FaultCode = 'bad-input'): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const missing = issue?.code === 'invalid_type' && valueAt(value, issue.path) === undefined;
  const path =
    issue === undefined || issue.path.length === 0 ? what : both((say) => `${say(what)}: ${issue.path.join('.')}`);
  throw new Fault(code, missing ? text('this is missing', '값이 없습니다') : complaintOf(issue), { where: path });
}
