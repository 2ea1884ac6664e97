/** A job whose process is killed goes on from what it kept, and ends bit-equal to one that nobody touched. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rng } from '#shared/base/random.ts';
import type { Job, JobSpec } from '#shared/contract/calls.ts';
import { attr } from '#shared/ir/attribute.ts';
import { writeModel } from '#shared/onnx/write.ts';
import { model, node, randomTensor, value } from '#shared/testing/build.ts';
import type { TrainState } from '#shared/training/train-state.ts';
import { buildNode, root } from '../../scripts/build.mjs';
import { dataFolder } from '../host/data-folder.ts';
import { openStore } from '../host/model-store.ts';
import { openJournal } from './journal.ts';
import { packState, unpackState } from './pack-state.ts';
import type { JobProcess, Spawn, Task } from './protocol.ts';
import { createQueue } from './queue.ts';
import { forkSpawner } from './spawn.ts';

const built = `dist/test-resume-${process.pid}`;
const fork = forkSpawner(join(root, built, 'worker.mjs'));
const home = mkdtempSync(join(tmpdir(), 'bantam-resume-'));
beforeAll(() => buildNode(built));
afterAll(() => {
  rmSync(join(root, built), { recursive: true, force: true });
  rmSync(home, { recursive: true, force: true });
});

const net = model({
  nodes: [
    node('Conv', ['x', 'k'], ['c'], [attr.ints('strides', [2, 2])], { name: 'conv' }),
    node('Relu', ['c'], ['r']),
    node('Flatten', ['r'], ['f']),
    node('Gemm', ['f', 'w', 'b'], ['y'], [], { name: 'fc' }),
  ],
  inputs: [value('x', ['N', 1, 28, 28])],
  outputs: [value('y', ['N', 10])],
  initializers: [randomTensor('k', [4, 1, 3, 3]), randomTensor('w', [676, 10], 1, 0.05), randomTensor('b', [10])],
});
const training = { batch: 128, learningRate: 0.05, augment: true };
const recipe = {
  bantam: 1 as const,
  seed: 3,
  steps: [
    { technique: 'prune-weights', select: { all: true as const }, params: { ratio: 0.5 } },
    { technique: 'train', select: { all: true as const }, params: { ...training, epochs: 2 } },
    {
      technique: 'train',
      select: { all: true as const },
      params: { ...training, epochs: 3, optimizer: 'adam', learningRate: 0.001 },
    },
  ],
};

/** A queue over a store of its own; `onSpawn` sees every process. */
async function open(name: string, onSpawn: (p: JobProcess) => void = () => {}) {
  const folder = dataFolder(join(home, name));
  const store = await openStore(folder.models);
  const spawn: Spawn = () => {
    const p = fork();
    onSpawn(p);
    return p;
  };
  const checkpointOf = (id: string): string => join(folder.checkpoints, id);
  const taskOf = async (spec: JobSpec, id: string): Promise<Extract<Task, { kind: 'job' }>> => {
    if (spec.kind !== 'apply') throw new Error('apply alone');
    const held = await store.get(spec.modelId);
    const out = (await store.draft()).path;
    return { kind: 'job', spec, models: { [spec.modelId]: held.path }, out, threads: 1, checkpoint: checkpointOf(id) };
  };
  const queue = createQueue({
    journal: openJournal(folder.journal),
    spawn,
    taskOf,
    adopt: async (task) => (await store.keep(join(task.out, '..'), { name: 'light.onnx' })).modelId,
    discard: async () => {},
    forget: async (id) => rmSync(checkpointOf(id), { recursive: true, force: true }),
  });
  const { modelId } = await store.put(writeModel(net), {}, { name: 'net.onnx' }, async () => {});
  const spec: JobSpec = { kind: 'apply', modelId, recipe, data: 'digits', evaluate: false };
  const ended = (id: string, see: (j: Job) => void = () => {}): Promise<Job> =>
    new Promise((resolve) => {
      const stop = queue.onJob((job) => {
        if (job.id !== id) return;
        see(job);
        if (!['done', 'failed', 'cancelled'].includes(job.state)) return;
        stop();
        resolve(job);
      });
    });
  return { queue, spec, ended, kept: (id: string) => checkpointOf(id) };
}

describe('a killed job', () => {
  it('goes on, and its file is that of an unbroken run', async () => {
    const whole = await open('whole');
    const unbroken = await whole.ended(whole.queue.start(whole.spec).id);
    expect(unbroken).toMatchObject({ state: 'done' });
    expect(unbroken.curve.map((p) => [p.step, p.epoch])).toEqual([
      [1, 1],
      [1, 2],
      [2, 1],
      [2, 2],
      [2, 3],
    ]);
    expect(readdirSync(join(whole.kept(unbroken.id), '..'))).toEqual([]);

    // Killed twice: within the first training and within the second.
    let running: JobProcess | undefined;
    const broken = await open('broken', (p) => {
      running = p;
    });
    const { id } = broken.queue.start(broken.spec);
    const kills = [
      (j: Job) => j.curve.some((p) => p.step === 1 && p.epoch === 1),
      (j: Job) => j.curve.some((p) => p.step === 2 && p.epoch === 2),
    ];
    for (const [k, wanted] of kills.entries()) {
      if (k > 0) broken.queue.resume(id);
      let killed = false;
      const job = await broken.ended(id, (j) => {
        if (killed || !wanted(j)) return;
        killed = true;
        running?.kill(); // SIGKILL
      });
      expect(job).toMatchObject({ state: 'failed', fault: { code: 'crashed' } });
      expect(existsSync(broken.kept(id))).toBe(true);
    }
    broken.queue.resume(id);
    const last = await broken.ended(id);
    expect(last.state).toBe('done');
    expect(last.log).toEqual(
      expect.arrayContaining(['step 2: done before', expect.stringMatching(/^training goes on after epoch [12]$/)]),
    );
    const told = (j: Job) => j.curve.map(({ step, epoch, loss, validation }) => [step, epoch, loss, validation]);
    expect(told(last)).toEqual(told(unbroken));
    expect(last.result?.modelId).toBe(unbroken.result?.modelId); // named by its bytes
    expect(existsSync(broken.kept(id))).toBe(false);
  });
});

describe('the state of a training', () => {
  const random = rng(1);
  const tensor = (n: number) => ({
    type: 'float' as const,
    dims: [n],
    data: Float32Array.from({ length: n }, () => random.normal()),
  });
  const shared = tensor(5);
  const state: TrainState = {
    epoch: 2,
    steps: 9,
    values: { w: shared, m: tensor(3), empty: tensor(0) },
    best: { epoch: 1, validation: 0.5, validationLoss: null, values: { w: shared } },
    start: { validation: null, validationLoss: 1 / 3 },
    top: 0.5,
    topEpoch: 1,
    firstLoss: null,
    curve: [],
    seconds: 1.5,
  };
  it('comes back as it was, with what earlier phases learnt', () => {
    const back = unpackState(packState({ key: 'k', step: 4, state }));
    expect(back).toEqual({ key: 'k', step: 4, state });
    const earlier = { phases: 1, epochs: 3, values: { v: tensor(4), w: shared }, bestEpoch: 2, seconds: 1, steps: 12 };
    const later = { ...state, earlier };
    expect(unpackState(packState({ key: 'k', step: 4, state: later })).state).toEqual(later);
  });
  it('that is cut off anywhere is none', () => {
    const bytes = packState({ key: 'k', step: 4, state });
    for (let n = 0; n < bytes.length; n += 7) expect(() => unpackState(bytes.subarray(0, n))).toThrow();
  });
});
