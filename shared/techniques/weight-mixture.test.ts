/** The mixture prior: its loss by definition, every gradient by differences; merging, assignment; and the step as a whole. */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { Emitter } from '../autodiff/backward.ts';
import type { Parameter } from '../autodiff/parameters.ts';
import { rng } from '../base/random.ts';
import type { Model } from '../ir/model.ts';
import { writeModel } from '../onnx/write.ts';
import type { RunTensor } from '../ports/runtime.ts';
import { model, node, value } from '../testing/build.ts';
import { assigned, type Component, componentsOf, emitMixture, mergedComponents } from './weight-mixture.ts';

const runtime = nodeRuntime(1);
const settings = { components: 4, strength: 30, zeroShare: 0.8, total: 32 };

const random = rng(3);
const parameter = (name: string, dims: readonly number[]): Parameter => ({
  name,
  role: 'weight',
  dims,
  values: Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random.next() - 0.5),
});
const parameters = [parameter('v', [4, 5]), parameter('w', [12])];

/** Loss and gradients by name; `feeds` replaces what the mixture starts with. */
async function opened() {
  const e = new Emitter(['v', 'w', 'share']);
  const terms = emitMixture(e, parameters, 'share', settings);
  const own = terms.own ?? [];
  const inputs = [...parameters.map((p) => ({ name: p.name, dims: p.dims })), ...own, { name: 'share', dims: [] }];
  const outputs = [
    ['loss', terms.loss],
    ...[...terms.gradients].map(([name, g]) => [`d ${name}`, g]),
    ...own.map((o) => [`d ${o.name}`, o.gradient]),
  ] as const;
  const built: Model = model({
    opset: 17,
    nodes: [],
    initializers: e.constants,
    inputs: inputs.map((i) => value(i.name, [...i.dims])),
    outputs: outputs.map(([name]) => value(name, null)),
  });
  const closing = outputs.map(([name, from]) => node('Identity', [from], [name]));
  const bytes = writeModel({ ...built, graph: { ...built.graph, nodes: [...e.nodes, ...closing] } });
  const session = await runtime.open({ bytes });
  const start = new Map<string, Float32Array>([
    ...parameters.map((p) => [p.name, p.values] as const),
    // Off the start, where some gradients are alike.
    ...own.map((o, k) => [o.name, o.initial.map((x, i) => x + 0.3 * Math.sin(3 * i + k + 1))] as const),
  ]);
  const dims = new Map(inputs.map((i) => [i.name, i.dims]));
  const run = async (values: ReadonlyMap<string, Float32Array>) => {
    const all = new Map([...values, ['share', Float32Array.of(0.4)] as const]);
    const feeds = [...all].map(([name, data]): [string, RunTensor] => [
      name,
      { type: 'float', dims: dims.get(name) ?? [], data },
    ]);
    return session.run(Object.fromEntries(feeds));
  };
  return { run, start, own: own.map((o) => o.name) };
}

const density = (w: number, { share, mean, variance }: Component): number =>
  (share * Math.exp(-((w - mean) ** 2) / (2 * variance))) / Math.sqrt(variance);

describe('the prior', () => {
  it('adds what its definition says, and its gradients are those of differences', async () => {
    const { run, start, own } = await opened();
    const out = await run(start);
    const lossAt = async (values: ReadonlyMap<string, Float32Array>): Promise<number> =>
      Number((await run(values)).loss!.data[0]);
    // The part that the weights see: moving them changes the loss by their own log densities alone.
    const components = componentsOf(own.map((n) => start.get(n)!));
    const prior = (w: Float32Array): number =>
      w.reduce((sum, x) => sum - Math.log(components.reduce((s, c) => s + density(x, c), 0)), 0);
    const moved = new Map(start).set(
      'w',
      start.get('w')!.map((x) => x * 0.7),
    );
    const [from, to] = [start.get('w')!, moved.get('w')!].map(prior);
    const kappa = settings.strength / settings.total;
    expect((await lossAt(moved)) - (await lossAt(start))).toBeCloseTo((to! - from!) * kappa, 3);

    for (const [name, values] of start) {
      const gradient = out[`d ${name}`]!.data as Float32Array;
      expect(gradient).toHaveLength(values.length);
      for (let i = 0; i < values.length; i += Math.ceil(values.length / 5)) {
        const h = 2e-3;
        const at = (by: number) =>
          lossAt(
            new Map(start).set(
              name,
              values.map((x, k) => (k === i ? x + by : x)),
            ),
          );
        const slope = ((await at(h)) - (await at(-h))) / (2 * h);
        expect(Math.abs(gradient[i]! - slope), `${name} ${i}`).toBeLessThan(0.02 * Math.max(1, Math.abs(slope)));
      }
    }
  });
});

describe('at the end', () => {
  const at = (mean: number, share = 0.1, variance = 1e-4): Component => ({ mean, share, variance });

  it('components that say the same are one, the zero one stays at zero', () => {
    const merged = mergedComponents([at(0, 0.6), at(0.3), at(0.3005), at(-0.4, 0.15), at(1e-4, 0.05)]);
    expect(merged.map((c) => c.mean)).toEqual([0, expect.closeTo(0.30025, 6), -0.4]);
    expect(merged.reduce((s, c) => s + c.share, 0)).toBeCloseTo(1, 9);
    expect(merged[1]!.variance).toBeCloseTo(1e-4 + 0.00025 ** 2, 9);
  });

  it('a weight goes to the component that most likely made it, not to the nearest mean', () => {
    const wide = [at(0, 0.5, 0.01), at(0.2, 0.5, 1e-5)];
    expect([...assigned([0.13, 0.199, 0, -3], wide)]).toEqual([0, 1, 0, 0]);
  });
});
