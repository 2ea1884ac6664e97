import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toFault } from '#shared/base/fault.ts';
import { attr } from '#shared/ir/attribute.ts';
import type { Model } from '#shared/ir/model.ts';
import { numbersTensor } from '#shared/ir/values.ts';
import { readSkeleton } from '#shared/onnx/skeleton.ts';
import { writeModel } from '#shared/onnx/write.ts';
import { model, node, randomTensor, value } from '#shared/testing/build.ts';
import { catalogueEntry } from '#shared/zoo/catalogue.ts';
import { lenet300 } from '#shared/zoo/lenet.ts';
import { dataFolder } from './data-folder.ts';
import { fetchFile } from './fetch-file.ts';
import { type HostOptions, type RunningHost, startHost } from './host.ts';
import { openStore } from './model-store.ts';
import { magnitudeQuantiles, summarize } from './tensor-summary.ts';

let home: string;
let host: RunningHost;

/** x [1,1,8,8] -> Conv -> Relu -> y, weights above the skeleton's limit. */
function small(seed = 1): Model {
  return model({
    nodes: [
      node('Conv', ['x', 'w', 'b'], ['c'], [attr.ints('pads', [1, 1, 1, 1])], { name: 'conv' }),
      node('Relu', ['c'], ['y'], [], { name: 'relu' }),
    ],
    inputs: [value('x', [1, 1, 8, 8])],
    outputs: [value('y', [1, 40, 8, 8])],
    initializers: [randomTensor('w', [40, 1, 3, 3], seed), randomTensor('b', [40], seed)],
  });
}

async function start(samples = join(home, 'samples'), more: Partial<HostOptions> = {}): Promise<RunningHost> {
  return startHost({
    ...more,
    kind: 'server',
    version: '0',
    runtime: 'r',
    threads: 1,
    folder: dataFolder(join(home, 'data')),
    samples,
    spawn: () => {
      throw new Error('no process in this test');
    },
  });
}

/** Dates the cards of a name back, so that the order does not hang on the clock's grain. */
function utimesOf(name: string, seconds: number): void {
  const models = join(home, 'data/models');
  for (const id of readdirSync(models)) {
    const card = join(models, id, 'card.json');
    if (readFileSync(card, 'utf8').includes(name)) utimesSync(card, seconds, seconds);
  }
}

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'bantam-host-'));
  mkdirSync(join(home, 'samples'));
  writeFileSync(join(home, 'samples/one.onnx'), writeModel(small()));
  writeFileSync(join(home, 'samples/one.json'), JSON.stringify({ title: 'One', data: 'digits', accuracy: 0.9 }));
  host = await start();
});
afterEach(() => {
  host.close();
  rmSync(home, { recursive: true, force: true });
});

