/** The whole path through the host with real job processes: open, apply, export, reopen; and what happens when one goes wrong. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { measureFigures } from '#shared/analysis/measure-figures.ts';
import { unpack } from '#shared/archive/archive.ts';
import { rng } from '#shared/base/random.ts';
import type { Job, JobSpec } from '#shared/contract/calls.ts';
import { createHost, type HostClient } from '#shared/contract/client.ts';
import { serveWire } from '#shared/contract/server.ts';
import { memoryPair } from '#shared/contract/wire.ts';
import { attr } from '#shared/ir/attribute.ts';
import type { Model } from '#shared/ir/model.ts';
import { int64Tensor } from '#shared/ir/values.ts';
import { readModel } from '#shared/onnx/read.ts';
import { readSkeleton } from '#shared/onnx/skeleton.ts';
import { writeModel } from '#shared/onnx/write.ts';
import { model, node, randomTensor, value } from '#shared/testing/build.ts';
import { buildNode, root } from '../../scripts/build.mjs';
import { dataFolder } from '../host/data-folder.ts';
import { type RunningHost, startHost } from '../host/host.ts';
import { nodeDeflate } from '../host/node-deflate.ts';
import { forkSpawner } from './spawn.ts';

let home: string;
let host: RunningHost;
let client: HostClient;
let saveAs: string | null;

// Bundled as in use: built once, and a process starts in a fraction of the time that compiling it anew takes.
const built = `dist/test-path-${process.pid}`;
const spawn = forkSpawner(join(root, built, 'worker.mjs'));
beforeAll(() => buildNode(built));
afterAll(() => rmSync(join(root, built), { recursive: true, force: true }));

async function start(dialogs: boolean): Promise<void> {
  host = await startHost({
    kind: 'server',
    version: '0',
    runtime: 'r',
    threads: 1,
    folder: dataFolder(join(home, 'data')),
    samples: home,
    spawn,
    ...(dialogs
      ? {
          dialogs: {
            open: async () => saveAs,
            save: async () => saveAs,
            data: async (kind) => saveAs && `${saveAs} ${kind}`,
          },
        }
      : {}),
  });
  client = createHost(
    async () => {
      const [near, far] = memoryPair();
      serveWire(far, host.service);
      return near;
    },
    { later: (run, ms) => void setTimeout(run, ms) },
  );
}

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'bantam-path-'));
  await start(false);
});
afterEach(() => {
  client.close();
  host.close();
  rmSync(home, { recursive: true, force: true });
});

/** x [N,1,28,28] -> Conv 8 -> Relu -> Conv 6 -> Relu -> Reshape [lead,-1] -> MatMul -> y [N,10]. */
function net(lead = -1, batch: number | string = 'N'): Model {
  return model({
    nodes: [
      node('Conv', ['x', 'w1', 'b1'], ['c1'], [attr.ints('strides', [2, 2])], { name: 'conv1' }),
      node('Relu', ['c1'], ['r1']),
      node('Conv', ['r1', 'w2'], ['c2'], [attr.ints('strides', [2, 2])], { name: 'conv2' }),
      node('Relu', ['c2'], ['r2']),
      node('Reshape', ['r2', 'to'], ['flat']),
      node('MatMul', ['flat', 'w3'], ['y'], [], { name: 'out' }),
    ],
    inputs: [value('x', [batch, 1, 28, 28])],
    outputs: [value('y', [batch, 10])],
    initializers: [
      randomTensor('w1', [8, 1, 3, 3]),
      randomTensor('b1', [8]),
      randomTensor('w2', [6, 8, 3, 3]),
      randomTensor('w3', [216, 10]),
      // -1 infers the other side: [-1, 216] takes any batch, [1, -1] only one.
      int64Tensor('to', [2], lead === -1 ? [-1, 216] : [lead, -1]),
    ],
  });
}

const open = (m: Model, name = 'net.onnx') => client.call('openBytes', { name, bytes: writeModel(m) });

