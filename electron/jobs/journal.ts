/**
 * Owns the journal: job documents on disk as lines of JSON, appended as they change, so that neither a crash of a job nor of
 * the host loses them. A line cut off by a crash is the last one and is passed over.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { type Job, jobSchema } from '#shared/contract/calls.ts';

/** A whole document, what was added to one since, or that it was removed. */
type Line =
  | { readonly job: Job }
  | {
      readonly id: string;
      readonly seq: number;
      readonly progress: Job['progress'];
      readonly log: readonly string[];
      readonly curve: Job['curve'];
    }
  | { readonly removed: string };

export interface Journal {
  /** Documents as they stood, oldest first. */
  readonly jobs: readonly Job[];
  whole(job: Job): void;
  /** What came since the last line about this job: cheap, for a running job. */
  added(job: Job, log: readonly string[], curve: Job['curve']): void;
  removed(id: string): void;
}

function apply(jobs: Map<string, Job>, text: string): void {
  let line: Line;
  try {
    line = JSON.parse(text) as Line;
  } catch {
    return; // cut off by a crash
  }
  if ('job' in line) {
    const parsed = jobSchema.safeParse(line.job);
    if (parsed.success) jobs.set(parsed.data.id, parsed.data);
  } else if ('removed' in line) jobs.delete(line.removed);
  else {
    const job = jobs.get(line.id);
    if (job === undefined) return;
    const next = jobSchema.safeParse({
      ...job,
      seq: line.seq,
      progress: line.progress,
      log: [...job.log, ...line.log],
      curve: [...job.curve, ...line.curve],
    });
    if (next.success) jobs.set(line.id, next.data);
  }
}

/** Opens the journal at `path`, reads what it holds and rewrites it without what is superseded. */
export function openJournal(path: string): Journal {
  mkdirSync(dirname(path), { recursive: true });
  const jobs = new Map<string, Job>();
  if (existsSync(path)) for (const text of readFileSync(path, 'utf8').split('\n')) if (text !== '') apply(jobs, text);
  const documents = [...jobs.values()].sort((a, b) => a.createdAt - b.createdAt);
  writeFileAtomic.sync(path, documents.map((job) => `${JSON.stringify({ job })}\n`).join(''));
  const append = (line: Line): void => appendFileSync(path, `${JSON.stringify(line)}\n`);
  return {
    jobs: documents,
    whole: (job) => append({ job }),
    added: (job, log, curve) => append({ id: job.id, seq: job.seq, progress: job.progress, log, curve }),
    removed: (id) => append({ removed: id }),
  };
}
