/** Owns the queue: job documents, one process at a time, kept in the journal and told to listeners at about 10 Hz. */
import { randomUUID } from 'node:crypto';
import { Fault } from '#shared/base/fault.ts';
import { text } from '#shared/base/text.ts';
import type { Job, JobSpec } from '#shared/contract/calls.ts';
import type { Journal } from './journal.ts';
import type { FromWorker, Spawn, Task } from './protocol.ts';
import { type Ending, type RunningProcess, runProcess } from './run-process.ts';

/** What the queue needs of the host around it. */
export interface QueueHost {
  readonly journal: Journal;
  readonly spawn: Spawn;
  /** The task of a job: paths looked up, a place for the result made. Faults: `not-found`. */
  taskOf(spec: JobSpec, id: string): Promise<Extract<Task, { kind: 'job' }>>;
  /** Takes the written result into the store; returns its id. */
  adopt(task: Extract<Task, { kind: 'job' }>, job: Job): Promise<string>;
  /** Removes what a task that did not end well left behind. */
  discard(task: Extract<Task, { kind: 'job' }>): Promise<void>;
  /** Removes what a job kept to go on from: it is done, or not wanted any more. */
  forget?(id: string): Promise<void>;
  readonly graceMs?: number;
}

export interface Queue {
  start(spec: JobSpec): Job;
  /** Faults: `not-found`. Cancelling what has ended changes nothing. */
  cancel(id: string): Job;
  /** Goes on with a failed or cancelled job, under its id, from what it kept of its work; from its start where it kept nothing. */
  resume(id: string): Job;
  remove(id: string): void;
  all(): readonly Job[];
  onJob(listener: (job: Job) => void): () => void;
  /** Resolves when nothing runs or waits. */
  idle(): Promise<void>;
  /** Ends the running process at once, for shutting down. */
  close(): void;
}

const maxLog = 500;
const tellEveryMs = 100;
const writeEveryMs = 1000;

function titleOf(spec: JobSpec): string {
  if (spec.kind === 'apply')
    return (
      spec.title ??
      (spec.recipe.steps
        .filter((s) => !s.off)
        .map((s) => s.technique)
        .join(' + ') ||
        'copy')
    );
  return spec.kind === 'evaluate' ? `evaluate on ${spec.data}` : spec.kind;
}

/** What a running job was at when the host ended. */
const interrupted = new Fault(
  'crashed',
  text('the studio ended while this job ran', '이 작업이 실행되는 동안 스튜디오가 종료되었습니다'),
  { hint: text('Resume it to run it again.', '다시 실행하려면 이어서 하기를 누르세요.') },
).toData();

