/** Owns asking a runtime once how many channels its blocked convolutions take together. */
import { blockOf, blockProbe } from '../autodiff/blocked-convolutions.ts';
import { writeModel } from '../onnx/write.ts';
import type { Runtime } from '../ports/runtime.ts';

const known = new WeakMap<Runtime, Promise<number | null>>();

async function ask(runtime: Runtime): Promise<number | null> {
  const { model, dims } = blockProbe;
  const count = dims.reduce((a, b) => a * b, 1);
  try {
    const session = await runtime.open({ bytes: writeModel(model) });
    try {
      const data = Float32Array.from({ length: count }, (_, i) => i);
      const { y } = await session.run({ x: { type: 'float', dims, data } });
      return y?.data instanceof Float32Array ? blockOf(y.data) : null;
    } finally {
      await session.release();
    }
  } catch {
    // A runtime without these kernels refuses the model: convolutions stay as they are.
    return null;
  }
}

/** Channels in a block; null: the runtime has no blocked layout. */
export function convBlock(runtime: Runtime): Promise<number | null> {
  const asked = known.get(runtime) ?? ask(runtime);
  known.set(runtime, asked);
  return asked;
}
