/** Evidence: moments, rows that fulfil the layer's own equation, gradients against finite differences, trials. */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import type { EvidenceRequest } from '../analysis/evidence.ts';
import { withValues } from '../autodiff/parameters.ts';
import { neverCancelled } from '../base/cancel.ts';
import { rng } from '../base/random.ts';
import { attr } from '../ir/attribute.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model, Node } from '../ir/model.ts';
import { toNumbers } from '../ir/values.ts';
import type { RunTensor } from '../ports/runtime.ts';
import { model as modelOf, node, randomTensor, value } from '../testing/build.ts';
import { runModel } from '../testing/feeds.ts';
import { leNetLike } from '../testing/nets.ts';
import type { EvidenceSource } from './evidence-source.ts';
import { gatherEvidence } from './gather-evidence.ts';
import { modelInput } from './model-input.ts';

const runtime = nodeRuntime(1);

const tensorAt = (dims: readonly number[], seed: number): RunTensor => {
  const random = rng(seed);
  return {
    type: 'float',
    dims,
    data: Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random.normal()),
  };
};

/** Sample k is drawn from seed k, so a batch holds the same samples as single runs do. */
const source =
  (labels: (k: number) => number | null): EvidenceSource =>
  (model, _, samples) => {
    const input = modelInput(model);
    const each = input.shape.slice(1).map(Number);
    const size = input.batch ?? 1;
    return {
      async *[Symbol.asyncIterator]() {
        for (let at = 0; at < samples; at += size) {
          const ks = Array.from({ length: size }, (_, i) => Math.min(at + i, samples - 1));
          const data = Float32Array.from(
            ks.flatMap((k) => Array.from(tensorAt([1, ...each], k + 1).data as Float32Array)),
          );
          yield {
            feeds: { [input.name]: { type: 'float' as const, dims: [size, ...each], data } },
            labels: ks.map(labels),
            real: Math.min(size, samples - at),
          };
        }
      },
    };
  };

const gather = (model: Model, request: EvidenceRequest, labels: (k: number) => number | null = () => null) =>
  gatherEvidence({ runtime, model, request, source: source(labels), seed: 5, cancel: neverCancelled });

describe('statistics', () => {
  it('are the moments of every channel, of an input too', async () => {
    const model = leNetLike();
    const found = await gather(model, {
      samples: 3,
      channels: [
        { value: 'c1.relu', axis: 1 },
        { value: 'x', axis: 1 },
      ],
    });
    const runs = await Promise.all(
      [1, 2, 3].map((k) =>
        runModel(
          runtime,
          { ...model, graph: { ...model.graph, outputs: [value('c1.relu', null)] } },
          { x: tensorAt([1, 3, 8, 8], k) },
        ),
      ),
    );
    const channel = runs.flatMap((r) => Array.from(r['c1.relu']?.data.slice(2 * 64, 3 * 64) as Float32Array));
    const stats = found.channel({ value: 'c1.relu', axis: 1 });
    expect(stats.count).toBe(192);
    expect(stats.mean[2]).toBeCloseTo(channel.reduce((a, b) => a + b, 0) / 192, 5);
    expect(stats.meanSquare[2]).toBeCloseTo(channel.reduce((a, b) => a + b * b, 0) / 192, 4);
    const input = found.channel({ value: 'x', axis: 1 });
    expect(input.meanAbs).toHaveLength(3);
    expect(input.meanAbs[0]).toBeGreaterThan(Math.abs(input.mean[0] ?? 0));
    expect(() => found.channel({ value: 'c2', axis: 1 })).toThrow('no samples');
  });
});

interface RowCase {
  readonly name: string;
  readonly node: Node;
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly bias: number;
  readonly group?: number;
  /** The weight is [columns, width]. */
  readonly turned?: true;
}
const conv = (attributes: Parameters<typeof node>[3]): Node => node('Conv', ['x', 'w', 'b'], ['y'], attributes);
const rowCases: readonly RowCase[] = [
  {
    name: 'Conv with pads and strides',
    node: conv([attr.ints('pads', [1, 0, 2, 1]), attr.ints('strides', [2, 1])]),
    x: [2, 3, 7, 6],
    w: [4, 3, 3, 2],
    bias: 4,
  },
  {
    name: 'Conv with groups and dilations',
    node: conv([attr.int('group', 2), attr.ints('dilations', [2, 1])]),
    x: [1, 4, 8, 5],
    w: [6, 2, 2, 3],
    bias: 6,
    group: 2,
  },
  {
    name: 'Conv SAME_LOWER',
    node: conv([attr.string('auto_pad', 'SAME_LOWER'), attr.ints('strides', [2, 2])]),
    x: [1, 2, 7, 8],
    w: [3, 2, 4, 2],
    bias: 3,
  },
  {
    name: 'Conv SAME_UPPER, one axis',
    node: conv([attr.string('auto_pad', 'SAME_UPPER')]),
    x: [2, 2, 9],
    w: [3, 2, 4],
    bias: 3,
  },
  {
    name: 'Gemm transB',
    node: node('Gemm', ['x', 'w', 'b'], ['y'], [attr.int('transB', 1)]),
    x: [4, 6],
    w: [5, 6],
    bias: 5,
  },
  {
    name: 'Gemm transA',
    node: node('Gemm', ['x', 'w', 'b'], ['y'], [attr.int('transA', 1)]),
    x: [6, 4],
    w: [6, 5],
    bias: 5,
    turned: true,
  },
  {
    name: 'MatMul of three axes',
    node: node('MatMul', ['x', 'w'], ['y']),
    x: [2, 3, 6],
    w: [6, 5],
    bias: 0,
    turned: true,
  },
];