/** Opens the queue on its journal: jobs that were running are failed as crashed, waiting ones wait on. */
export function createQueue(host: QueueHost): Queue {
  const jobs = new Map<string, Job>();
  const listeners = new Set<(job: Job) => void>();
  const idlers: (() => void)[] = [];
  let running: { readonly id: string; process?: RunningProcess; cancelled?: boolean } | undefined;
  let closed = false;

  const find = (id: string): Job => {
    const job = jobs.get(id);
    if (job === undefined)
      throw new Fault('not-found', text('there is no such job', '그런 작업이 없습니다'), { where: id });
    return job;
  };
  const tell = (job: Job): void => {
    for (const listener of listeners) listener(job);
  };
  /** A change of state: journal and listeners at once. */
  const change = (job: Job): Job => {
    const next = { ...job, seq: job.seq + 1 };
    jobs.set(next.id, next);
    host.journal.whole(next);
    tell(next);
    return next;
  };

  for (const job of host.journal.jobs) {
    jobs.set(job.id, job);
    if (job.state === 'running') change({ ...job, state: 'failed', fault: interrupted });
  }

  /** Gathers a process's messages; tells and writes them at their own rates. */
  const follow = (id: string): { take(m: FromWorker): void; flush(): void } => {
    let told = 0;
    let written = 0;
    let log: string[] = [];
    let curve: Job['curve'] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = (): void => {
      clearTimeout(timer);
      timer = undefined;
      const job = jobs.get(id);
      if (job === undefined) return;
      told = Date.now();
      tell(job);
      if (told - written >= writeEveryMs) {
        written = told;
        host.journal.added(job, log, curve);
        log = [];
        curve = [];
      }
    };
    return {
      flush,
      take: (m) => {
        const job = jobs.get(id);
        if (job === undefined || job.state !== 'running') return;
        let next = { ...job, seq: job.seq + 1 };
        if (m.kind === 'progress') next = { ...next, progress: m.progress };
        if (m.kind === 'log') {
          next = { ...next, log: [...job.log, m.line].slice(-maxLog) };
          log.push(m.line);
        }
        if (m.kind === 'curve') {
          next = { ...next, curve: [...job.curve, m.point] };
          curve.push(m.point);
        }
        jobs.set(id, next);
        timer ??= setTimeout(flush, Math.max(0, tellEveryMs - (Date.now() - told)));
      },
    };
  };

  const settle = async (id: string, task: Extract<Task, { kind: 'job' }>, ending: Ending): Promise<void> => {
    const job = find(id);
    if (ending.kind === 'done' && ending.outcome.kind === 'job') {
      const modelId = ending.outcome.wrote ? await host.adopt(task, job) : undefined;
      await host.forget?.(id);
      const result = { ...ending.outcome.result, ...(modelId === undefined ? {} : { modelId }) };
      change({ ...job, state: 'done', progress: { share: 1, what: 'done', secondsLeft: null }, result });
    } else if (ending.kind !== 'done' && ending.kept !== undefined) {
      const result = { ...ending.kept, modelId: await host.adopt(task, job) };
      if (ending.kind === 'failed') change({ ...job, state: 'failed', fault: ending.fault, result });
      else change({ ...job, state: 'cancelled', result });
    } else {
      await host.discard(task);
      if (ending.kind === 'failed') change({ ...job, state: 'failed', fault: ending.fault });
      else change({ ...job, state: 'cancelled' });
    }
  };

  const runOne = async (waiting: Job): Promise<void> => {
    const slot: NonNullable<typeof running> = { id: waiting.id };
    running = slot;
    try {
      const task = await host.taskOf(waiting.spec, waiting.id);
      if (slot.cancelled || closed) {
        await host.discard(task);
        if (!closed) change({ ...find(waiting.id), state: 'cancelled' });
        return;
      }
      change({ ...find(waiting.id), state: 'running' });
      const following = follow(waiting.id);
      slot.process = runProcess(host.spawn, task, following.take, host.graceMs);
      const ending = await slot.process.ended;
      following.flush();
      if (!closed) await settle(waiting.id, task, ending);
    } catch (thrown) {
      const fault = thrown instanceof Fault ? thrown : new Fault('internal', String(thrown));
      change({ ...find(waiting.id), state: 'failed', fault: fault.toData() });
    } finally {
      running = undefined;
      pump();
    }
  };

  const pump = (): void => {
    if (running !== undefined || closed) return;
    const next = [...jobs.values()].find((j) => j.state === 'waiting');
    if (next === undefined) for (const done of idlers.splice(0)) done();
    else void runOne(next);
  };

  queueMicrotask(pump);
  return {
    start: (spec) => {
      const job = change({
        id: randomUUID(),
        spec,
        title: titleOf(spec),
        state: 'waiting',
        seq: 0,
        progress: { share: 0, what: 'waiting', secondsLeft: null },
        curve: [],
        log: [],
        createdAt: Date.now(),
      });
      queueMicrotask(pump);
      return job;
    },
    cancel: (id) => {
      const job = find(id);
      if (running?.id === id) {
        running.cancelled = true;
        running.process?.cancel();
        return job;
      }
      return job.state === 'waiting' ? change({ ...job, state: 'cancelled' }) : job;
    },
    resume: (id) => {
      const { fault: _fault, result: _result, ...job } = find(id);
      if (job.state !== 'failed' && job.state !== 'cancelled') return find(id);
      const progress = { share: 0, what: 'waiting', secondsLeft: null };
      const next = change({ ...job, state: 'waiting', curve: [], progress });
      queueMicrotask(pump);
      return next;
    },
    remove: (id) => {
      if (running?.id === id)
        throw new Fault('denied', text('the job is running', '작업이 실행 중입니다'), {
          hint: text('Cancel it first.', '먼저 취소하세요.'),
        });
      find(id);
      jobs.delete(id);
      host.journal.removed(id);
      void host.forget?.(id);
    },
    all: () => [...jobs.values()],
    onJob: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    idle: () =>
      new Promise((resolve) => {
        idlers.push(resolve);
        queueMicrotask(pump);
      }),
    close: () => {
      closed = true;
      running?.process?.kill();
    },
  };
}