describe('the host', () => {
  it('opens a trained model of the catalogue with its preprocessing; offline it says so, in both languages', async () => {
    host.close();
    const asked: string[] = [];
    host = await start(undefined, {
      fetchFile: async (wanted, target) => {
        asked.push(wanted.address);
        mkdirSync(dirname(target), { recursive: true });
        writeFileSync(target, writeModel(small()));
        return { received: 1, resumedAt: 0 };
      },
    });
    const opened = await host.service.handlers.openCatalogue({ id: 'mnist-8' });
    expect(opened).toMatchObject({ name: 'mnist-8.onnx', data: 'digits', preprocess: { scale: 1, colour: 'grey' } });
    expect(asked).toEqual([catalogueEntry('mnist-8').address]);
    host.close();
    host = await start(undefined, {
      fetchFile: (wanted, target, options) =>
        fetchFile({ ...wanted, address: 'http://127.0.0.1:9/nothing.onnx' }, target, options),
    });
    const fault = await host.service.handlers
      .openCatalogue({ id: 'mnist-12' })
      .catch((thrown: unknown) => toFault(thrown));
    expect(fault).toMatchObject({ code: 'unsupported', message: expect.stringContaining('cannot be reached') });
    expect(fault).toMatchObject({ korean: { message: expect.stringContaining('연결할 수 없습니다') } });
    expect((await host.service.handlers.recentModels({})).map((m) => m.name)).toEqual(['mnist-8.onnx']);
  });

  it('lists what was opened lately, newest first, a name once', async () => {
    const { handlers } = host.service;
    const put = async (name: string, seed: number): Promise<string> =>
      (await handlers.openBytes({ name, bytes: writeModel(small(seed)), companions: {} })).modelId;
    await put('a.onnx', 1);
    utimesOf('a.onnx', 1);
    await put('b.onnx', 2);
    utimesOf('b.onnx', 2);
    const again = await put('a.onnx', 3); // the file changed: its old content is not listed
    const recent = await handlers.recentModels({});
    expect(recent.map((m) => m.name)).toEqual(['a.onnx', 'b.onnx']);
    expect(recent[0]?.modelId).toBe(again);
    expect((await handlers.openHeld({ modelId: again })).name).toBe('a.onnx');
  });

  it('lists samples with their cards and opens one with its data', async () => {
    const { handlers } = host.service;
    const hello = await handlers.hello({});
    expect(hello.samples).toMatchObject([{ id: 'one', title: 'One' }]);
    expect(hello.capabilities.dialogs).toBe(false);
    const opened = await handlers.openSample({ id: 'one' });
    expect(opened).toMatchObject({ name: 'one.onnx', data: 'digits', fileBytes: writeModel(small()).length });
    const skeleton = readSkeleton(opened.skeleton);
    expect(skeleton.graph.nodes.map((n) => n.op)).toEqual(['Conv', 'Relu']);
    expect(skeleton.graph.initializers.map((t) => t.dims)).toEqual([[40, 1, 3, 3], [40]]);
    await expect(handlers.openSample({ id: '../one' })).rejects.toMatchObject({ code: 'not-found' });
  });

  it('builds a network of the zoo', async () => {
    const { handlers } = host.service;
    const opened = await handlers.openZoo({ id: 'lenet-300-100' });
    expect(opened).toMatchObject({ name: 'lenet-300-100.onnx', fileBytes: writeModel(lenet300()).length });
    expect(readSkeleton(opened.skeleton).graph.nodes).toHaveLength(6);
    await expect(handlers.openZoo({ id: 'nothing' })).rejects.toMatchObject({ code: 'not-found' });
  });

  it('holds dropped bytes by their content, and opens them again after a restart', async () => {
    const bytes = writeModel(small());
    const a = await host.service.handlers.openBytes({ name: 'C:\\dir\\a.onnx', bytes, companions: {} });
    const b = await host.service.handlers.openBytes({ name: 'b.onnx', bytes, companions: {} });
    expect(a.name).toBe('a.onnx');
    expect(b.modelId).toBe(a.modelId);
    const recipe = { bantam: 1 as const, steps: [] };
    await host.service.handlers.saveProject({ modelId: b.modelId, recipe });
    host.close();
    host = await start();
    expect(await host.service.handlers.lastProject({})).toEqual({ modelId: b.modelId, name: 'b.onnx', recipe });
    expect((await host.service.handlers.openHeld({ modelId: a.modelId })).skeleton).toEqual(a.skeleton);
  });

  it('refuses what is no model, and a data file outside its folder, and keeps nothing of them', async () => {
    const { handlers } = host.service;
    const nonsense = new TextEncoder().encode('this is no model');
    await expect(handlers.openBytes({ name: 'x', bytes: nonsense, companions: {} })).rejects.toMatchObject({
      code: 'bad-file',
    });
    const bytes = writeModel(small());
    for (const name of ['../up.bin', '/etc/passwd', 'a/../../up.bin', 'c:\\x', 'card.json', 'model.onnx', ''])
      await expect(
        handlers.openBytes({ name: 'x.onnx', bytes, companions: { [name]: Uint8Array.of(1) } }),
      ).rejects.toMatchObject({ code: 'bad-path' });
    expect(readdirSync(join(home, 'data/models'))).toEqual([]);
    await expect(handlers.openHeld({ modelId: 'nobody' })).rejects.toMatchObject({ code: 'not-found' });
  });

  it('summarizes weights', async () => {
    const { handlers } = host.service;
    const { modelId } = await handlers.openSample({ id: 'one' });
    const w = await handlers.tensorSummary({ modelId, nodeId: 'conv', input: 1, bins: 10 });
    expect(w.count).toBe(360);
    expect(w.histogram.reduce((a, b) => a + b, 0)).toBe(360);
    expect(Object.keys(await handlers.magnitudeSummaries({ modelId }))).toEqual(['w']);
    const input = handlers.tensorSummary({ modelId, nodeId: 'conv', input: 0, bins: 10 });
    await expect(input).rejects.toMatchObject({ code: 'not-found' });
    await expect(handlers.tensorSummary({ modelId, nodeId: 'no', input: 0, bins: 10 })).rejects.toThrow(/no such node/);
  });

  it('fails a job whose process cannot start, and lives on', async () => {
    const { handlers } = host.service;
    const { modelId } = await handlers.openSample({ id: 'one' });
    const job = await handlers.startJob({ spec: { kind: 'evaluate', modelId, data: 'digits' } });
    await host.queue.idle();
    const [ended] = await handlers.jobs({});
    expect(ended).toMatchObject({ id: job.id, state: 'failed', fault: { code: 'crashed' } });
    await handlers.removeJob({ id: job.id });
    expect(await handlers.jobs({})).toEqual([]);
    const foreign = handlers.startJob({ spec: { kind: 'evaluate', modelId: 'nobody', data: 'digits' } });
    await expect(foreign).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('the store', () => {
  it('forgets the least recently used beyond its limit, never what this run uses', async () => {
    const root = join(home, 'store');
    const one = writeModel(small(1));
    const limit = one.length * 2.5;
    const check = async (): Promise<void> => {};
    const first = await openStore(root, limit);
    const a = await first.put(one, {}, { name: 'a' }, check);
    const b = await first.put(writeModel(small(2)), {}, { name: 'b' }, check);
    utimesSync(join(root, a.modelId, 'card.json'), 1, 1);
    const c = await (await openStore(root, limit)).put(writeModel(small(3)), {}, { name: 'c' }, check);
    const third = await openStore(root, limit);
    await expect(third.get(a.modelId)).rejects.toMatchObject({ code: 'not-found' });
    expect((await third.get(b.modelId)).name).toBe('b');
    expect((await third.get(c.modelId)).name).toBe('c');
    const d = await third.put(writeModel(small(4)), {}, { name: 'd' }, check);
    for (const held of [b, c, d]) expect((await third.get(held.modelId)).modelId).toBe(held.modelId);
  });
});

describe('summaries', () => {
  it('count zeros and what is not finite, and bin the rest', () => {
    const t = numbersTensor('t', 'float', [6], [0, 0, 1, -2, Number.NaN, Number.POSITIVE_INFINITY]);
    const s = summarize(t, 3);
    expect(s).toMatchObject({ count: 6, zeros: 2, nonFinite: 2, min: -2, max: 1, mean: -0.25, histogram: [1, 0, 3] });
    expect(s.magnitudeQuantiles.at(0)).toBe(0);
    expect(s.magnitudeQuantiles.at(-1)).toBe(2);
  });
  it('of large tensors are within one percent of the exact order statistics', () => {
    const many = Float32Array.from({ length: 2 ** 20 + 1 }, (_, i) => Math.sin(i) ** 3);
    const exact = Float64Array.from(many, Math.abs).sort();
    magnitudeQuantiles(many, 64).forEach((q, i) => {
      const wanted = exact[Math.round((i / 64) * (exact.length - 1))] ?? 0;
      expect(Math.abs(q - wanted)).toBeLessThanOrEqual(wanted * 0.01 + 1e-9);
    });
  });
});
