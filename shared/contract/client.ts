/** Owns the screen's end: createHost turns wires into a Host that reconnects by itself and validates what it is told. */
import type { z } from 'zod';
import { Fault, type FaultCode, toFault } from '../base/fault.ts';
import { parseWith } from '../base/schema.ts';
import { text } from '../base/text.ts';
import { type CallName, calls, type Host, type Job } from './calls.ts';
import { decodeFrame, encodeFrame } from './codec.ts';
import { type Reply, replySchema } from './messages.ts';
import type { Wire } from './wire.ts';

export interface HostOptions {
  /** Milliseconds before the first retry; doubles to `maxRetryMs`. */
  readonly retryMs?: number;
  readonly maxRetryMs?: number;
  /** setTimeout of the page or of Node: this folder knows neither. */
  readonly later: (run: () => void, ms: number) => void;
}

/** A host whose connection can be ended for good. */
export interface HostClient extends Host {
  close(): void;
}

interface Waiting {
  readonly name: CallName;
  readonly resolve: (output: unknown) => void;
  readonly reject: (fault: Fault) => void;
}

const lost = (): Fault =>
  new Fault('unsupported', text('the connection to the host was lost', '호스트와 연결이 끊겼습니다'), {
    hint: text('It is being restored; try again.', '다시 연결하는 중입니다. 다시 시도하세요.'),
  });

const faultOf = (f: Extract<Reply, { kind: 'fault' }>['fault']): Fault =>
  new Fault(f.code as FaultCode, f.message, {
    ...(f.where === undefined ? {} : { where: f.where }),
    ...(f.hint === undefined ? {} : { hint: f.hint }),
    korean: f.korean,
  });

/**
 * A Host over whatever `connect` gives. A call made while the wire is down waits for the next one; a call under way when it
 * breaks is refused, because it may have been done. After each reconnection every job document is told again, so that
 * listeners catch up. Job documents older than one already told are dropped (`seq`).
 */
export function createHost(connect: () => Promise<Wire>, options: HostOptions): HostClient {
  const jobListeners = new Set<(job: Job) => void>();
  const connectionListeners = new Set<(connected: boolean) => void>();
  const waiting = new Map<number, Waiting>();
  const unsent = new Map<number, Uint8Array>();
  const newest = new Map<string, number>();
  let wire: Wire | undefined;
  let nextId = 0;
  let ended = false;
  let connectedBefore = false;

  const tellJob = (job: Job): void => {
    if ((newest.get(job.id) ?? -1) > job.seq) return;
    newest.set(job.id, job.seq);
    for (const listener of jobListeners) listener(job);
  };

  const settle = (reply: Exclude<Reply, { kind: 'job' }>): void => {
    const call = reply.id === null ? undefined : waiting.get(reply.id);
    if (call === undefined || reply.id === null) return;
    waiting.delete(reply.id);
    if (reply.kind === 'fault') {
      call.reject(faultOf(reply.fault));
      return;
    }
    try {
      call.resolve(parseWith(calls[call.name].output as z.ZodType<unknown>, reply.output, call.name, 'internal'));
    } catch (thrown) {
      call.reject(toFault(thrown));
    }
  };

  const read = (frame: Uint8Array): void => {
    let reply: Reply;
    try {
      reply = parseWith(replySchema, decodeFrame(frame), 'reply', 'internal');
    } catch {
      return; // a frame that cannot be read answers nothing; its call stays until the wire closes
    }
    if (reply.kind === 'job') tellJob(reply.job);
    else settle(reply);
  };

  const down = (): void => {
    wire = undefined;
    for (const [id, call] of [...waiting])
      if (!unsent.has(id)) {
        waiting.delete(id);
        call.reject(lost());
      }
    for (const listener of connectionListeners) listener(false);
    open(options.retryMs ?? 250);
  };

  const up = (next: Wire): void => {
    wire = next;
    next.onFrame(read);
    next.onClose(() => {
      if (wire === next) down();
    });
    for (const [id, frame] of [...unsent]) {
      unsent.delete(id);
      next.send(frame);
    }
    for (const listener of connectionListeners) listener(true);
    if (connectedBefore)
      call('jobs', {}).then(
        (jobs) => jobs.forEach(tellJob),
        () => {},
      );
    connectedBefore = true;
  };

  const open = (retryMs: number): void => {
    if (ended) return;
    connect().then(
      (next) => (ended ? next.close() : up(next)),
      () => options.later(() => open(Math.min(retryMs * 2, options.maxRetryMs ?? 4000)), retryMs),
    );
  };

  const call: Host['call'] = (name, input) =>
    new Promise((resolve, reject) => {
      if (ended) return reject(lost());
      const id = nextId++;
      const frame = encodeFrame({ kind: 'call', id, name, input });
      waiting.set(id, { name, resolve: resolve as (output: unknown) => void, reject });
      if (wire === undefined) unsent.set(id, frame);
      else wire.send(frame);
    });

  open(options.retryMs ?? 250);
  return {
    call,
    onJob: (listener) => {
      jobListeners.add(listener);
      return () => jobListeners.delete(listener);
    },
    onConnection: (listener) => {
      connectionListeners.add(listener);
      listener(wire !== undefined);
      return () => connectionListeners.delete(listener);
    },
    close: () => {
      ended = true;
      wire?.close();
      for (const call of waiting.values()) call.reject(lost());
      waiting.clear();
    },
  };
}
