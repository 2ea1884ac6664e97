/** Owns onnxruntime-node behind the Runtime port. Runs in job processes and the command line, never beside a window. */
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { Fault } from '#shared/base/fault.ts';
import { text } from '#shared/base/text.ts';
import { crossingType, fromRuntime, refusedByRuntime } from '#shared/ports/crossing.ts';
import type {
  Feeds,
  ModelSource,
  ProfileEntry,
  RunTensor,
  Runtime,
  Session,
  SessionOptions,
} from '#shared/ports/runtime.ts';

const toOrt = (name: string, tensor: RunTensor): ort.Tensor =>
  new ort.Tensor(crossingType(name, tensor.type), tensor.data as ort.Tensor.DataType, tensor.dims);

interface TraceEvent {
  readonly cat: string;
  readonly name: string;
  readonly dur: number;
  readonly args?: { readonly op_name?: string };
}

function readTrace(path: string): readonly ProfileEntry[] {
  const events = JSON.parse(readFileSync(path, 'utf8')) as readonly TraceEvent[];
  rmSync(path, { force: true });
  return events
    .filter((e) => e.cat === 'Node' && e.name.endsWith('_kernel_time'))
    .map((e) => ({ node: e.name.replace(/_kernel_time$/, ''), op: e.args?.op_name ?? '', microseconds: e.dur }));
}

async function openSession(source: ModelSource, options: SessionOptions, defaultThreads: number): Promise<Session> {
  const trace = join(tmpdir(), `bantam-trace-${process.pid}-${randomUUID()}`);
  const optimize = options.optimize ?? 'all';
  const settings: ort.InferenceSession.SessionOptions = {
    intraOpNumThreads: options.threads ?? defaultThreads,
    interOpNumThreads: 1,
    graphOptimizationLevel: optimize === 'none' ? 'disabled' : optimize,
    // Only what is fatal: every other error comes back as a Fault, once.
    logSeverityLevel: 4,
    ...(options.provider === undefined ? {} : { executionProviders: [options.provider] }),
    // Measured: three sessions in turn on two cores 6.0 ms each as they are, 2.4 ms with this, 2.6 ms one alone.
    ...(options.restful ? { extra: { session: { force_spinning_stop: '1' } } } : {}),
    ...(options.profile ? { enableProfiling: true, profileFilePrefix: trace } : {}),
  };
  let session: ort.InferenceSession;
  try {
    session =
      'path' in source
        ? await ort.InferenceSession.create(source.path, settings)
        : await ort.InferenceSession.create(source.bytes, settings);
  } catch (thrown) {
    throw refusedByRuntime(thrown, text('the runtime cannot load the model', '런타임이 모델을 불러오지 못했습니다'));
  }
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    run: async (feeds: Feeds, fetch) => {
      try {
        const given = Object.fromEntries(Object.entries(feeds).map(([k, t]) => [k, toOrt(k, t)]));
        const got = fetch === undefined ? await session.run(given) : await session.run(given, [...fetch]);
        return Object.fromEntries(Object.entries(got).map(([k, t]) => [k, fromRuntime(k, t as ort.Tensor)]));
      } catch (thrown) {
        throw refusedByRuntime(thrown, text('the runtime cannot run the model', '런타임이 모델을 실행하지 못했습니다'));
      }
    },
    endProfile: async () => {
      const ended: unknown = session.endProfiling();
      return readTrace(typeof ended === 'string' ? ended : latestTrace(trace));
    },
    release: () => session.release(),
  };
}

/** The trace file that the runtime named after our prefix. */
function latestTrace(prefix: string): string {
  const found = readdirSync(dirname(prefix)).filter((f) => f.startsWith(basename(prefix)));
  const name = found.sort().at(-1);
  if (name === undefined)
    throw new Fault('runtime', text('the runtime wrote no profile', '런타임이 프로파일을 쓰지 않았습니다'));
  return join(dirname(prefix), name);
}

/** onnxruntime-node on the CPU. `threads`: default for every session; 0 lets the runtime take all cores. */
export function nodeRuntime(threads = 0): Runtime {
  return {
    name: `onnxruntime-node ${ort.env.versions.node ?? ort.env.versions.common}`,
    open: (source, options = {}) => openSession(source, options, threads),
  };
}
