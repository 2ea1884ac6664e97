/** Every gradient rule against finite differences through the runtime, over the operators' own cases. */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { inferFacts } from '../analysis/infer-facts.ts';
import { rng } from '../base/random.ts';
import type { Model, Node, ValueInfo } from '../ir/model.ts';
import { renameTensor, type Tensor } from '../ir/tensor.ts';
import { numbersTensor } from '../ir/values.ts';
import { writeModel } from '../onnx/write.ts';
import { isNone, type Op, type OpCase } from '../ops/declare.ts';
import { allOps } from '../ops/index.ts';
import { noGradientYet } from '../ops/rule.ts';
import type { RunTensor } from '../ports/runtime.ts';
import { model, node, value } from '../testing/build.ts';
import { straightThrough } from '../testing/gradient-page.ts';
import { convertOpset } from '../transforms/convert-opset.ts';
import { backward, Emitter, gradientOpset } from './backward.ts';

const runtime = nodeRuntime(1);
const covered = allOps().filter((o) => !isNone(o.gradient) && !straightThrough.has(o.type));
const opName = (o: Op): string => (o.domain === '' ? o.type : `${o.domain}::${o.type}`);

const newest = (o: Op): number => Math.max(gradientOpset, o.since[0] ?? 1);
const runnable = (k: OpCase): boolean =>
  k.norun === undefined &&
  k.nograd === undefined &&
  (k.opset ?? gradientOpset) >= 7 &&
  k.inputs.every((i) => i === undefined || !('shape' in i) || i.shape.every((d) => d > 0)) &&
  k.inputs.some((i) => i !== undefined && 'shape' in i && (i.elem ?? 'float') === 'float');

interface Built {
  readonly model: Model;
  readonly floats: readonly string[];
  readonly feeds: Readonly<Record<string, RunTensor>>;
}

/** The case as a model: float inputs fed (kept apart from each other, away from kinks by chance of the seed). */
function build(o: Op, k: OpCase, seed: number): Built {
  const random = rng(seed).fork(`${o.type} ${k.name}`);
  const inputs: ValueInfo[] = [];
  const initializers: Tensor[] = [];
  const feeds: Record<string, RunTensor> = {};
  const floats: string[] = [];
  const names = k.inputs.map((input, i) => {
    if (input === undefined) return '';
    const name = `x${i}`;
    if ('value' in input) {
      initializers.push(renameTensor(input.value, name));
      return name;
    }
    const elem = input.elem ?? 'float';
    const count = input.shape.reduce((a, b) => a * b, 1);
    const [low, high] = input.range ?? [-1, 1];
    const data =
      elem === 'float'
        ? Float32Array.from({ length: count }, () => low + (high - low) * random.next())
        : Float64Array.from({ length: count }, () => low + random.below(high - low + 1));
    if (elem === 'float') {
      floats.push(name);
      inputs.push(value(name, input.shape));
      feeds[name] = { type: 'float', dims: input.shape, data: data as Float32Array };
    } else initializers.push(numbersTensor(name, elem, input.shape, data));
    return name;
  });
  const outputs = Array.from({ length: k.outputs ?? 1 }, (_, i) => (i === 0 ? 'y' : `y${i}`));
  const plain = model({
    nodes: [node(o.type, names, outputs, k.attributes, { domain: o.domain })],
    inputs,
    outputs: [value('y', null)],
    initializers,
    opset: o.domain === '' ? (k.opset ?? newest(o)) : gradientOpset,
    irVersion: 10,
  });
  const opsets = o.domain === '' ? plain.opsets : [...plain.opsets, { domain: o.domain, version: 1 }];
  // As a training graph raises an older file.
  return { model: convertOpset({ ...plain, opsets }, Math.max(gradientOpset, k.opset ?? 0)), floats, feeds };
}

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((s, v, i) => s + v * (b[i] ?? 0), 0);

/** Directional derivatives along random directions, central differences, against the rule's gradient. */
async function check(o: Op, k: OpCase): Promise<void> {
  const b = build(o, k, 11);
  const facts = inferFacts(b.model);
  const shape = facts.get('y')?.shape as readonly number[];
  const emitter = new Emitter(['y', ...b.model.graph.inputs.map((i) => i.name)]);
  const found = backward(b.model, facts, new Map([['y', 'dy']]), new Set(b.floats), emitter);
  const statistics = o.type === 'BatchNormalization' ? new Set(['x3', 'x4']) : new Set<string>();
  expect([...found.keys()].sort()).toEqual(b.floats.filter((x) => !statistics.has(x)).sort());
  const named: Node[] = [...found].map(([x, g]) => node('Identity', [g], [`grad_${x}`]));
  const graph: Model = {
    ...b.model,
    graph: {
      ...b.model.graph,
      nodes: [...b.model.graph.nodes, ...emitter.nodes, ...named],
      initializers: [...b.model.graph.initializers, ...emitter.constants],
      inputs: [...b.model.graph.inputs, value('dy', shape)],
      outputs: [value('y', shape), ...[...found.keys()].map((x) => value(`grad_${x}`, b.feeds[x]?.dims ?? []))],
    },
  };
  const random = rng(5).fork(k.name);
  const count = shape.reduce((a, d) => a * d, 1);
  const dy = Float32Array.from({ length: count }, () => random.normal());
  const session = await runtime.open({ bytes: writeModel(graph) });
  const seedFeed = { dy: { type: 'float', dims: shape, data: dy } } as const;
  try {
    const at = await session.run({ ...b.feeds, ...seedFeed });
    for (const x of found.keys()) {
      const feed = b.feeds[x] as RunTensor;
      const base = feed.data as Float32Array;
      expect(at[`grad_${x}`]?.dims).toEqual([...feed.dims]);
      let smooth = 0;
      for (let trial = 0; trial < 12 && smooth < 2; trial++) {
        const direction = Float32Array.from({ length: base.length }, () => random.normal());
        const along = async (step: number): Promise<number> => {
          const moved = Float32Array.from(base, (v, i) => v + step * (direction[i] ?? 0));
          const out = await session.run({ ...b.feeds, ...seedFeed, [x]: { ...feed, data: moved } }, ['y']);
          return dot(out.y?.data as Float32Array, dy);
        };
        const step = 2e-3;
        const [up, here, down] = [await along(step), await along(0), await along(-step)];
        const numeric = (up - down) / (2 * step);
        const scale = Math.max(1, Math.abs(numeric), Math.sqrt(count));
        // Where the two sides disagree there is a kink between them (Relu, a maximum): another direction.
        if (Math.abs(up - 2 * here + down) / step > 2e-2 * scale) continue;
        smooth++;
        const analytic = dot(at[`grad_${x}`]?.data as Float32Array, direction);
        expect(Math.abs(analytic - numeric) / scale, `${x}: ${analytic} against ${numeric}`).toBeLessThan(2e-2);
      }
      expect(smooth, `smooth directions of ${x}`).toBeGreaterThan(0);
    }
  } finally {
    await session.release();
  }
}

describe('gradient rules equal finite differences', () => {
  for (const o of covered) {
    const cases = o.cases.filter((k) => runnable(k));
    it.skipIf(cases.length === 0).each(cases.map((k) => [k.name, k] as const))(`${opName(o)}: %s`, (_, k) =>
      check(o, k),
    );
  }

  it('leave no differentiable operator without a case', () => {
    expect(covered.filter((o) => !o.cases.some(runnable)).map(opName)).toEqual([]);
  });

  it('leave no operator without a rule or a reason', () => {
    expect(allOps().flatMap((o) => (o.gradient === noGradientYet ? [opName(o)] : []))).toEqual([]);
  });
});
