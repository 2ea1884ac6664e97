/** The page's side of a model worker: order, what is sent when, questions taken back, and a worker that fails. */
import { beforeEach, describe, expect, it } from 'vitest';
import { type Answered, modelAsker } from './ask-model.ts';
import type { OpenModel } from './document.ts';
import type { FromModelWorker, ToModelWorker } from './serve-model.ts';

type Listener = (event: { readonly data?: FromModelWorker<number> }) => void;

/** A worker that answers when it is told to. */
class Stub {
  readonly got: ToModelWorker<number>[] = [];
  ended = false;
  readonly listeners = new Map<string, Listener>();
  addEventListener(kind: string, listener: Listener): void {
    this.listeners.set(kind, listener);
  }
  postMessage(message: ToModelWorker<number>): void {
    this.got.push(message);
  }
  terminate(): void {
    this.ended = true;
  }
  kinds(): string {
    return this.got.map((m) => m.kind).join(' ');
  }
  asked(): number[] {
    return this.got.flatMap((m) => (m.kind === 'ask' ? [m.request] : []));
  }
  /** Answers the last question by twice its number. */
  reply(): void {
    const last = this.got.at(-1);
    if (last?.kind !== 'ask') throw new Error('nothing is asked');
    this.listeners.get('message')?.({ data: { id: last.id, value: last.request * 2 } });
  }
  fail(): void {
    this.listeners.get('error')?.({});
  }
}

const model = (serial: number): OpenModel => ({ serial, skeleton: new Uint8Array() }) as unknown as OpenModel;

let workers: Stub[];
let answers: Answered<number>[];
beforeEach(() => {
  workers = [];
  answers = [];
});

function asker(newestOnly: boolean): (open: OpenModel, request: number) => () => void {
  const ask = modelAsker<number, number>(
    () => {
      const worker = new Stub();
      workers.push(worker);
      return worker as unknown as Worker;
    },
    { newestOnly },
  );
  return (open, request) => ask(open, request, (answered) => answers.push(answered));
}

describe('modelAsker', () => {
  it('sends a model once, one question at a time, and starts no worker before the first', () => {
    const ask = asker(false);
    expect(workers).toHaveLength(0);
    const open = model(1);
    ask(open, 1);
    ask(open, 2);
    ask(model(2), 3);
    expect(workers[0]?.kinds()).toBe('open ask');
    workers[0]?.reply();
    expect(workers[0]?.kinds()).toBe('open ask ask');
    workers[0]?.reply();
    expect(workers[0]?.kinds()).toBe('open ask ask open ask');
    workers[0]?.reply();
    expect(answers).toEqual([2, 4, 6].map((value) => ({ ok: true, value })));
  });

  it('puts only the newest of those that wait, where that is asked for', () => {
    const ask = asker(true);
    const open = model(1);
    for (const n of [1, 2, 3, 4]) ask(open, n);
    workers[0]?.reply();
    workers[0]?.reply();
    expect(workers[0]?.asked()).toEqual([1, 4]);
    expect(answers).toEqual([2, 8].map((value) => ({ ok: true, value })));
  });

  it('never answers a question that was taken back, and does not put it', () => {
    const ask = asker(false);
    const open = model(1);
    const first = ask(open, 1);
    const second = ask(open, 2);
    ask(open, 3);
    first();
    second();
    workers[0]?.reply();
    workers[0]?.reply();
    expect(workers[0]?.asked()).toEqual([1, 3]);
    expect(answers).toEqual([{ ok: true, value: 6 }]);
  });

  for (const newestOnly of [true, false])
    it(`goes on with another worker after one has failed (newest only: ${newestOnly})`, () => {
      const ask = asker(newestOnly);
      const open = model(1);
      ask(open, 1);
      ask(open, 2);
      workers[0]?.fail();
      expect(workers[0]?.ended).toBe(true);
      expect(answers).toMatchObject([{ ok: false, fault: { code: 'internal' } }]);
      expect(workers[1]?.kinds()).toBe('open ask');
      workers[1]?.reply();
      expect(answers[1]).toEqual({ ok: true, value: 4 });
    });
});
