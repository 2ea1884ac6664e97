/**
 * Profiles: S08 and its kind (smaller is not faster unless it was measured), on a runtime whose times are known and on the real
 * one; and a measurement that is stopped.
 */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { cancelSource, neverCancelled } from '#shared/base/cancel.ts';
import { rng } from '#shared/base/random.ts';
import { type Profile, profileSchema } from '#shared/contract/profile.ts';
import { attr } from '#shared/ir/attribute.ts';
import type { Model } from '#shared/ir/model.ts';
import { readModel } from '#shared/onnx/read.ts';
import { writeModel } from '#shared/onnx/write.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { Runtime } from '#shared/ports/runtime.ts';
import { previewRecipe } from '#shared/recipes/preview.ts';
import { parseRecipe } from '#shared/recipes/recipe.ts';
import { model, node, randomTensor, value } from '#shared/testing/build.ts';
import { nodeRuntime } from '../runtime/node-runtime.ts';
import { profileModel } from './profile-model.ts';
import type { Task } from './protocol.ts';
import { runProcess } from './run-process.ts';
import { forkSpawner } from './spawn.ts';
import type { WorkParts } from './work-parts.ts';

const folder = mkdtempSync(join(tmpdir(), 'bantam-profile-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function saved(name: string, net: Model): string {
  const path = join(folder, name);
  writeFileSync(path, writeModel(net));
  return path;
}

/** Two convolutions of 64 channels; the first is what the report pruned to 37. */
const wide = (): Model =>
  model({
    nodes: [
      node('Conv', ['x', 'w1'], ['c1'], [attr.ints('pads', [1, 1, 1, 1])], { name: 'first' }),
      node('Relu', ['c1'], ['r1'], [], { name: 'relu' }),
      node('Conv', ['r1', 'w2'], ['y'], [attr.ints('pads', [1, 1, 1, 1])], { name: 'second' }),
    ],
    inputs: [value('x', [1, 3, 16, 16])],
    outputs: [value('y', [1, 64, 16, 16])],
    initializers: [randomTensor('w1', [64, 3, 3, 3]), randomTensor('w2', [64, 64, 3, 3])],
    opset: 13,
  });

const rewritten = (technique: string, params: Record<string, unknown>): Model =>
  readModel(writeModel(previewRecipe(wide(), parseRecipe({ bantam: 1, steps: [{ technique, params }] })).model));

const parts = (runtime: Runtime): WorkParts => ({
  runtime,
  cancel: neverCancelled,
  report: { progress: () => {}, log: () => {}, training: () => {}, curve: () => {} },
});

/** A runtime on which a file takes the milliseconds given for it, with noise; its clock stands still otherwise. */
function known(ms: Readonly<Record<string, number>>): { readonly runtime: Runtime; readonly clock: Clock } {
  let now = 0;
  const random = rng(7);
  const runtime: Runtime = {
    name: 'known',
    open: async (source) => {
      now += 1;
      const each = 'path' in source ? (ms[source.path] ?? 1) : 1;
      return {
        inputNames: [],
        outputNames: [],
        run: async () => {
          now += each * (1 + 0.05 * Math.abs(random.normal()));
          return {};
        },
        endProfile: async () => [],
        release: async () => {},
      };
    },
  };
  return { runtime, clock: { now: () => now } };
}

async function versus(second: string, firstMs: number, secondMs: number): Promise<NonNullable<Profile['versus']>> {
  const first = saved('wide.onnx', wide());
  const { runtime, clock } = known({ [first]: firstMs, [second]: secondMs });
  const { versus } = await profileModel(parts(runtime), { model: first, versus: second, seconds: 1 }, clock);
  if (versus === undefined) throw new Error('nothing was compared');
  return versus;
}

describe('S08: the verdict is what was measured, whatever became smaller', () => {
  it('pruned from 64 to 37 channels and slower for its odd width: slower', async () => {
    const pruned = rewritten('prune-channels', { count: 27 });
    expect(pruned.graph.initializers.find((t) => t.name === 'w1')?.dims[0]).toBe(37);
    const told = await versus(saved('37.onnx', pruned), 2, 2.4);
    expect(told.verdict).toBe('slower');
    expect(told.ratio).toBeGreaterThan(1.1);
  });

  it('8 bit on a machine without fast 8 bit: no difference', async () => {
    const quantized = rewritten('quantize', { mode: 'dynamic' });
    expect((await versus(saved('int8.onnx', quantized), 2, 2.01)).verdict).toBe('no difference');
  });

  it('90 % zeros: no difference, and faster where a runtime does gain', async () => {
    const sparse = saved('zeros.onnx', rewritten('prune-weights', { ratio: 0.9 }));
    expect((await versus(sparse, 2, 2)).verdict).toBe('no difference');
    expect((await versus(sparse, 2, 1)).verdict).toBe('faster');
  });

  it('on this runtime, 90 % zeros gain nothing that could be told', async () => {
    const [dense, sparse] = [
      saved('dense.onnx', wide()),
      saved('sparse.onnx', rewritten('prune-weights', { ratio: 0.9 })),
    ];
    const told = await profileModel(parts(nodeRuntime(1)), { model: dense, versus: sparse, seconds: 1, threads: 1 });
    expect(profileSchema.parse(told)).toEqual(told);
    // A busy machine may widen the interval, never make dense kernels skip zeros: a ratio far below 1 would be wrong.
    expect(told.versus?.verdict === 'faster' && told.versus.ratio < 0.6).toBe(false);
    expect(told.trace?.layers.map((l) => l.id)).toEqual(expect.arrayContaining(['first', 'second']));
    expect(told.trace?.layers.reduce((sum, l) => sum + l.ms, 0)).toBeCloseTo(told.latencyMs.median, 9);
    expect(told.memory.runtimeOrder).toBe(told.memory.fileOrder);
  });
});

describe('execution providers', () => {
  const request = { model: '', seconds: 0.1, threads: 1 };

  it('one that does not take the model falls back to the processor, with the reason', async () => {
    const path = saved('provider.onnx', wide());
    const told = await profileModel(parts(nodeRuntime(1)), { ...request, model: path, provider: 'nowhere' });
    expect(told).toMatchObject({ provider: 'cpu', fellBack: { asked: 'nowhere' } });
    expect(told.fellBack?.reason).toContain('nowhere');
    expect(told.latencyMs.median).toBeGreaterThan(0);
    const plain = await profileModel(parts(nodeRuntime(1)), { ...request, model: path });
    expect(plain).toMatchObject({ provider: 'cpu', fellBack: null });
  });

  it('one that takes the model is where every session opens', async () => {
    const path = saved('provider2.onnx', wide());
    const asked: (string | undefined)[] = [];
    const real = nodeRuntime(1);
    const runtime: Runtime = {
      name: 'spied',
      open: (source, { provider, ...options } = {}) => {
        asked.push(provider);
        return real.open(source, options);
      },
    };
    const told = await profileModel(parts(runtime), { ...request, model: path, versus: path, provider: 'cuda' });
    expect(told).toMatchObject({ provider: 'cuda', fellBack: null });
    expect(asked.length).toBeGreaterThan(4);
    expect(new Set(asked)).toEqual(new Set(['cuda']));
  });
});

describe('stopping', () => {
  it('ends between two runs, and leaves no trace file behind', async () => {
    const { token, cancel } = cancelSource();
    const traces = (): readonly string[] => readdirSync(tmpdir()).filter((f) => f.includes(`trace-${process.pid}-`));
    const watching = parts(nodeRuntime(1));
    const stopped = profileModel(
      {
        ...watching,
        cancel: token,
        report: { ...watching.report, progress: (_, what) => what === 'layer by layer' && cancel() },
      },
      { model: saved('stopped.onnx', wide()), seconds: 0.2 },
    );
    await expect(stopped).rejects.toThrow('cancelled');
    expect(traces()).toEqual([]);
  });

  it('in a process: the job is cancelled, and a model that does not load is one line', async () => {
    const spawn = forkSpawner(join(import.meta.dirname, 'worker.ts'), ['--import', 'tsx']);
    const task = (path: string): Task => ({
      kind: 'job',
      spec: { kind: 'profile', modelId: 'm', seconds: 60 },
      models: { m: path },
      out: '',
      threads: 1,
    });
    const running = runProcess(
      spawn,
      task(saved('long.onnx', wide())),
      (message) => message.kind === 'progress' && running.cancel(),
      60_000,
    );
    expect((await running.ended).kind).toBe('cancelled');
    const broken = model({
      nodes: [node('Relu', ['nowhere'], ['y'])],
      inputs: [value('x', [1])],
      outputs: [value('y', [1])],
    });
    const failed = await runProcess(spawn, task(saved('broken.onnx', broken)), () => {}).ended;
    expect(failed).toMatchObject({ kind: 'failed', fault: { code: 'runtime' } });
  });
});
