/** Owns the worker in which the page's runtime runs, so that a run never holds up the screen. */
import { toFault } from '#shared/base/fault.ts';
import type { Session } from '#shared/ports/runtime.ts';
import { measureLatency } from '#shared/training/measure-latency.ts';
import type { FromOrt, ToOrt } from './messages.ts';
import { openHere } from './ort-session.ts';

const sessions = new Map<number, Session>();
let last = 0;

function sessionOf(id: number): Session {
  const found = sessions.get(id);
  if (found === undefined) throw new Error('the session was released');
  return found;
}

async function answer(message: ToOrt): Promise<FromOrt['value']> {
  switch (message.kind) {
    case 'open': {
      const started = performance.now();
      const session = await openHere(message.bytes, message.provider, message.threads);
      sessions.set(++last, session);
      return { session: last, startMs: performance.now() - started };
    }
    case 'run':
      return { outputs: await sessionOf(message.session).run(message.feeds) };
    case 'time':
      return {
        latencyMs: await measureLatency(sessionOf(message.session), message.feeds, performance, message.budgetMs),
      };
    case 'release': {
      const session = sessionOf(message.session);
      sessions.delete(message.session);
      await session.release();
      return {};
    }
  }
}

/** One after the other: the runtime takes one run at a time. */
let turn: Promise<void> = Promise.resolve();
addEventListener('message', ({ data }: MessageEvent<ToOrt>) => {
  turn = turn.then(async () => {
    try {
      postMessage({ id: data.id, value: await answer(data) });
    } catch (thrown) {
      postMessage({ id: data.id, fault: toFault(thrown).toData() });
    }
  });
});
