/** Weights of every width, blocks, 16-bit floats, and the fall-back to float: what each must give, on one small net. */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { evidenceFrom, type TrialScore } from '../analysis/evidence.ts';
import { clippedRange, Histogram } from '../analysis/histogram.ts';
import { inferFacts } from '../analysis/infer-facts.ts';
import { attr } from '../ir/attribute.ts';
import type { Model } from '../ir/model.ts';
import { numbersTensor, toNumbers } from '../ir/values.ts';
import { fileBytes } from '../onnx/size.ts';
import { model, node, randomTensor, value } from '../testing/build.ts';
import { randomFeeds, runModel, sqnrDb } from '../testing/feeds.ts';
import { contextOf, quantized } from '../testing/quantized.ts';
import { float16 } from './float16.ts';
import { quantize } from './quantize.ts';

const net = (): Model =>
  model({
    opset: 21,
    inputs: [value('x', [1, 16, 8, 8])],
    outputs: [value('y', [1, 10])],
    initializers: [
      randomTensor('w1', [32, 16, 3, 3], 1, 0.1),
      randomTensor('w2', [32, 32, 3, 3], 2, 0.1),
      randomTensor('w3', [2048, 10], 3, 0.05),
    ],
    nodes: [
      node('Conv', ['x', 'w1'], ['c1'], [attr.ints('pads', [1, 1, 1, 1])]),
      node('Relu', ['c1'], ['r1']),
      node('Conv', ['r1', 'w2'], ['c2'], [attr.ints('pads', [1, 1, 1, 1])]),
      node('Flatten', ['c2'], ['f']),
      node('MatMul', ['f', 'w3'], ['y']),
    ],
  });
const weights = 32 * 16 * 9 + 32 * 32 * 9 + 20480;

describe('weight-only', () => {
  it('each bit less makes the file an eighth of a byte a weight smaller and the output coarser', async () => {
    const of = async (bits: number) => {
      const q = await quantized(net(), { mode: 'weight-only', bits });
      for (const k of ['Cast', 'Mul', 'Sub', 'BitShift', 'Mod', 'Reshape'])
        if (k !== 'Reshape') expect(q.kernels).not.toContain(k);
      return { bits, db: q.db, bytes: fileBytes(q.model) };
    };
    const all = [];
    for (const bits of [2, 3, 4, 5, 6, 7, 8]) all.push(await of(bits));
    for (const [k, one] of all.entries()) {
      expect(one.bytes).toBeLessThan((weights * one.bits) / 8 + 8000);
      const next = all[k + 1];
      if (next !== undefined) expect(one.db).toBeLessThan(next.db - 2);
    }
    expect(all.at(-1)?.db).toBeGreaterThan(35);
  });
  it('blocks are nearer than channels where weights differ along them', async () => {
    const m = net();
    const [w1, w2, w3] = m.graph.initializers;
    const uneven = toNumbers(w3!).map((w, k) => (Math.floor(k / 10 / 16) % 8 === 0 ? 6 * w : w));
    const initializers = [w1!, w2!, numbersTensor('w3', 'float', w3!.dims, uneven)];
    const of = { ...m, graph: { ...m.graph, initializers } };
    const params = { mode: 'weight-only', bits: 4 };
    const db = async (block: number) => (await quantized(of, { ...params, block })).db;
    expect(await db(16)).toBeGreaterThan((await db(0)) + 1);
  });
});

it('float16 keeps 60 dB, bfloat16 40, float8 20', async () => {
  const m = net();
  const was = await runModel(nodeRuntime(1), m, randomFeeds(m));
  for (const [type, least] of [
    ['float16', 60],
    ['bfloat16', 40],
    ['float8e4m3fn', 20],
  ] as const) {
    const done = float16.rewrite({ ...contextOf(m, {}), facts: inferFacts(m), params: { type } });
    expect(done.layers.every((l) => l.taken)).toBe(true);
    const is = await runModel(nodeRuntime(1), done.model, randomFeeds(m));
    expect(sqnrDb(was.y!, is.y!)).toBeGreaterThan(least);
  }
});

describe('the fall-back to float', () => {
  const score = (sqnrDb: number): TrialScore => ({ accuracy: null, baseAccuracy: null, agreement: null, sqnrDb });
  const evidence = (trials: Readonly<Record<string, number>>) =>
    evidenceFrom({
      channels: new Map(),
      rows: new Map(),
      gradients: new Map(),
      taylor: new Map(),
      trials: new Map(Object.entries(trials).map(([k, db]) => [k, score(db)])),
    });
  const alone = { 'alone c1': 40, 'alone c2': 12, 'alone y': 30, 'leaving 0': 11 };
  const c = (leastDb: number) => contextOf(net(), { keep: 'sqnr', leastDb });
  const kept = (leastDb: number, second: Readonly<Record<string, number>>) => {
    const done = quantize.rewrite({ ...c(leastDb), evidence: [evidence(alone), evidence(second)] });
    return { left: done.layers.filter((l) => !l.taken).map((l) => l.id), notes: done.notes.map((n) => n.en).join(' ') };
  };
  it('asks for every layer alone, then for all but the worst', () => {
    const asked = (context: ReturnType<typeof c>, round: number) =>
      quantize.needs.evidence?.(context, round)?.trials?.map((t) => t.key);
    expect(asked(c(25), 0)).toEqual(['leaving 0', 'alone c1', 'alone c2', 'alone y']);
    expect(asked({ ...c(25), evidence: [evidence(alone)] }, 1)).toEqual(['leaving 1', 'leaving 2']);
    expect(asked({ ...c(10), evidence: [evidence(alone)] }, 1)).toBeUndefined();
    expect(asked(contextOf(net(), {}), 0)).toBeUndefined();
  });
  it('leaves the fewest of the worst that meet the floor, and says when none do', () => {
    expect(kept(10, {})).toEqual({ left: [], notes: '' });
    expect(kept(25, { 'leaving 1': 28, 'leaving 2': 33 }).left).toEqual(['c2']);
    expect(kept(30, { 'leaving 1': 28, 'leaving 2': 33 }).left).toEqual(['c2', 'y']);
    expect(kept(60, { 'leaving 1': 28, 'leaving 2': 33 }).notes).toContain('The floor is not met');
  });
});

it('calibration by squared error cuts off lone outliers, and keeps what has none', () => {
  const uniform = new Histogram({ min: -1, max: 1 });
  uniform.add(Float64Array.from({ length: 4001 }, (_, k) => k / 2000 - 1));
  expect(clippedRange(uniform, 'mse').max).toBeGreaterThan(0.95);
  const tailed = new Histogram({ min: -1, max: 8 });
  const many = Float64Array.from({ length: 100_000 }, (_, k) => ((k % 2001) - 1000) / 1000);
  for (let k = 0; k < 10; k++) tailed.add(many);
  tailed.add([8]);
  // (8 - M)^2 + 10^6 ((M + 1) / 255)^2 / 12 is least at M = 2.9.
  expect(clippedRange(tailed, 'mse').max).toBeGreaterThan(2.4);
  expect(clippedRange(tailed, 'mse').max).toBeLessThan(3.4);
});
