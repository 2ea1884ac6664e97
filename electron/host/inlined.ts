/** Owns a held model as one piece: external weights moved inside, for a download or for the runtime in the page. */
import { readFile } from 'node:fs/promises';
import { Fault } from '#shared/base/fault.ts';
import type { Model } from '#shared/ir/model.ts';
import { lazyTensor, type Tensor } from '#shared/ir/tensor.ts';
import { externalLayout } from '#shared/onnx/external.ts';
import { writeModel } from '#shared/onnx/write.ts';
import { openModelFile } from './model-files.ts';
import type { Held } from './model-store.ts';

/** The model as one file: external weights moved inside. */
export function inlined(model: Model): Model {
  const inside = (t: Tensor): Tensor =>
    t.storage.kind === 'external' ? lazyTensor(t.name, t.type, t.dims, t.bytes) : t;
  const out = { ...model, graph: { ...model.graph, initializers: model.graph.initializers.map(inside) } };
  const left = externalLayout(out).tensors[0];
  if (left === undefined) return out;
  throw new Fault('unsupported', 'external data inside a subgraph cannot be downloaded as one file', {
    where: left.tensor.name,
    hint: 'Use the command line: bantam apply MODEL --recipe R -o OUT.',
  });
}

/** The most that the page's runtime is handed; WebAssembly holds the file and the session beside it. */
const maxInPage = 256 * 2 ** 20;

/** Bytes of the whole model. Faults: `unsupported` above 256 MB; file faults. */
export async function inlinedBytes(held: Held): Promise<Uint8Array> {
  if (held.fileBytes > maxInPage)
    throw new Fault('unsupported', 'the model is too large to run inside the page', {
      where: held.name,
      hint: 'At most 256 MB; the native runtime still measures it.',
    });
  const model = await openModelFile(held.path);
  const whole = externalLayout(model).tensors.length === 0;
  return whole ? Uint8Array.from(await readFile(held.path)) : writeModel(inlined(model));
}
