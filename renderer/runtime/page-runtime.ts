/** Owns the page's own runtime: onnxruntime-web in a worker, models opened there, run and timed. */
import { Fault } from '#shared/base/fault.ts';
import { text } from '#shared/base/text.ts';
import type { Feeds, RunTensor } from '#shared/ports/runtime.ts';
import type { Latency } from '#shared/training/measure-latency.ts';
import type { Ask, FromOrt } from './messages.ts';
import type { Provider } from './ort-session.ts';

export type { Provider };

export interface PageSession {
  /** Milliseconds from bytes to a session that runs. */
  readonly startMs: number;
  run(feeds: Feeds): Promise<Readonly<Record<string, RunTensor>>>;
  /** Timed inside the worker, without the way there and back. */
  time(feeds: Feeds, budgetMs: number): Promise<Latency>;
  release(): void;
}

export interface PageRuntime {
  /** The worker takes a copy of the bytes. Faults: `runtime`, `unsupported`. */
  open(bytes: Uint8Array, provider: Provider): Promise<PageSession>;
  /** Ends the worker and everything in it. */
  close(): void;
}

/** Threads need a page that is cross-origin isolated; without it the runtime has one. */
export const pageThreads = (): number =>
  globalThis.crossOriginIsolated === true ? Math.max(1, Math.min(4, navigator.hardwareConcurrency || 1)) : 1;

/** What this browser can be asked for; WebGPU only where it hands out an adapter. */
export async function pageProviders(): Promise<readonly Provider[]> {
  const gpu = (navigator as { gpu?: { requestAdapter(): Promise<unknown> } }).gpu;
  const adapter = await gpu?.requestAdapter().catch(() => null);
  return adapter === null || adapter === undefined ? ['wasm'] : ['wasm', 'webgpu'];
}

export function openPageRuntime(): PageRuntime {
  const worker = new Worker(new URL('./ort.worker.ts', import.meta.url), { type: 'module' });
  const waiting = new Map<number, { done(v: NonNullable<FromOrt['value']>): void; fail(f: Fault): void }>();
  let next = 0;
  const failAll = (fault: Fault): void => {
    for (const w of waiting.values()) w.fail(fault);
    waiting.clear();
  };
  worker.addEventListener('message', ({ data }: MessageEvent<FromOrt>) => {
    const asked = waiting.get(data.id);
    waiting.delete(data.id);
    if (data.fault !== undefined) asked?.fail(new Fault(data.fault.code, data.fault.message, data.fault));
    else asked?.done(data.value ?? {});
  });
  worker.addEventListener('error', (e) => {
    failAll(
      new Fault(
        'crashed',
        text(
          `the runtime in the page stopped${e.message ? `: ${e.message}` : ''}`,
          `페이지 안의 런타임이 멈췄습니다${e.message ? `: ${e.message}` : ''}`,
        ),
      ),
    );
  });
  const ask = (message: Ask): Promise<NonNullable<FromOrt['value']>> =>
    new Promise((done, fail) => {
      const id = ++next;
      waiting.set(id, { done, fail });
      worker.postMessage({ ...message, id });
    });
  return {
    open: async (bytes, provider) => {
      const { session = 0, startMs = 0 } = await ask({ kind: 'open', bytes, provider, threads: pageThreads() });
      return {
        startMs,
        run: async (feeds) => (await ask({ kind: 'run', session, feeds })).outputs ?? {},
        time: async (feeds, budgetMs) => {
          const { latencyMs } = await ask({ kind: 'time', session, feeds, budgetMs });
          if (latencyMs === undefined)
            throw new Fault('internal', text('the worker gave no time', '작업자가 시간을 알려 주지 않았습니다'));
          return latencyMs;
        },
        release: () => void ask({ kind: 'release', session }).catch(() => {}),
      };
    },
    close: () => {
      worker.terminate();
      failAll(new Fault('crashed', text('the runtime in the page was closed', '페이지 안의 런타임이 닫혔습니다')));
    },
  };
}