async function run(spec: JobSpec): Promise<Job> {
  const { id } = await client.call('startJob', { spec });
  return ended(id);
}
function ended(id: string): Promise<Job> {
  return new Promise((resolve) => {
    const look = (job: Job): void => {
      if (job.id === id && ['done', 'failed', 'cancelled'].includes(job.state)) resolve(job);
    };
    client.onJob(look);
    void client.call('jobs', {}).then((jobs) => jobs.forEach(look));
  });
}

const prune = {
  bantam: 1 as const,
  seed: 1,
  steps: [{ technique: 'prune-channels', select: { all: true as const }, params: { ratio: 0.5 } }],
};

describe('the whole path', () => {
  it('a job counts with the dimensions that the person set, as the screen did', async () => {
    const wide = model({
      nodes: [node('Conv', ['x', 'w'], ['h'], []), node('Conv', ['h', 'v'], ['y'], [])],
      inputs: [value('x', [1, 1, 'H', 'W'])],
      outputs: [value('y', [1, 4, 'A', 'B'])],
      initializers: [randomTensor('w', [8, 1, 3, 3]), randomTensor('v', [4, 8, 3, 3])],
    });
    const { modelId } = await open(wide);
    const spec = { kind: 'apply' as const, modelId, recipe: prune, evaluate: false };
    const without = await run(spec);
    expect(without.result?.predicted?.macs).toBeNull();
    const inputs = { x: [1, 1, 20, 30] };
    const { result } = await run({ ...spec, shapes: inputs });
    expect(result?.before?.macs).toBe(measureFigures(wide, { inputs }).macs);
    expect(result?.after).toEqual(result?.predicted);
    expect(result?.after?.macs).toBeGreaterThan(0);
  });

  it('S06: prune, save, reopen, export, reopen: figures, shapes and project agree everywhere', async () => {
    const opened = await open(net());
    const job = await run({ kind: 'apply', modelId: opened.modelId, recipe: prune, evaluate: true });
    expect(job.fault).toBeUndefined();
    const { result } = job;
    expect(result?.after).toEqual(result?.predicted);
    expect(result?.after?.parameters).toBeLessThan(result?.before?.parameters ?? 0);
    expect(result?.comparison?.samples).toBeGreaterThan(0);
    const light = result?.modelId ?? '';
    await client.call('saveProject', { modelId: light, recipe: prune });

    const reopened = await client.call('openHeld', { modelId: light });
    expect(reopened.name).toBe('net-light.onnx');
    expect(reopened.fileBytes).toBe(result?.after?.fileBytes);
    expect(measureFigures(readSkeleton(reopened.skeleton)).macs).toBe(result?.after?.macs);
    const exported = await client.call('exportModel', { modelId: light, name: 'light' });
    expect(exported.verified).toMatchObject({ loads: true, maxAbsError: 0, after: result?.after });
    expect(exported.saved).toBeNull();

    const again = await open(readModel(exported.bytes ?? new Uint8Array()), 'again.onnx');
    const bytes = exported.bytes?.length;
    expect(again.fileBytes).toBe(bytes);
    const figures = measureFigures(readModel(exported.bytes ?? new Uint8Array()));
    expect([figures.parameters, figures.macs]).toEqual([result?.after?.parameters, result?.after?.macs]);
    expect(figures.layers.find((l) => l.name === 'conv1')?.outputShape?.[1]).toBe(4);
    expect(await client.call('lastProject', {})).toMatchObject({ modelId: light, recipe: prune });
  });

  it('packs stage by stage what was pruned and shared, and exports the archive that gives the file back', async () => {
    const opened = await open(net());
    const step = (technique: string, params: Record<string, number>) => ({
      technique,
      select: { all: true as const },
      params,
    });
    const recipe = { ...prune, steps: [step('prune-weights', { ratio: 0.8 }), step('share-weights', { bits: 2 })] };
    const { result, fault } = await run({ kind: 'apply', modelId: opened.modelId, recipe, evaluate: false });
    expect(fault).toBeUndefined();
    const modelId = result?.modelId ?? '';
    const stages = result?.steps?.map((s) => s.packedBytes);
    expect(stages?.length).toBe(2);
    expect(stages?.[0]).toBeLessThan(result?.packedBefore ?? 0);
    const packed = await client.call('packedSize', { modelId });
    expect(stages?.[1]).toBe(packed.archiveBytes);
    const archive = await client.call('exportArchive', { modelId, name: 'light' });
    expect([archive.saved, archive.bytes?.length]).toEqual([null, packed.archiveBytes]);
    const { bytes } = await client.call('modelBytes', { modelId });
    expect(Buffer.compare(unpack(archive.bytes ?? new Uint8Array(), nodeDeflate), bytes)).toBe(0);
    // nothing that entropy coding lives on: nothing is packed
    const plain = await run({ kind: 'apply', modelId: opened.modelId, recipe: prune, evaluate: false });
    expect(plain.result?.packedBefore).toBeUndefined();
  });

  it('exports through the save dialog, verified where it was written; cancelling writes nothing', async () => {
    client.close();
    host.close();
    await start(true);
    writeFileSync(join(home, 'in.onnx'), writeModel(net()));
    saveAs = join(home, 'in.onnx');
    const opened = await client.call('openDialog', {});
    expect(opened?.name).toBe('in.onnx');
    const modelId = opened?.modelId ?? '';
    saveAs = join(home, 'out/chosen.onnx');
    mkdirSync(join(home, 'out'));
    const exported = await client.call('exportModel', { modelId, name: 'x' });
    expect(await client.call('pickData', { kind: 'folder' })).toBe(`${saveAs} folder`);
    expect(exported).toMatchObject({ saved: saveAs, bytes: null, verified: { loads: true, maxAbsError: 0 } });
    saveAs = null;
    expect(await client.call('openDialog', {})).toBeNull();
    expect(await client.call('pickData', { kind: 'file' })).toBeNull();
    expect((await client.call('exportModel', { modelId, name: 'x' })).saved).toBeNull();
  });

  it('S13: a batch of one written into a Reshape is evaluated one at a time, with the same result', async () => {
    const free = await open(net(), 'free.onnx');
    const fixed = await open(net(1), 'fixed.onnx');
    expect(fixed.modelId).not.toBe(free.modelId);
    const preprocess = { scale: 255, mean: [0], std: [1], colour: 'as-is', resize: 'fit', invert: false } as const;
    const both: Job[] = [];
    for (const { modelId } of [free, fixed])
      both.push(
        await run({ kind: 'evaluate', modelId, data: 'digits', preprocess: { ...preprocess, mean: [0], std: [1] } }),
      );
    const [a, b] = both.map((j) => j.result?.single);
    expect(both.map((j) => j.fault)).toEqual([undefined, undefined]);
    expect(a?.samples).toBe(2000);
    expect([b?.top1, b?.samples]).toEqual([a?.top1, a?.samples]);
  });

  it('looks at data with a model: what it holds, which preprocessing suits; what is wrong is a fault', async () => {
    const { modelId } = await open(net());
    const look = await client.call('lookAtData', { modelId, data: 'digits' });
    expect(look).toMatchObject({ labelled: true, classes: 10, counts: { train: 7000, test: 2000 } });
    expect(look.proposals.length).toBeGreaterThan(3);
    expect(look.proposals[0]?.top1).toBeGreaterThanOrEqual(look.proposals[1]?.top1 ?? 1);
    writeFileSync(join(home, 'odd.csv'), '1,2,3\n1,2\n');
    const odd = client.call('lookAtData', { modelId, data: join(home, 'odd.csv') });
    await expect(odd).rejects.toMatchObject({ code: 'bad-file', where: `${join(home, 'odd.csv')}:2` });
    writeFileSync(join(home, 'plain.csv'), Array.from({ length: 10 }, (_, i) => `${i},2,3`).join('\n'));
    const plain = `${join(home, 'plain.csv')}#label=none`;
    expect(await client.call('lookAtData', { modelId, data: plain })).toMatchObject({ labelled: false, proposals: [] });
  });

  it('S12: a fixed batch is the number 1 in the exported file, never the text', async () => {
    const { modelId } = await open(net(-1, 1));
    const { bytes } = await client.call('exportModel', { modelId, name: 'one' });
    const [input] = readModel(bytes ?? new Uint8Array()).graph.inputs;
    expect(input?.type).toMatchObject({ kind: 'tensor', shape: [1, 1, 28, 28] });
  });
});

