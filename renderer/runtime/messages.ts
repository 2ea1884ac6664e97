/** Owns what the page and the worker of its runtime say to each other. */
import type { FaultData } from '#shared/base/fault.ts';
import type { Feeds, RunTensor } from '#shared/ports/runtime.ts';
import type { Latency } from '#shared/training/measure-latency.ts';
import type { Provider } from './ort-session.ts';

export type Ask =
  | { readonly kind: 'open'; readonly bytes: Uint8Array; readonly provider: Provider; readonly threads: number }
  | { readonly kind: 'run'; readonly session: number; readonly feeds: Feeds }
  | { readonly kind: 'time'; readonly session: number; readonly feeds: Feeds; readonly budgetMs: number }
  | { readonly kind: 'release'; readonly session: number };

export type ToOrt = Ask & { readonly id: number };

export interface FromOrt {
  readonly id: number;
  readonly value?: {
    readonly session?: number;
    readonly startMs?: number;
    readonly outputs?: Readonly<Record<string, RunTensor>>;
    readonly latencyMs?: Latency;
  };
  readonly fault?: FaultData;
}
