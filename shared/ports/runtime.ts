/** Owns the Runtime port: model bytes in, a session that runs. onnxruntime-node and onnxruntime-web stand behind it. */
import type { ElementType } from '../ir/element-type.ts';
import type { Typed } from '../ir/values.ts';

/**
 * A tensor as it enters or leaves a session. `data` is the typed array of `shared/ir/values.ts` (float16 and bfloat16
 * as Uint16Array, bool as Uint8Array), or strings.
 */
export interface RunTensor {
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly data: Typed | readonly string[];
}

export type Feeds = Readonly<Record<string, RunTensor>>;

export interface SessionOptions {
  /** Threads inside one operator. Default: what the host was given (`--threads`), else all cores. */
  readonly threads?: number;
  /** 'all' is what users have; 'none' maps every node one to one (calibration taps, oracles). */
  readonly optimize?: 'all' | 'basic' | 'none';
  /** Execution provider, by the runtime's name for it. Default: the processor. Faults of `open` where it is not there. */
  readonly provider?: string;
  /**
   * Its threads rest as soon as a run ends instead of waiting busily for the next: for sessions that are run in turn, since each
   * would else share the processors with the threads of those that ran before.
   */
  readonly restful?: boolean;
  /** Writes a trace that `endProfile` returns. */
  readonly profile?: boolean;
}

/** One kernel's time in a trace: name and operator as the runtime's (possibly fused) node has them. */
export interface ProfileEntry {
  readonly node: string;
  readonly op: string;
  readonly microseconds: number;
}

export interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** Runs once. `fetch` limits the outputs. Faults: `runtime`, with the runtime's own words. */
  run(feeds: Feeds, fetch?: readonly string[]): Promise<Readonly<Record<string, RunTensor>>>;
  /** Ends profiling and returns its entries (all runs). Only with `profile: true`. */
  endProfile(): Promise<readonly ProfileEntry[]>;
  /** Frees the session's memory; a session never released leaks its model's size. */
  release(): Promise<void>;
}

/** What is handed to a runtime: bytes, or the path of a file whose external data lies beside it. */
export type ModelSource = { readonly bytes: Uint8Array } | { readonly path: string };

export interface Runtime {
  /** 'onnxruntime-node 1.30.0' */
  readonly name: string;
  /** Faults: `runtime` with the runtime's own words and, where it says one, the node. */
  open(source: ModelSource, options?: SessionOptions): Promise<Session>;
}
