/** Owns askGain: cards' questions put to the worker one after another, those of a changed card taken back in time. */
import { Fault } from '#shared/base/fault.ts';
import type { OpenModel } from '../../state/document.ts';
import { summariesOf } from '../../state/preview.ts';
import type { Gain, GainRequest } from './gain.ts';
import type { FromGainWorker, ToGainWorker } from './gain.worker.ts';

interface Asked {
  readonly open: OpenModel;
  readonly request: GainRequest;
  readonly answer: (gain: Gain) => void;
}

const worker = new Worker(new URL('./gain.worker.ts', import.meta.url), { type: 'module' });
const tell = (message: ToGainWorker): void => worker.postMessage(message);

const queue: Asked[] = [];
/** The question that the worker is at. */
let current: (Asked & { readonly id: number }) | null = null;
let nextId = 0;
/** What the worker holds. */
let held: { readonly serial: number; readonly summaries: ReturnType<typeof summariesOf> } | null = null;

function next(): void {
  if (current !== null) return;
  const asked = queue.shift();
  if (asked === undefined) return;
  const { open, request } = asked;
  const summaries = summariesOf(open);
  if (held?.serial !== open.serial) {
    tell({ kind: 'open', skeleton: open.skeleton });
    held = { serial: open.serial, summaries: undefined };
  }
  if (held.summaries !== summaries) {
    tell({ kind: 'summaries', of: summaries });
    held = { serial: open.serial, summaries };
  }
  current = { ...asked, id: nextId++ };
  tell({ kind: 'ask', id: current.id, request });
}

worker.addEventListener('message', ({ data }: MessageEvent<FromGainWorker>) => {
  if (current?.id !== data.id) return;
  const { answer } = current;
  current = null;
  answer(data.gain);
  next();
});

worker.addEventListener('error', () => {
  const fault = new Fault('internal', 'the figures could not be worked out: the worker failed').toData();
  for (const asked of current === null ? queue.splice(0) : [current, ...queue.splice(0)])
    asked.answer({ ok: false, fault });
  current = null;
});

/** Asks what a step would give. Returns what takes the question back; the answer then never comes. */
export function askGain(open: OpenModel, request: GainRequest, answer: (gain: Gain) => void): () => void {
  let wanted = true;
  const asked: Asked = { open, request, answer: (gain) => wanted && answer(gain) };
  queue.push(asked);
  next();
  return () => {
    wanted = false;
    const at = queue.indexOf(asked);
    if (at >= 0) queue.splice(at, 1);
  };
}
