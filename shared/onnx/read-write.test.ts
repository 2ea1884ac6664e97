/** The law of reading and writing on every file of the corpus: read -> write -> read is equal, sizes are exact. */
import { describe, expect, it } from 'vitest';
import { toFault } from '../base/fault.ts';
import { GraphEdit } from '../ir/graph-edit.ts';
import type { Model } from '../ir/model.ts';
import { lazyTensor } from '../ir/tensor.ts';
import { corpusBytes, corpusEntries } from '../testing/corpus.ts';
import { readModel } from './read.ts';
import { fileBytes, onnxFileBytes } from './size.ts';
import { readSkeleton, skeletonOf } from './skeleton.ts';
import { writeModel } from './write.ts';

/** Two files that hold what no reader can understand. */
const unreadable = ['5-edge/corrupt-30-bytes.onnx', '5-edge/fuzz-bad-wire-type.onnx'];

/** A changed copy of every object, so that nothing is written by reference to what was read. */
function touched(model: Model): Model {
  return {
    ...model,
    graph: {
      ...model.graph,
      nodes: model.graph.nodes.map((n) => ({ ...n, attributes: n.attributes.map((a) => ({ ...a })) })),
      initializers: model.graph.initializers.map((t) => ({ ...t })),
      inputs: model.graph.inputs.map((i) => ({ ...i, type: { ...i.type } })),
      outputs: model.graph.outputs.map((i) => ({ ...i })),
    },
  };
}

describe.runIf(corpusEntries.length > 0)('the corpus', () => {
  const identical: string[] = [];
  it.each(corpusEntries.map((e) => e.file).filter((f) => !unreadable.includes(f)))('%s', (file) => {
    const bytes = corpusBytes(file);
    const model = readModel(bytes);
    expect(onnxFileBytes(model)).toBe(writeModel(model).length);
    const written = writeModel(model);
    if (Buffer.compare(written, bytes) === 0) identical.push(file);
    const again = readModel(written);
    expect(Buffer.compare(writeModel(again), written)).toBe(0);
    expect(fileBytes(again)).toBe(fileBytes(model));
    const copy = touched(model);
    expect(onnxFileBytes(copy)).toBe(writeModel(copy).length);
    const screen = readSkeleton(skeletonOf(model));
    expect(fileBytes(screen)).toBe(fileBytes(model));
    expect(fileBytes(touched(screen))).toBe(fileBytes(touched(model)));
    const ids = model.graph.nodes.map((n) => n.id);
    expect(new Set(ids).size).toBe(ids.length);
  });
  it('comes back byte for byte from at least 90 files', () => {
    expect(identical.length).toBeGreaterThanOrEqual(90);
  });
  it.each(unreadable)('%s is refused with one clear line', (file) => {
    try {
      readModel(corpusBytes(file));
      expect.unreachable();
    } catch (thrown) {
      expect(toFault(thrown).code).toBe('bad-file');
      expect(toFault(thrown).message).toContain('not a readable ONNX file');
    }
  });
  it('writes a lazily made tensor only when writing, at the predicted size', () => {
    const model = readModel(corpusBytes('2-classifier/mnist-8-cntk.onnx'));
    const [first] = model.graph.initializers.filter((t) => t.type === 'float');
    let made = 0;
    const edit = new GraphEdit(model.graph);
    edit.setInitializer(
      lazyTensor(first!.name, 'float', [3, 5], () => {
        made++;
        return new Uint8Array(60).fill(7);
      }),
    );
    const next = { ...model, graph: edit.done() };
    const size = onnxFileBytes(next);
    expect(made).toBe(0);
    const written = writeModel(next);
    expect([written.length, made]).toEqual([size, 1]);
    const back = readModel(written).graph.initializers.find((t) => t.name === first!.name);
    expect([...back!.bytes()]).toEqual(Array(60).fill(7));
  });
});
