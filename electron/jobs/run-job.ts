/** Owns what each kind of job does in its process. */
import type { Cancel } from '#shared/base/cancel.ts';
import { Fault } from '#shared/base/fault.ts';
import type { Runtime } from '#shared/ports/runtime.ts';
import type { Outcome, Task } from './protocol.ts';
import type { Report } from './report.ts';

export interface JobParts {
  readonly runtime: Runtime;
  readonly cancel: Cancel;
  readonly report: Report;
}

/** Faults: whatever the work throws; Cancelled where the token was pulled. */
export async function runJob(task: Extract<Task, { kind: 'job' }>, _parts: JobParts): Promise<Outcome> {
  throw new Fault('unsupported', `jobs of kind ${task.spec.kind} are not built in yet`);
}
