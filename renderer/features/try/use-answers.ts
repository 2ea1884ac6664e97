/** Owns what the opened models answer: in the page's runtime at once, then timed there, then on the native runtime. */
import { useEffect, useRef, useState } from 'react';
import { type FaultData, toFault } from '#shared/base/fault.ts';
import { fromWire, toWire } from '#shared/contract/run-tensor.ts';
import type { Feeds } from '#shared/ports/runtime.ts';
import type { Latency } from '#shared/training/measure-latency.ts';
import { useHost } from '../../host/use-host.tsx';
import { openPageRuntime, type PageRuntime, type PageSession, type Provider } from '../../runtime/page-runtime.ts';
import type { Outputs } from './scores.ts';

export interface Answer {
  readonly opening: boolean;
  readonly outputs?: Outputs;
  readonly pageMs?: Latency;
  readonly native?: { readonly outputs: Outputs; readonly latencyMs: Latency; readonly threads: number };
  readonly fault?: FaultData;
}

const pageBudgetMs = 200;
/** A drawing in progress changes many times a second; the native run is asked for when it rests. */
const restMs = 500;

/** One worker for both models, ended with the dialog. */
export function usePageRuntime(): PageRuntime | null {
  const [runtime, setRuntime] = useState<PageRuntime | null>(null);
  useEffect(() => {
    const opened = openPageRuntime();
    setRuntime(opened);
    return () => opened.close();
  }, []);
  return runtime;
}

function useSession(runtime: PageRuntime | null, modelId: string | null, provider: Provider) {
  const host = useHost();
  const [state, setState] = useState<{ session?: PageSession; fault?: FaultData }>({});
  useEffect(() => {
    if (runtime === null || modelId === null) return;
    let left = false;
    let mine: PageSession | undefined;
    setState({});
    host
      .call('modelBytes', { modelId })
      .then(({ bytes }) => runtime.open(bytes, provider))
      .then(
        (session) => {
          if (left) return session.release();
          mine = session;
          setState({ session });
        },
        (thrown: unknown) => {
          if (!left) setState({ fault: toFault(thrown).toData() });
        },
      );
    return () => {
      left = true;
      mine?.release();
    };
  }, [host, runtime, modelId, provider]);
  return state;
}

/** The answer of one model to `feeds`; null feeds: nothing is asked. */
export function useAnswer(
  runtime: PageRuntime | null,
  modelId: string | null,
  provider: Provider,
  feeds: Feeds | null,
): Answer {
  const host = useHost();
  const { session, fault } = useSession(runtime, modelId, provider);
  const [answer, setAnswer] = useState<Omit<Answer, 'opening'>>({});
  const turn = useRef(0);
  useEffect(() => {
    const mine = ++turn.current;
    const late = (): boolean => turn.current !== mine;
    if (session === undefined || feeds === null || modelId === null) {
      setAnswer({});
      return;
    }
    const failed = (thrown: unknown): void => {
      if (!late()) setAnswer((a) => ({ ...a, fault: toFault(thrown).toData() }));
    };
    session.run(feeds).then((outputs) => {
      if (!late()) setAnswer({ outputs });
    }, failed);
    const timer = setTimeout(() => {
      session.time(feeds, pageBudgetMs).then((pageMs) => {
        if (!late()) setAnswer((a) => ({ ...a, pageMs }));
      }, failed);
      host.call('answer', { modelId, feeds: [...toWire(feeds)] }).then(({ outputs, latencyMs, threads }) => {
        if (!late()) setAnswer((a) => ({ ...a, native: { outputs: fromWire(outputs), latencyMs, threads } }));
      }, failed);
    }, restMs);
    return () => clearTimeout(timer);
  }, [host, session, feeds, modelId]);
  const problem = fault ?? answer.fault;
  return {
    ...answer,
    opening: modelId !== null && session === undefined && fault === undefined,
    ...(problem === undefined ? {} : { fault: problem }),
  };
}
