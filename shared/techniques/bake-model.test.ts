/** Baking computes; it never changes what is written. */
import { create, toBinary } from '@bufbuild/protobuf';
import { GraphProtoSchema, ModelProtoSchema } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { openModelFile } from '../../electron/host/model-files.ts';
import { neverCancelled } from '../base/cancel.ts';
import { readModel } from '../onnx/read.ts';
import { fileBytes } from '../onnx/size.ts';
import { writeModel } from '../onnx/write.ts';
import { corpusEntries, corpusPath } from '../testing/corpus.ts';
import { bakeModel } from './bake-model.ts';

const bake = (m: ReturnType<typeof readModel>) => bakeModel(m, neverCancelled, () => {});

describe('bakeModel', () => {
  it('leaves an empty tensor as the file has it', async () => {
    const initializer = [{ name: 'none', dims: [0n], dataType: 1, rawData: new Uint8Array(0) }];
    const graph = create(GraphProtoSchema, { name: 'g', initializer });
    const m = readModel(toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: 8n, graph })));
    expect(writeModel(await bake(m))).toEqual(writeModel(m));
  });

  it.each(corpusEntries.filter((e) => e.parse_error === null && !/^5-edge\/external/.test(e.file)).map((e) => e.file))(
    'keeps the size of %s',
    async (file) => {
      const read = openModelFile(corpusPath(file));
      // A changed graph, as a step hands it over: an unchanged one is written as it came, old forms and all.
      const m = { ...read, graph: { ...read.graph } };
      expect(fileBytes(await bake(m))).toBe(fileBytes(m));
    },
  );
});
