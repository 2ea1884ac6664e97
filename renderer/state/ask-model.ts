/** Owns modelAsker: the page's side of a worker that answers about the opened model, which `serveModel` is the other side of. */
import { Fault, type FaultData } from '#shared/base/fault.ts';
import { text } from '#shared/base/text.ts';
import type { OpenModel } from './document.ts';
import { summariesOf } from './preview.ts';
import type { FromModelWorker, ToModelWorker } from './serve-model.ts';

/** What the worker answered, or why it could not. */
export type Answered<Answer> =
  | { readonly ok: true; readonly value: Answer }
  | { readonly ok: false; readonly fault: FaultData };

/** Asks about a model. Returns what takes the question back; the answer then never comes. */
export type AskModel<Request, Answer> = (
  open: OpenModel,
  request: Request,
  answer: (answer: Answered<Answer>) => void,
) => () => void;

interface Asked<Request, Answer> {
  readonly open: OpenModel;
  readonly request: Request;
  readonly answer: (answer: Answered<Answer>) => void;
}

export interface AskerOptions {
  /** Of the questions that wait only the newest is put, so that a slider is never behind. */
  readonly newestOnly: boolean;
}

/**
 * Questions put to one worker, one after another. It is started at the first; skeleton and summaries are sent when they change.
 * A worker that fails answers its question with a fault, and the next question starts another.
 */
export function modelAsker<Request, Answer>(
  start: () => Worker,
  { newestOnly }: AskerOptions,
): AskModel<Request, Answer> {
  type Mine = Asked<Request, Answer>;
  let worker: Worker | null = null;
  /** What the worker holds. */
  let held: { readonly serial: number; readonly summaries: ReturnType<typeof summariesOf> } | null = null;
  let queue: readonly Mine[] = [];
  /** The question that the worker is at. */
  let current: (Mine & { readonly id: number }) | null = null;
  let nextId = 0;

  function settle(answered: Answered<Answer>): void {
    const asked = current;
    current = null;
    asked?.answer(answered);
    next();
  }

  function started(): Worker {
    if (worker !== null) return worker;
    const mine = start();
    mine.addEventListener('message', ({ data }: MessageEvent<FromModelWorker<Answer>>) => {
      if (current?.id !== data.id) return;
      settle('fault' in data ? { ok: false, fault: data.fault } : { ok: true, value: data.value });
    });
    mine.addEventListener('error', () => {
      if (worker !== mine) return;
      mine.terminate();
      worker = null;
      held = null;
      settle({
        ok: false,
        fault: new Fault(
          'internal',
          text(
            'the figures could not be worked out: the worker failed',
            '수치를 계산하지 못했습니다: 작업자가 멈췄습니다',
          ),
        ).toData(),
      });
    });
    worker = mine;
    return mine;
  }

  function next(): void {
    if (current !== null) return;
    const [asked, ...rest] = queue;
    if (asked === undefined) return;
    queue = rest;
    const { open, request } = asked;
    const to = started();
    const tell = (message: ToModelWorker<Request>): void => to.postMessage(message);
    const summaries = summariesOf(open);
    const opened = held?.serial === open.serial;
    if (!opened) tell({ kind: 'open', skeleton: open.skeleton });
    if ((opened ? held?.summaries : undefined) !== summaries) tell({ kind: 'summaries', of: summaries });
    held = { serial: open.serial, summaries };
    current = { ...asked, id: nextId++ };
    tell({ kind: 'ask', id: current.id, request });
  }

  return (open, request, answer) => {
    let wanted = true;
    const asked: Mine = { open, request, answer: (answered) => wanted && answer(answered) };
    queue = newestOnly ? [asked] : [...queue, asked];
    next();
    return () => {
      wanted = false;
      queue = queue.filter((q) => q !== asked);
    };
  };
}
