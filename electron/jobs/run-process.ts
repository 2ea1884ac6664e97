/** Owns one job process from start to end: its messages, cancelling it, and what its death means. */
import { Fault, type FaultData } from '#shared/base/fault.ts';
import type { FieldValues } from '#shared/base/fields.ts';
import { text } from '#shared/base/text.ts';
import type { JobResult } from '#shared/contract/calls.ts';
import { trainsWith } from '#shared/techniques/declare.ts';
import { techniques } from '#shared/techniques/index.ts';
import type { FromWorker, JobProcess, Outcome, Spawn, Task } from './protocol.ts';

export type Ending =
  | { readonly kind: 'done'; readonly outcome: Outcome }
  | { readonly kind: 'failed'; readonly fault: FaultData; readonly kept?: JobResult }
  | { readonly kind: 'cancelled'; readonly kept?: JobResult };

export interface RunningProcess {
  readonly ended: Promise<Ending>;
  /** Asks the process to stop between steps; ends it after `graceMs` where it does not. */
  cancel(): void;
  /** Ends it at once. */
  kill(): void;
}

/** The fault of a process that died: out of memory is told apart from other crashes as far as the system lets us. */
export function crashFault(exit: { code: number | null; signal: string | null; words: string }): FaultData {
  const memory =
    /heap out of memory|bad_alloc|out of memory|Failed to allocate/i.test(exit.words) || exit.signal === 'SIGKILL';
  const how = exit.signal === null ? `exit code ${exit.code}` : exit.signal;
  const fault = memory
    ? new Fault('crashed', text(`the job ran out of memory (${how})`, `작업에 쓸 메모리가 부족했습니다(${how})`), {
        hint: text(
          'Close other programs, or take a smaller batch or fewer samples, and resume the job.',
          '다른 프로그램을 닫거나 배치나 샘플 수를 줄인 뒤 작업을 이어서 하세요.',
        ),
      })
    : new Fault('crashed', text(`the job's process died (${how})`, `작업 프로세스가 죽었습니다(${how})`), {
        hint: text(
          'Nothing else was lost. Resume the job; if it dies again, the model itself may upset the runtime.',
          '다른 것은 잃지 않았습니다. 작업을 이어서 해 보고, 또 죽으면 모델 자체가 런타임에 문제를 일으키는 것일 수 있습니다.',
        ),
      });
  return fault.toData();
}

/** Time to stop between steps; a training also writes down its best epoch. */
const graceOf = (task: Task): number => {
  const trains = (s: { readonly technique: string; readonly params: FieldValues }): boolean =>
    techniques.some((t) => t.id === s.technique && trainsWith(t, s.params));
  const steps = task.kind === 'job' && task.spec.kind === 'apply' ? task.spec.recipe.steps : [];
  return steps.some(trains) ? 10_000 : 2_000;
};

/** Starts a process for `task` and follows it. `onMessage` gets progress, log and curve. */
export function runProcess(
  spawn: Spawn,
  task: Task,
  onMessage: (message: Extract<FromWorker, { kind: 'progress' | 'log' | 'curve' }>) => void,
  graceMs = graceOf(task),
): RunningProcess {
  let process: JobProcess | undefined;
  let ending: Ending | undefined;
  let cancelled = false;
  let grace: ReturnType<typeof setTimeout> | undefined;
  const ended = new Promise<Ending>((resolve) => {
    try {
      process = spawn();
    } catch (thrown) {
      const message = thrown instanceof Error ? thrown.message : String(thrown);
      resolve({
        kind: 'failed',
        fault: new Fault(
          'crashed',
          text(`no process could be started: ${message}`, `프로세스를 시작할 수 없습니다: ${message}`),
        ).toData(),
      });
      return;
    }
    const own = process;
    own.onMessage((message) => {
      if (message.kind === 'done' || message.kind === 'failed' || message.kind === 'cancelled') ending = message;
      else onMessage(message);
    });
    own.onExit((exit) => {
      clearTimeout(grace);
      // What it said it ended with holds even if it died on the way out.
      resolve(ending ?? (cancelled ? { kind: 'cancelled' } : { kind: 'failed', fault: crashFault(exit) }));
    });
    own.send({ kind: 'run', task });
  });
  return {
    ended,
    cancel: () => {
      if (cancelled) return;
      cancelled = true;
      process?.send({ kind: 'cancel' });
      grace = setTimeout(() => process?.kill(), graceMs);
    },
    kill: () => process?.kill(),
  };
}

/** The outcome of a task that nobody watches, of the task's own kind. Throws its fault. */
export async function runToEnd<K extends Task['kind']>(
  spawn: Spawn,
  task: Extract<Task, { kind: K }>,
): Promise<Extract<Outcome, { kind: K }>> {
  const ending = await runProcess(spawn, task, () => {}).ended;
  if (ending.kind === 'cancelled') throw new Fault('crashed', text('the check was cancelled', '확인이 취소되었습니다'));
  if (ending.kind === 'failed') throw new Fault(ending.fault.code, ending.fault.message, ending.fault);
  const { outcome } = ending;
  const isOwn = (o: Outcome): o is Extract<Outcome, { kind: K }> => o.kind === task.kind;
  if (!isOwn(outcome)) throw new Fault('internal', `the process answered ${outcome.kind} to ${task.kind}`);
  return outcome;
}
