/** Owns `bantam profile`: a model timed in a job process of its own. */
import { Cancelled } from '#shared/base/cancel.ts';
import { Fault } from '#shared/base/fault.ts';
import type { JobResult } from '#shared/contract/calls.ts';
import { openModelFile } from '../host/model-files.ts';
import type { Task } from '../jobs/protocol.ts';
import { runProcess } from '../jobs/run-process.ts';
import { forkSpawner } from '../jobs/spawn.ts';
import type { ShapeOption } from './inspect.ts';
import { type OutputOptions, print, progressLine } from './output.ts';
import type { RunOptions } from './parts.ts';
import { worker } from './places.ts';
import { profileText } from './profile-report.ts';
import { shapeChoice } from './shapes.ts';

export interface ProfileOptions extends OutputOptions, RunOptions, ShapeOption {
  readonly vs?: string;
  readonly seconds?: number;
}

/** Runs the task in a process; Ctrl+C ends it between two runs. Throws its fault. */
async function inProcess(task: Task): Promise<JobResult> {
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

export async function profile(path: string, options: ProfileOptions): Promise<void> {
  for (const file of options.vs === undefined ? [path] : [path, options.vs])
    shapeChoice(openModelFile(file), options.shape);
  const { vs, threads, seconds = 2 } = options;
  const shapes = Object.fromEntries(Object.entries(options.shape ?? {}).map(([name, dims]) => [name, [...dims]]));
  const result = await inProcess({
    kind: 'job',
    spec: {
      kind: 'profile',
      modelId: 'a',
      seconds,
      ...(vs === undefined ? {} : { versus: 'b' }),
      ...(options.shape === undefined ? {} : { shapes }),
      ...(threads === undefined ? {} : { threads }),
    },
    models: vs === undefined ? { a: path } : { a: path, b: vs },
    out: '',
    threads: threads ?? 0,
  });
  const found = result.profile;
  if (found === undefined) throw new Fault('internal', 'the job measured nothing');
  print(options, found, () => profileText(found));
}
