/** Lowering an opset: every operator's cases through the runtime before and after, and what is left behind. */
import { expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { Fault } from '../base/fault.ts';
import { attr } from '../ir/attribute.ts';
import type { Model } from '../ir/model.ts';
import { int64Tensor, numbersTensor } from '../ir/values.ts';
import { writeModel } from '../onnx/write.ts';
import type { Op, OpCase } from '../ops/declare.ts';
import { families } from '../ops/index.ts';
import { model, node, value } from '../testing/build.ts';
import { maxError } from '../testing/feeds.ts';
import { buildCase, caseOpset } from '../testing/op-case.ts';
import { lowerOpset } from './lower-opset.ts';

const runtime = nodeRuntime(1);
const standard = families.flat().filter((o) => o.domain === '');
const lowered = (model: Model, to: number): Model | Fault => {
  try {
    return lowerOpset(model, to);
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === 'unsupported') return thrown;
    throw thrown;
  }
};

/** The versions below `from` at which the operator still differs: one before each change. */
const stops = (op: Op, from: number): readonly number[] =>
  op.since
    .map((v) => v - 1)
    .filter((v) => v >= 7 && v < from)
    .sort((a, b) => b - a);

async function disagreements(op: Op, c: OpCase): Promise<{ readonly wrong: string[]; readonly kept: number }> {
  if (c.norun !== undefined) return { wrong: [], kept: 0 };
  const { model, feeds } = buildCase(op, c);
  const wrong: string[] = [];
  let kept = 0;
  const session = await runtime.open({ bytes: writeModel(model) }, { optimize: 'none' });
  const before = await session.run(feeds);
  await session.release();
  for (const to of stops(op, caseOpset(op, c))) {
    const older = lowered(model, to);
    if (older instanceof Fault) break;
    try {
      const s = await runtime.open({ bytes: writeModel(older) }, { optimize: 'none' });
      const error = maxError(before, await s.run(feeds));
      await s.release();
      if (error > 1e-6) wrong.push(`${op.type}, ${c.name}: opset ${to} differs by ${error}`);
      else kept++;
    } catch (thrown) {
      wrong.push(`${op.type}, ${c.name}: opset ${to}: ${(thrown as Error).message.slice(0, 200)}`);
    }
  }
  return { wrong, kept };
}

it('outputs stay, for every case of every operator, or it is refused', async () => {
  const random = /^(Random|Bernoulli|Multinomial)/;
  const all = [];
  for (const op of standard.filter((o) => !random.test(o.type)))
    for (const c of op.cases) all.push(await disagreements(op, c));
  expect(all.flatMap((d) => d.wrong)).toEqual([]);
  expect(all.reduce((n, d) => n + d.kept, 0)).toBeGreaterThan(500);
});

const clip = (more: { readonly irVersion?: number; readonly listed?: boolean } = {}): Model =>
  model({
    opset: 17,
    irVersion: more.irVersion ?? 9,
    inputs: [value('x', [2, 3]), ...(more.listed === true ? [value('low', [])] : [])],
    outputs: [value('y', [2, 3])],
    initializers: [numbersTensor('low', 'float', [], [-1]), int64Tensor('axes', [1], [0])],
    nodes: [
      node('Clip', ['x', 'low'], ['c']),
      node('Unsqueeze', ['c', 'axes'], ['u']),
      node('Squeeze', ['u', 'axes'], ['y']),
    ],
  });

it('constants that became attributes are left out, and ir_version goes down with the opset', () => {
  const older = lowerOpset(clip(), 9);
  expect(older.graph.initializers).toEqual([]);
  expect(older.irVersion).toBe(4);
  expect(older.graph.nodes[0]?.attributes).toEqual([attr.float('min', -1)]);
  expect(lowerOpset(older, 9)).toBe(older);
});

it('a bound that a caller may replace stays an input', () => {
  const older = lowerOpset(clip({ listed: true }), 9);
  expect(older.graph.nodes.map((n) => n.op)).toEqual(['Max', 'Unsqueeze', 'Squeeze']);
  expect(older.graph.initializers.map((t) => t.name)).toEqual(['low']);
});
