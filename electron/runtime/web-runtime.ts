/**
 * Owns onnxruntime-web behind the Runtime port, run by Node: the very WebAssembly that a page runs, on one thread. A file meant
 * for browsers is checked by it.
 */
import fs from 'node:fs';
import { readFile } from 'node:fs/promises';
import type * as Ort from 'onnxruntime-web';
import { text } from '#shared/base/text.ts';
import { crossingType, fromRuntime, refusedByRuntime } from '#shared/ports/crossing.ts';
import type { ModelSource, ProfileEntry, RunTensor, Runtime, Session, SessionOptions } from '#shared/ports/runtime.ts';

/** Loaded when first asked for: most jobs never do. */
let loaded: Promise<typeof Ort> | undefined;

async function load(): Promise<typeof Ort> {
  const ort = await import('onnxruntime-web');
  ort.env.logLevel = 'fatal';
  // Node has no threads that its build could start here.
  ort.env.wasm.numThreads = 1;
  return ort;
}

const toOrt = (ort: typeof Ort, name: string, tensor: RunTensor): Ort.Tensor =>
  new ort.Tensor(crossingType(name, tensor.type), tensor.data as Ort.Tensor.DataType, [...tensor.dims]);

/** What is printed meanwhile: having no file system, the build writes its trace to standard output. */
function printed(run: () => void): readonly string[] {
  const lines: string[] = [];
  const write = fs.writeSync;
  const kept = (file: number, data: string | NodeJS.ArrayBufferView, ...rest: never[]): number => {
    if (file !== 1 || typeof data !== 'string') return write(file, data as string, ...rest);
    lines.push(data);
    return Buffer.byteLength(data);
  };
  fs.writeSync = kept as typeof fs.writeSync;
  try {
    run();
  } finally {
    fs.writeSync = write;
  }
  return lines;
}

/** `{"cat" : "Node", .. "dur" :12, .. "name" :"conv1_kernel_time", "args" : {.. "op_name" : "Conv" ..}},` a line each. */
const kernels = (lines: readonly string[]): readonly ProfileEntry[] =>
  lines.flatMap((line) => {
    const node = /"name" ?: ?"(.*?)_kernel_time"/.exec(line)?.[1];
    const op = /"op_name" ?: ?"(.*?)"/.exec(line)?.[1];
    const microseconds = Number(/"dur" ?: ?(\d+)/.exec(line)?.[1]);
    return node === undefined || op === undefined ? [] : [{ node, op, microseconds }];
  });

async function openSession(ort: typeof Ort, source: ModelSource, options: SessionOptions): Promise<Session> {
  const optimize = options.optimize ?? 'all';
  let session: Ort.InferenceSession;
  try {
    const bytes = 'path' in source ? await readFile(source.path) : source.bytes;
    session = await ort.InferenceSession.create(bytes, {
      executionProviders: ['wasm'],
      graphOptimizationLevel: optimize === 'none' ? 'disabled' : optimize,
      logSeverityLevel: 4,
      ...(options.profile ? { enableProfiling: true } : {}),
    });
  } catch (thrown) {
    throw refusedByRuntime(
      thrown,
      text('the browser runtime cannot load the model', '브라우저 런타임이 모델을 불러오지 못했습니다'),
    );
  }
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    run: async (feeds, fetch) => {
      try {
        const given = Object.fromEntries(Object.entries(feeds).map(([k, t]) => [k, toOrt(ort, k, t)]));
        const got = fetch === undefined ? await session.run(given) : await session.run(given, [...fetch]);
        return Object.fromEntries(Object.entries(got).map(([k, t]) => [k, fromRuntime(k, t)]));
      } catch (thrown) {
        throw refusedByRuntime(
          thrown,
          text('the browser runtime cannot run the model', '브라우저 런타임이 모델을 실행하지 못했습니다'),
        );
      }
    },
    endProfile: async () => kernels(printed(() => session.endProfiling())),
    release: () => session.release(),
  };
}

/** onnxruntime-web in Node: WebAssembly on one thread. A file with external data cannot be opened by its path. */
export async function webRuntime(): Promise<Runtime> {
  loaded ??= load();
  const ort = await loaded;
  return {
    name: `onnxruntime-web ${ort.env.versions.web ?? ort.env.versions.common}`,
    open: (source, options = {}) => openSession(ort, source, options),
  };
}
