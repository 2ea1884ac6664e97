/** Owns running one job in a process of its own from the command line, with its progress on a line. */
import { Cancelled } from '#shared/base/cancel.ts';
import { Fault } from '#shared/base/fault.ts';
import type { JobResult } from '#shared/contract/calls.ts';
import type { Task } from '../jobs/protocol.ts';
import { runProcess } from '../jobs/run-process.ts';
import { forkSpawner } from '../jobs/spawn.ts';
import { progressLine } from './output.ts';
import { worker } from './places.ts';

/** Runs the task in a process; Ctrl+C ends it between two runs. Throws its fault. */
export async function inProcess(task: Task): Promise<JobResult> {
  const { entry, execArgv } = worker();
  const line = progressLine();
  const running = runProcess(forkSpawner(entry, execArgv), task, (message) => {
    if (message.kind === 'progress') line.show(message.progress.share, message.progress.what);
  });
  process.once('SIGINT', running.cancel);
  try {
    const ending = await running.ended;
    if (ending.kind === 'cancelled') throw new Cancelled();
    if (ending.kind === 'done' && ending.outcome.kind === 'job') return ending.outcome.result;
    if (ending.kind !== 'failed') throw new Fault('internal', 'the job gave something else');
    throw new Fault(ending.fault.code, ending.fault.message, ending.fault);
  } finally {
    line.done();
    process.off('SIGINT', running.cancel);
  }
}
