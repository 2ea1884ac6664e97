/** Owns what features use of the host: the Host itself, one-shot calls as state, job documents. */
import { createContext, type ReactNode, useContext, useEffect, useState, useSyncExternalStore } from 'react';
import { Fault, type FaultData, toFault } from '#shared/base/fault.ts';
import type { CallInput, CallName, CallOutput, Host, Job } from '#shared/contract/calls.ts';

const HostContext = createContext<Host | null>(null);
const JobsContext = createContext<JobStore | null>(null);

/** Every job known, newest first; filled once and kept by events. */
class JobStore {
  #jobs: readonly Job[] = [];
  readonly #listeners = new Set<() => void>();

  constructor(host: Host) {
    host.onJob((job) => this.take([job]));
    host.call('jobs', {}).then(
      (jobs) => this.take(jobs),
      () => {},
    );
  }

  take(jobs: readonly Job[]): void {
    const byId = new Map(this.#jobs.map((j) => [j.id, j]));
    for (const job of jobs) if ((byId.get(job.id)?.seq ?? -1) <= job.seq) byId.set(job.id, job);
    this.#jobs = [...byId.values()].sort((a, b) => b.createdAt - a.createdAt);
    for (const tell of this.#listeners) tell();
  }

  drop(id: string): void {
    this.#jobs = this.#jobs.filter((j) => j.id !== id);
    for (const tell of this.#listeners) tell();
  }

  readonly subscribe = (tell: () => void): (() => void) => {
    this.#listeners.add(tell);
    return () => this.#listeners.delete(tell);
  };
  readonly read = (): readonly Job[] => this.#jobs;
}

export function HostProvider({ host, children }: { readonly host: Host; readonly children: ReactNode }) {
  const [jobs] = useState(() => new JobStore(host));
  return (
    <HostContext.Provider value={host}>
      <JobsContext.Provider value={jobs}>{children}</JobsContext.Provider>
    </HostContext.Provider>
  );
}

function need<T>(value: T | null): T {
  if (value === null) throw new Fault('internal', 'used outside HostProvider');
  return value;
}

/** The host; call it in event handlers: `host.call('openSample', { id })`. */
export const useHost = (): Host => need(useContext(HostContext));

/** Every job, newest first, live. */
export function useJobs(): readonly Job[] {
  const store = need(useContext(JobsContext));
  return useSyncExternalStore(store.subscribe, store.read);
}

/** Forgets a job on the screen after `removeJob`. */
export function useDropJob(): (id: string) => void {
  const store = need(useContext(JobsContext));
  return (id) => store.drop(id);
}

export function useConnected(): boolean {
  const host = useHost();
  const [connected, setConnected] = useState(false);
  useEffect(() => host.onConnection(setConnected), [host]);
  return connected;
}

export type CallState<T> =
  | { readonly state: 'waiting' }
  | { readonly state: 'done'; readonly value: T }
  | { readonly state: 'fault'; readonly fault: FaultData };

/** The answer to a call, asked again whenever the input changes (by value). `null` input: nothing is asked. */
export function useCall<K extends CallName>(name: K, input: CallInput<K> | null): CallState<CallOutput<K>> {
  const host = useHost();
  const key = input === null ? null : JSON.stringify(input);
  const [answer, setAnswer] = useState<{ key: string | null; state: CallState<CallOutput<K>> }>({
    key: null,
    state: { state: 'waiting' },
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` is `input` by value
  useEffect(() => {
    if (input === null) return;
    let stale = false;
    host.call(name, input).then(
      (value) => {
        if (!stale) setAnswer({ key, state: { state: 'done', value } });
      },
      (thrown: unknown) => {
        if (!stale) setAnswer({ key, state: { state: 'fault', fault: toFault(thrown).toData() } });
      },
    );
    return () => {
      stale = true;
    };
  }, [host, name, key]);
  return answer.key === key ? answer.state : { state: 'waiting' };
}
