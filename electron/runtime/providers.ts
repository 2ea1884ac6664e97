/** Owns which execution providers of onnxruntime-node work on this machine: a small model is run on each. */
import * as ort from 'onnxruntime-node';
import { toFault } from '#shared/base/fault.ts';
import type { Provider } from '#shared/contract/runtimes.ts';
import { writeModel } from '#shared/onnx/write.ts';
import type { Runtime } from '#shared/ports/runtime.ts';
import { blockProbe } from '#shared/zoo/calibration/chains.ts';
import { providerReason } from './provider-reason.ts';

/** Those that a person may look for, whether or not this build has them; the order is that of the list. */
const titles: Readonly<Record<string, string>> = {
  cpu: 'CPU',
  webgpu: 'WebGPU',
  cuda: 'CUDA',
  tensorrt: 'TensorRT',
  coreml: 'CoreML',
  dml: 'DirectML',
};

/** What the runtime's package says of itself; a test gives its own. */
export const listedBackends = (): readonly string[] => ort.listSupportedBackends().map((b) => b.name);

/** The state of one provider by a run of a small model. Never throws. */
async function tried(runtime: Runtime, id: string): Promise<string | null> {
  try {
    const session = await runtime.open({ bytes: writeModel(blockProbe(8)) }, { provider: id });
    try {
      await session.run({ input: { type: 'float', dims: [1, 8, 8, 8], data: new Float32Array(512) } });
    } finally {
      await session.release();
    }
    return null;
  } catch (thrown) {
    return providerReason(toFault(thrown).message);
  }
}

/** Every provider that is known by name or that this build lists. Never throws; a driver may take the process with it. */
export async function listProviders(
  runtime: Runtime,
  listed: readonly string[] = listedBackends(),
): Promise<readonly Provider[]> {
  const out: Provider[] = [];
  for (const id of [...new Set([...Object.keys(titles), ...listed])]) {
    const inBuild = listed.includes(id);
    const reason = inBuild
      ? await tried(runtime, id)
      : `the build of onnxruntime-node for ${process.platform} ${process.arch} does not hold it`;
    out.push({ id, title: titles[id] ?? id, inBuild, works: reason === null, reason });
  }
  return out;
}
