/** Read -> write changes nothing for the runtime: bit-equal outputs on every corpus file that it runs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openModelFile, saveModelFile } from '../../electron/host/model-files.ts';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import type { Model } from '../ir/model.ts';
import type { Feeds, RunTensor } from '../ports/runtime.ts';
import { corpusEntries, corpusPath } from '../testing/corpus.ts';
import { randomFeeds } from '../testing/feeds.ts';

const runtime = nodeRuntime(1);

/** Changed copies of every object, so that nothing is written by reference to what was read. */
function rebuilt(model: Model): Model {
  const nodes = model.graph.nodes.map((n) => ({ ...n, attributes: n.attributes.map((a) => ({ ...a })) }));
  const values = (list: Model['graph']['inputs']) => list.map((v) => ({ ...v, type: { ...v.type } }));
  return {
    ...model,
    graph: {
      ...model.graph,
      nodes,
      initializers: model.graph.initializers.map((t) => ({ ...t })),
      inputs: values(model.graph.inputs),
      outputs: values(model.graph.outputs),
    },
  };
}

type Outputs = Readonly<Record<string, RunTensor>>;

/** The outputs, or the runtime's words where it does not run the file. */
async function outputs(path: string, feeds: Feeds): Promise<Outputs | string> {
  try {
    const session = await runtime.open({ path });
    try {
      return await session.run(feeds);
    } finally {
      await session.release();
    }
  } catch (thrown) {
    return String(thrown);
  }
}

const bits = (out: Outputs): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(out).map(([name, t]) => [
      name,
      [
        t.type,
        t.dims.join(),
        ArrayBuffer.isView(t.data)
          ? Buffer.from(t.data.buffer, t.data.byteOffset, t.data.byteLength).toString('base64')
          : t.data,
      ],
    ]),
  );

const runs = corpusEntries.filter((e) => e.ort_run.startsWith('ok'));

describe.runIf(runs.length > 0)('the runtime', () => {
  const compared: string[] = [];
  it.each(runs.map((e) => e.file))('%s', async (file) => {
    const model = openModelFile(corpusPath(file));
    let feeds: Feeds;
    try {
      feeds = randomFeeds(model);
    } catch {
      return; // sequences and strings among the inputs: counted below as not compared
    }
    const before = await outputs(corpusPath(file), feeds);
    if (typeof before === 'string') return;
    const again = await outputs(corpusPath(file), feeds);
    if (typeof again === 'string' || JSON.stringify(bits(again)) !== JSON.stringify(bits(before))) return; // random operators
    for (const version of [model, rebuilt(model)]) {
      const path = join(mkdtempSync(join(tmpdir(), 'bantam-equal-')), 'model.onnx');
      await saveModelFile(version, path);
      const after = await outputs(path, feeds);
      if (typeof after === 'string') expect.fail(after);
      expect(bits(after)).toEqual(bits(before));
      rmSync(dirname(path), { recursive: true });
    }
    compared.push(file);
  });
  it('compared most of the files that run', () => {
    console.log(`${compared.length} of ${runs.length} files compared bit for bit`);
    expect(compared.length).toBeGreaterThanOrEqual(60);
  });
});