describe('what goes wrong in a job', () => {
  it('comes back as one clear fault, and the host goes on', async () => {
    const { modelId } = await open(net());
    const select = { names: ['nobody'] };
    const wrong = { ...prune, steps: [{ technique: 'prune-channels', select, params: { ratio: 0.5 } }] };
    const job = await run({ kind: 'apply', modelId, recipe: wrong, evaluate: false });
    expect(job).toMatchObject({ state: 'failed', fault: { code: 'bad-recipe' } });
    expect(job.fault?.message + (job.fault?.where ?? '')).toContain('nobody');
    const lost = await run({ kind: 'evaluate', modelId, data: join(home, 'nowhere') });
    expect(lost.state).toBe('failed');
    expect(lost.fault?.code).not.toBe('internal');
    expect((await client.call('openHeld', { modelId })).modelId).toBe(modelId);
  });

  it('compares two models without data on seeded random input, and never states an accuracy', async () => {
    const a = await open(net());
    const job = await run({ kind: 'compare', a: a.modelId, b: a.modelId });
    expect(job.result?.comparison).toMatchObject({ maxAbsError: 0, sqnrDb: null, agreement: 1 });
    expect(job.result?.evaluation).toBeUndefined();
    const bytes = new TextEncoder().encode('no model');
    await expect(client.call('openBytes', { name: 'n.onnx', bytes })).rejects.toMatchObject({ code: 'bad-file' });
  });
});

