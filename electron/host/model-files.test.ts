/** Models on disk: every bad file gets its one line, external data stays in its folder, saving is all or nothing. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { faultLine, toFault } from '#shared/base/fault.ts';
import { rng } from '#shared/base/random.ts';
import type { Model } from '#shared/ir/model.ts';
import { asWritten } from '#shared/onnx/as-written.ts';
import { readModel } from '#shared/onnx/read.ts';
import { fileBytes } from '#shared/onnx/size.ts';
import { writeModel } from '#shared/onnx/write.ts';
import { model, node, randomTensor, value } from '#shared/testing/build.ts';
import { corpusBytes, corpusEntries, corpusPath } from '#shared/testing/corpus.ts';
import { nodeRuntime } from '../runtime/node-runtime.ts';
import { openModelBytes, openModelFile, safeLocation, saveModelFile } from './model-files.ts';

const temp = (): string => mkdtempSync(join(tmpdir(), 'bantam-files-'));
const line = (run: () => unknown): string => {
  try {
    run();
  } catch (thrown) {
    return faultLine(toFault(thrown));
  }
  return 'no fault';
};
const small = (): Model =>
  model({
    nodes: [node('MatMul', ['x', 'w'], ['h']), node('Add', ['h', 'b'], ['y'])],
    inputs: [value('x', [1, 64])],
    outputs: [value('y', [1, 32])],
    initializers: [randomTensor('w', [64, 32]), randomTensor('b', [32])],
  });
const weights = (m: Model): string[] => m.graph.initializers.map((t) => Buffer.from(t.bytes()).toString('hex'));

describe('saving', () => {
  it('writes one file of the predicted size and leaves nothing else behind', async () => {
    const folder = temp();
    const saved = await saveModelFile(small(), join(folder, 'm.onnx'));
    expect(saved.bytes).toBe(fileBytes(small()));
    expect(readdirSync(folder)).toEqual(['m.onnx']);
    expect(weights(openModelFile(join(folder, 'm.onnx')))).toEqual(weights(small()));
  });
  it('spills tensors to external data past the limit, streamed, and the runtime reads it', async () => {
    const folder = temp();
    const path = join(folder, 'big.onnx');
    const saved = await saveModelFile(small(), path, { limit: 2000 });
    expect(saved.files.map((f) => basename(f))).toEqual([expect.stringMatching(/^weights-.{8}\.data$/), 'big.onnx']);
    expect(saved.bytes).toBe(fileBytes(asWritten(small(), 2000)));
    const back = openModelFile(path);
    expect(back.graph.initializers.map((t) => t.storage.kind)).toEqual(['external', 'raw']);
    expect(weights(back)).toEqual(weights(small()));
    const session = await nodeRuntime(1).open({ path });
    const x = { x: { type: 'float' as const, dims: [1, 64], data: new Float32Array(64).fill(0.5) } };
    const inside = await nodeRuntime(1).open({ bytes: writeModel(small()) });
    expect((await session.run(x)).y).toEqual((await inside.run(x)).y);
    await session.release();
    await inside.release();
  });
  it('saved over itself, keeps the old data until the new model is in place', async () => {
    const path = join(temp(), 'm.onnx');
    await saveModelFile(small(), path, { limit: 2000 });
    await saveModelFile(openModelFile(path), path, { limit: 2000 });
    expect(weights(openModelFile(path))).toEqual(weights(small()));
  });
  it.each(['keep', 'inside'] as const)(
    'never touches the data of another model in the folder (%s)',
    async (external) => {
      const folder = temp();
      const saved = await saveModelFile(small(), join(folder, 'first.onnx'), { limit: 500 });
      const first = openModelFile(join(folder, 'first.onnx'));
      const data = readFileSync(saved.files[0]!);
      const cut = first.graph.initializers.map((t) => ({
        ...t,
        dims: [7],
        bytes: () => t.bytes().subarray(0, 28),
      }));
      const second: Model = { ...first, graph: { ...first.graph, initializers: cut } };
      const written = await saveModelFile(second, join(folder, 'second.onnx'), { external });
      expect(readFileSync(saved.files[0]!)).toEqual(data);
      expect(weights(first)).toEqual(weights(small()));
      const back = openModelFile(join(folder, 'second.onnx'));
      expect(weights(back)).toEqual(weights(second));
      expect(fileBytes(back)).toBe(written.bytes);
    },
  );
  it('a tensor that cannot be made leaves the old file whole and no parts', async () => {
    const folder = temp();
    const path = join(folder, 'm.onnx');
    await saveModelFile(small(), path);
    const before = readFileSync(path);
    const broken = small();
    const w = broken.graph.initializers[0]!;
    const bad: Model = {
      ...broken,
      graph: {
        ...broken.graph,
        initializers: [
          {
            ...w,
            bytes: () => {
              throw new Error('disk gone');
            },
          },
        ],
      },
    };
    await expect(saveModelFile(bad, path)).rejects.toThrow('disk gone');
    expect(readFileSync(path)).toEqual(before);
    expect(readdirSync(folder)).toEqual(['m.onnx']);
  });
});

describe('safe places', () => {
  const folder = temp();
  mkdirSync(join(folder, 'sub'));
  writeFileSync(join(folder, 'sub', 'w.bin'), 'x');
  const outside = temp();
  writeFileSync(join(outside, 'secret'), 's');
  symlinkSync(join(outside, 'secret'), join(folder, 'link'));
  symlinkSync(outside, join(folder, 'linked'));
  it('reads sub-folders', () => expect(safeLocation(folder, 'sub/w.bin', 't').endsWith('w.bin')).toBe(true));
  it.each([
    '../x',
    'sub/../../x',
    '..\\x',
    '/etc/passwd',
    'C:\\x',
    '\\\\host\\x',
    '',
    'a\0b',
    'link',
    'linked/secret',
    'sub',
  ])('denies %j, naming the tensor', (location) => {
    const said = line(() => safeLocation(folder, location, 'weight7'));
    expect(said).toContain('weight7');
    expect(said).toContain('folder of the model');
  });
});

describe.runIf(corpusEntries.length > 0)('the corpus', () => {
  it('says one clear line for each file that cannot be read, the tensor named (S27)', () => {
    expect(line(() => openModelFile(corpusPath('5-edge/external-path-traversal.onnx')))).toMatch(
      /names memory.*tensor evil_weights.*only read from the folder/,
    );
    expect(line(() => openModelFile(corpusPath('5-edge/external-missing-file.onnx')))).toMatch(
      /external data ".*" is not there .*tensor /,
    );
    expect(line(() => openModelFile(corpusPath('5-edge/corrupt-30-bytes.onnx')))).toMatch(
      /not a readable ONNX file.*corrupt-30/,
    );
    expect(line(() => openModelFile(corpusPath('5-edge/fuzz-bad-wire-type.onnx')))).toMatch(
      /not a readable ONNX file.*fuzz-bad/,
    );
    expect(line(() => openModelFile(join(temp(), 'none.onnx')))).toMatch(/cannot be read/);
    expect(line(() => openModelBytes(new Uint8Array(0), 'empty.onnx'))).toMatch(/the file is empty \(empty.onnx\)/);
  });
  it.each(corpusEntries.map((e) => e.file).filter((f) => f.startsWith('4-external') || f.includes('dynamo')))(
    '%s: external data goes through both layouts',
    async (file) => {
      const original = openModelFile(corpusPath(file));
      for (const external of ['keep', 'inside'] as const) {
        const path = join(temp(), 'out.onnx');
        const saved = await saveModelFile(original, path, { external });
        expect(saved.files.every((f) => f.startsWith(dirname(path)))).toBe(true);
        expect(weights(openModelFile(path))).toEqual(weights(original));
        await (await nodeRuntime(1).open({ path })).release();
      }
    },
  );
  it('never crashes or hangs on mutated files: a model or one fault', () => {
    const random = rng(7);
    const sources = [
      '2-classifier/mnist-pytorch-222k.onnx',
      '5-edge/all-dtypes.onnx',
      '5-edge/nested-if-loop-if-scan.onnx',
    ].map(corpusBytes);
    let refused = 0;
    for (let i = 0; i < 400; i++) {
      const from = sources[i % sources.length]!;
      const bytes = i % 4 === 0 ? from.slice(0, random.below(from.length)) : from.slice();
      for (let k = 0; k < 1 + random.below(4); k++)
        if (bytes.length > 0) bytes[random.below(Math.min(bytes.length, 2000))] = random.below(256);
      try {
        writeModel(readModel(bytes));
      } catch (thrown) {
        expect(toFault(thrown).code, toFault(thrown).stack).not.toBe('internal');
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(50);
  });
});