describe('rows', () => {
  it.each(rowCases)('of $name fulfil its equation', async (c) => {
    const w = randomTensor('w', c.w);
    const b = randomTensor('b', [Math.max(1, c.bias)]);
    const m = modelOf({
      nodes: [c.node],
      inputs: [value('x', c.x)],
      outputs: [value('y', null)],
      initializers: c.bias > 0 ? [w, b] : [w],
    });
    const rows = (await gather(m, { samples: 4, rows: [{ node: 'y', rows: 9 }] })).rows('y');
    expect(rows.rows).toBeGreaterThanOrEqual(4);
    const [weights, biases] = [toNumbers(w), toNumbers(b)];
    const group = c.group ?? 1;
    const columns = rows.columns / group;
    for (let r = 0; r < rows.rows; r++)
      for (let o = 0; o < rows.width; o++) {
        const from = Math.floor(o / (rows.width / group)) * columns;
        let y = c.bias > 0 ? (biases[o] ?? 0) : 0;
        for (let k = 0; k < columns; k++) {
          const at = c.turned === true ? k * rows.width + o : o * columns + k;
          y += (weights[at] ?? 0) * (rows.inputs[r * rows.columns + from + k] ?? 0);
        }
        expect(rows.outputs[r * rows.width + o]).toBeCloseTo(y, 4);
      }
  });

  it('are drawn at the same places in another model with that node', async () => {
    const one = leNetLike();
    const weight = graphIndex(one.graph).initializer.get('c2.w');
    if (weight === undefined) throw new Error('no weight');
    const other = withValues(one, new Map([['c2.w', new Float32Array(12 * 8 * 9)]]));
    const request: EvidenceRequest = { samples: 4, rows: [{ node: 'c2', rows: 30 }] };
    const [a, b] = [(await gather(one, request)).rows('c2'), (await gather(other, request)).rows('c2')];
    expect(a.inputs).toEqual(b.inputs);
    expect(a.outputs).not.toEqual(b.outputs);
  });
});

/** Mean cross-entropy of samples 1..n against labels, by running the model. */
async function lossOf(model: Model, labels: readonly number[]): Promise<number> {
  let sum = 0;
  for (const [k, label] of labels.entries()) {
    const y = (await runModel(runtime, model, { x: tensorAt([1, 3, 8, 8], k + 1) })).y?.data as Float32Array;
    const top = Math.max(...y);
    sum += top + Math.log(y.reduce((s, v) => s + Math.exp(v - top), 0)) - (y[label] ?? 0);
  }
  return sum / labels.length;
}

describe('gradients', () => {
  const model = leNetLike();
  const labels = [1, 4, 0, 2];

  it('of parameters are finite differences of the loss', async () => {
    const found = (
      await gather(model, { samples: 4, taylor: { parameters: ['c1.w', 'f1.b'] } }, (k) => labels[k] ?? null)
    ).gradient('c1.w');
    const weight = graphIndex(model.graph).initializer.get('c1.w');
    if (weight === undefined) throw new Error('no weight');
    const step = 1e-2;
    for (const at of [3, 100]) {
      const moved = async (by: number): Promise<number> => {
        const values = Float32Array.from(toNumbers(weight));
        values[at] = (values[at] ?? 0) + by;
        return lossOf(withValues(model, new Map([['c1.w', values]])), labels);
      };
      const slope = ((await moved(step)) - (await moved(-step))) / (2 * step);
      expect(found.gradient[at]).toBeCloseTo(slope, 2);
    }
    expect(found.meanAbs[3]).toBeCloseTo(Math.abs(found.gradient[3] ?? 0), 5);
  });

  it('times activations, per channel, are how the loss moves with the scale of that channel', async () => {
    const axis = { value: 'c1', axis: 1 };
    const request = {
      samples: 1,
      taylor: { parameters: ['c1.w', 'c1.b'], channels: [axis, { value: 'f1', axis: 1 }] },
    };
    const found = await gather(model, request, () => 1);
    const [w, b] = ['c1.w', 'c1.b'].map((name) => graphIndex(model.graph).initializer.get(name));
    if (w === undefined || b === undefined) throw new Error('no weight');
    const [ws, bs] = [toNumbers(w), toNumbers(b)];
    const [gw, gb] = [found.gradient('c1.w').gradient, found.gradient('c1.b').gradient];
    const terms = found.taylor(axis);
    expect(terms).toHaveLength(8);
    expect(found.taylor({ value: 'f1', axis: 1 })).toHaveLength(20);
    terms.forEach((term, c) => {
      let sum = (gb[c] ?? 0) * (bs[c] ?? 0);
      for (let i = c * 27; i < (c + 1) * 27; i++) sum += (gw[i] ?? 0) * (ws[i] ?? 0);
      expect(term).toBeCloseTo(Math.abs(sum), 4);
    });
    expect(Math.max(...terms)).toBeGreaterThan(1e-3);
  });

  it("come from the model's own answers where there are no labels", async () => {
    const own = await gather(model, { samples: 2, taylor: { parameters: ['f1.b'] } });
    expect(Math.max(...own.gradient('f1.b').meanAbs)).toBeGreaterThan(0);
  });
});

describe('trials', () => {
  it('judge a candidate against the model itself', async () => {
    const model = leNetLike();
    const worse = withValues(model, new Map([['f1.b', new Float32Array(20).fill(3)]]));
    const found = await gather(
      model,
      {
        samples: 5,
        trials: [
          { key: 'same', model: () => model },
          { key: 'worse', model: () => worse },
        ],
      },
      (k) => k % 5,
    );
    expect(found.trial('same')).toMatchObject({ agreement: 1, sqnrDb: Number.POSITIVE_INFINITY });
    expect(found.trial('same').accuracy).toBe(found.trial('same').baseAccuracy);
    expect(found.trial('worse').sqnrDb).toBeLessThan(30);
  });
});
