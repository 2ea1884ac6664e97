import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Job, JobSpec } from '#shared/contract/calls.ts';
import { openJournal } from './journal.ts';
import { createQueue, type Queue } from './queue.ts';
import { reporter } from './report.ts';
import { forkSpawner } from './spawn.ts';

const folders: string[] = [];
const queues: Queue[] = [];
afterEach(() => {
  for (const q of queues.splice(0)) q.close();
  for (const f of folders.splice(0)) rmSync(f, { recursive: true, force: true });
});

const spec = (data: string): JobSpec => ({ kind: 'evaluate', modelId: 'm', data });
const spawn = forkSpawner(join(import.meta.dirname, 'testing/test-worker.mjs'));

function journalPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bantam-jobs-'));
  folders.push(folder);
  return join(folder, 'journal.jsonl');
}

function open(path: string, graceMs = 150): Queue {
  const queue = createQueue({
    journal: openJournal(path),
    spawn,
    graceMs,
    taskOf: async (s) => ({ kind: 'job', spec: s, models: {}, out: '', threads: 1 }),
    adopt: async () => 'adopted',
    discard: async () => {},
  });
  queues.push(queue);
  return queue;
}

/** The document of a job as soon as `wanted` holds for it. */
function until(queue: Queue, id: string, wanted: (job: Job) => boolean): Promise<Job> {
  return new Promise((resolve) => {
    const look = (job: Job): void => {
      if (job.id !== id || !wanted(job)) return;
      stop();
      resolve(job);
    };
    const stop = queue.onJob(look);
    const now = queue.all().find((j) => j.id === id);
    if (now !== undefined) look(now);
  });
}
const ended = (queue: Queue, id: string): Promise<Job> =>
  until(queue, id, (j) => ['done', 'failed', 'cancelled'].includes(j.state));

describe('a job process', () => {
  it('that dies natively fails its job as crashed, and the next job runs', async () => {
    const queue = open(journalPath());
    const a = queue.start(spec('abort'));
    const b = queue.start(spec('plain'));
    const crashed = await ended(queue, a.id);
    expect(crashed).toMatchObject({ state: 'failed', fault: { code: 'crashed' }, log: ['last words'] });
    expect(crashed.fault?.message).toContain('SIGABRT');
    expect((await ended(queue, b.id)).state).toBe('done');
  });
  it('that runs out of memory says so', async () => {
    const queue = open(journalPath());
    const job = await ended(queue, queue.start(spec('memory')).id);
    expect(job.fault).toMatchObject({ code: 'crashed', message: expect.stringContaining('out of memory') });
  });
  it('brings its fault as data', async () => {
    const queue = open(journalPath());
    const job = await ended(queue, queue.start(spec('fault')).id);
    expect(job.fault).toEqual({ code: 'runtime', message: 'no', where: 'node' });
  });
  it('is cancelled between steps, or ended after the grace where it does not listen', async () => {
    const queue = open(journalPath());
    for (const kind of ['polite', 'hang']) {
      const job = queue.start(spec(kind));
      await until(queue, job.id, (j) => j.progress.share > 0);
      queue.cancel(job.id);
      const last = await ended(queue, job.id);
      expect([kind, last.state, last.fault]).toEqual([kind, 'cancelled', undefined]);
    }
    expect((await ended(queue, queue.start(spec('plain')).id)).state).toBe('done');
  });
});

describe('the queue', () => {
  it('runs one at a time in order, and cancels what waits without a process', async () => {
    const queue = open(journalPath());
    const first = queue.start(spec('polite'));
    const second = queue.start(spec('plain'));
    const third = queue.start(spec('plain'));
    expect(queue.cancel(second.id).state).toBe('cancelled');
    await until(queue, first.id, (j) => j.state === 'running');
    expect(queue.all().map((j) => j.state)).toEqual(['running', 'cancelled', 'waiting']);
    expect(() => queue.remove(first.id)).toThrow(/running/);
    queue.cancel(first.id);
    expect((await ended(queue, third.id)).state).toBe('done');
    expect(() => queue.cancel('nobody')).toThrow(/no such job/);
  });
  it('tells progress at about 10 Hz, loses no log and no point, and numbers grow', async () => {
    const queue = open(journalPath());
    const told: Job[] = [];
    queue.onJob((j) => told.push(j));
    const job = await ended(queue, queue.start(spec('chatty')).id);
    expect(job.curve.map((p) => p.epoch)).toEqual([0, 1, 2]);
    expect(job.log).toEqual(['line 0', 'line 1', 'line 2']);
    expect(told.length).toBeLessThan(30);
    expect(told.every((j, i) => i === 0 || j.seq > (told[i - 1]?.seq ?? 0) || j.seq === told[i - 1]?.seq)).toBe(true);
  });
  it('runs a failed job again under its id', async () => {
    const queue = open(journalPath());
    const job = await ended(queue, queue.start(spec('fault')).id);
    const again = queue.resume(job.id);
    expect(again).toMatchObject({ id: job.id, state: 'waiting' });
    expect(again.fault).toBeUndefined();
    expect(again.seq).toBeGreaterThan(job.seq);
    expect((await ended(queue, job.id)).fault?.code).toBe('runtime');
  });
});

describe('the journal', () => {
  it('brings back what ended, fails what ran, and lets what waited go on', async () => {
    const path = journalPath();
    const before = open(path);
    const done = await ended(before, before.start(spec('plain')).id);
    const running = before.start(spec('polite'));
    const waiting = before.start(spec('plain'));
    const gone = before.start(spec('plain'));
    before.cancel(gone.id);
    before.remove(gone.id);
    await until(before, running.id, (j) => j.state === 'running');
    before.close(); // the host dies: nothing more is written
    const after = open(path);
    expect(after.all().map((j) => [j.id, j.state])).toEqual([
      [done.id, 'done'],
      [running.id, 'failed'],
      [waiting.id, 'waiting'],
    ]);
    expect(after.all()[1]?.fault).toMatchObject({ code: 'crashed', message: expect.stringContaining('studio ended') });
    expect((await ended(after, waiting.id)).state).toBe('done');
  });
  it('passes over a line that a crash cut off, and over nonsense', async () => {
    const path = journalPath();
    const queue = open(path);
    const job = await ended(queue, queue.start(spec('plain')).id);
    await queue.idle();
    appendFileSync(
      path,
      '{"job":{"id":"x","state":"do\n{"job":{"id":3}}\n{"id":"nobody","seq":1,"log":[],"curve":[]}\n{"jo',
    );
    expect(openJournal(path).jobs).toEqual([job]);
    expect(readFileSync(path, 'utf8').trim().split('\n')).toHaveLength(1);
  });
});

describe('a report', () => {
  it('thins progress by time, tells a new activity at once, and estimates the time left', () => {
    let now = 0;
    const sent: { share: number; what: string; secondsLeft: number | null }[] = [];
    const report = reporter(
      (m) => m.kind === 'progress' && sent.push(m.progress),
      100,
      () => now,
    );
    for (let i = 0; i <= 100; i++) {
      now = i * 100 + 50;
      report.progress(i / 200, 'train');
      now += 10;
      report.progress(i / 200, 'train');
    }
    report.progress(0.5, 'evaluate');
    expect(sent).toHaveLength(102);
    expect(sent.at(-1)?.what).toBe('evaluate');
    expect(sent.at(-1)?.secondsLeft).toBeCloseTo(10, 0);
  });
});
