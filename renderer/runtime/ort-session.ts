/** Owns onnxruntime-web behind the Runtime port, inside a worker: WebAssembly with SIMD and threads, or WebGPU. */
import type * as Ort from 'onnxruntime-web';
import gpuGlue from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url';
import gpuWasm from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import cpuGlue from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url';
import cpuWasm from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import { Fault } from '#shared/base/fault.ts';
import { text } from '#shared/base/text.ts';
import { crossingType, fromRuntime, refusedByRuntime } from '#shared/ports/crossing.ts';
import type { RunTensor, Session } from '#shared/ports/runtime.ts';

export type Provider = 'wasm' | 'webgpu';

const here = (url: string): string => new URL(url, self.location.href).href;

/** Each provider is its own build of the runtime; loaded once, when first asked for. */
const builds: Partial<Record<Provider, Promise<typeof Ort>>> = {};

async function load(provider: Provider, threads: number): Promise<typeof Ort> {
  const ort = provider === 'webgpu' ? await import('onnxruntime-web/webgpu') : await import('onnxruntime-web/wasm');
  ort.env.logLevel = 'fatal';
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.wasmPaths =
    provider === 'webgpu' ? { mjs: here(gpuGlue), wasm: here(gpuWasm) } : { mjs: here(cpuGlue), wasm: here(cpuWasm) };
  return ort;
}

const toOrt = (ort: typeof Ort, name: string, tensor: RunTensor): Ort.Tensor =>
  new ort.Tensor(crossingType(name, tensor.type), tensor.data as Ort.Tensor.DataType, [...tensor.dims]);

/** A session in this worker. `threads` holds for the first session of a provider. Faults: `runtime`, in the runtime's words. */
export async function openHere(bytes: Uint8Array, provider: Provider, threads: number): Promise<Session> {
  builds[provider] ??= load(provider, threads);
  const ort = await builds[provider];
  let session: Ort.InferenceSession;
  try {
    session = await ort.InferenceSession.create(bytes, { executionProviders: [provider] });
  } catch (thrown) {
    throw refusedByRuntime(
      thrown,
      text('the runtime in the page cannot load the model', '페이지 안의 런타임이 모델을 불러오지 못했습니다'),
    );
  }
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    run: async (feeds, fetch) => {
      const given = Object.fromEntries(Object.entries(feeds).map(([k, t]) => [k, toOrt(ort, k, t)]));
      try {
        const got = fetch === undefined ? await session.run(given) : await session.run(given, [...fetch]);
        return Object.fromEntries(Object.entries(got).map(([k, t]) => [k, fromRuntime(k, t)]));
      } catch (thrown) {
        throw refusedByRuntime(
          thrown,
          text('the runtime in the page cannot run the model', '페이지 안의 런타임이 모델을 실행하지 못했습니다'),
        );
      }
    },
    endProfile: () =>
      Promise.reject(
        new Fault(
          'unsupported',
          text('the runtime in the page writes no trace', '페이지 안의 런타임은 추적을 쓰지 않습니다'),
        ),
      ),
    release: () => session.release(),
  };
}