/** Pictures without class folders: 40 of noise, brighter in one half. */
function pictures(folder: string): string {
  mkdirSync(folder);
  for (let i = 0; i < 40; i++) {
    const png = new PNG({ width: 28, height: 28 });
    for (let k = 0; k < 28 * 28; k++)
      png.data.set(
        [...new Uint8Array(3).fill(((k * 31 + i * 17) % 90) + (k % 28 < 14 === i % 2 < 1 ? 150 : 0)), 255],
        4 * k,
      );
    writeFileSync(join(folder, `${i}.png`), PNG.sync.write(png));
  }
  return folder;
}
const training = (epochs: number) => ({
  technique: 'train',
  select: { all: true as const },
  params: { epochs, batch: 16, learningRate: 0.01, augment: false },
});

const unitPreprocess = {
  scale: 255,
  mean: [0],
  std: [1],
  colour: 'as-is' as const,
  resize: 'fit' as const,
  invert: false,
};

describe('training in a job', () => {
  it('without labels learns from the original, and tells agreement and SQNR, never an accuracy', async () => {
    const { modelId } = await open(net());
    const data = pictures(join(home, 'pictures'));
    const pruned = await run({ kind: 'apply', modelId, recipe: prune, data, evaluate: true });
    const recipe = { ...prune, steps: [...prune.steps, training(20)] };
    const job = await run({ kind: 'apply', modelId, recipe, data, evaluate: true });
    expect(job.fault).toBeUndefined();
    expect(job.log.join()).toContain('agreement with the original');
    expect(job.curve).toHaveLength(20);
    expect(job.curve.at(-1)?.loss).toBeLessThan(job.curve[0]?.loss ?? 0);
    expect(job.result?.evaluation?.after).toMatchObject({ top1: null, top5: null, interval95: null });
    const { agreement, sqnrDb } = job.result?.comparison ?? {};
    expect(agreement).toBeGreaterThanOrEqual(pruned.result?.comparison?.agreement ?? 1);
    expect(sqnrDb).not.toBeNull();
  });

  it('cancelled keeps its best epoch as a model that opens', async () => {
    const { modelId } = await open(net());
    const recipe = { bantam: 1 as const, seed: 1, steps: [training(1000), ...prune.steps] };
    const preprocess = unitPreprocess;
    const spec: JobSpec = {
      kind: 'apply',
      modelId,
      recipe: { ...recipe, preprocess },
      data: 'digits',
      evaluate: true,
    };
    const { id } = await client.call('startJob', { spec });
    const stop = client.onJob((j) => {
      if (j.id === id && j.curve.length >= 1) void client.call('cancelJob', { id }).finally(stop);
    });
    const job = await ended(id);
    expect(job.state).toBe('cancelled');
    expect(job.log.at(-1)).toContain('the best epoch so far is kept');
    const held = await client.call('openHeld', { modelId: job.result?.modelId ?? '' });
    // What stood after the training was not run: the parameters are those of the original.
    expect(job.result?.after).toMatchObject({ parameters: job.result?.before?.parameters });
    expect(held.fileBytes).toBe(job.result?.after?.fileBytes);
    // Ten classes, and random weights before: a tenth by chance.
    const best = await run({ kind: 'evaluate', modelId: held.modelId, data: 'digits', preprocess });
    expect(best.result?.single?.top1).toBeGreaterThan(0.3);
  });

  it('that diverges fails with advice, and hands back the best epoch before', async () => {
    // Two clouds of points, one in ten on the wrong side, so that large weights cost much.
    const random = rng(4);
    const rows = Array.from({ length: 600 }, (_, i) => {
      const side = i % 2 === 0 ? 1 : -1;
      return [side + random.normal() * 0.3, side + random.normal() * 0.3, i % 20 < 2 ? 1 - (i % 2) : i % 2].join(',');
    });
    const data = join(home, 'clouds.csv');
    writeFileSync(data, ['a,b,label', ...rows].join('\n'));
    const points = model({
      nodes: [
        node('Gemm', ['x', 'v', 'c'], ['h'], [], { name: 'fc1' }),
        node('Relu', ['h'], ['r']),
        node('Gemm', ['r', 'w', 'b'], ['y'], [], { name: 'fc2' }),
      ],
      inputs: [value('x', ['N', 2])],
      outputs: [value('y', ['N', 2])],
      initializers: [
        randomTensor('v', [2, 16], 1, 0.2),
        randomTensor('c', [16], 1, 0.1),
        randomTensor('w', [16, 2], 1, 0.2),
        randomTensor('b', [2], 1, 0.1),
      ],
    });
    const { modelId } = await open(points);
    // The rate rises to ten: the first epochs learn, then the loss runs away.
    const params = { epochs: 200, batch: 16, learningRate: 10, warmUp: 0.5, momentum: 0.9, augment: false };
    const preprocess = { ...unitPreprocess, scale: 1 };
    const recipe = {
      bantam: 1 as const,
      seed: 1,
      preprocess,
      steps: [{ technique: 'train', select: { all: true as const }, params }, ...prune.steps],
    };
    const job = await run({ kind: 'apply', modelId, recipe, data, evaluate: false });
    expect(job.state).toBe('failed');
    expect(job.fault).toMatchObject({ code: 'diverged', hint: expect.stringContaining('best epoch before is kept') });
    expect(job.fault?.hint).toContain('learning rate a tenth');
    expect(job.curve.length).toBeGreaterThan(0);
    const held = await client.call('openHeld', { modelId: job.result?.modelId ?? '' });
    expect(held.fileBytes).toBe(job.result?.after?.fileBytes);
    const best = await run({ kind: 'evaluate', modelId: held.modelId, data, preprocess });
    expect(best.result?.single?.top1).toBeGreaterThan(0.8);
  });
});
