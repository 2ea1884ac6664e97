/** Operator form equals QDQ form; 16-bit activations lose nothing that weights have not lost; dynamic products do not saturate. */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import type { FieldValues } from '../base/fields.ts';
import { attr } from '../ir/attribute.ts';
import { type Model, type Node, opsetVersion } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';
import { numbersTensor, toNumbers } from '../ir/values.ts';
import type { RunTensor } from '../ports/runtime.ts';
import { model, node, randomTensor, value } from '../testing/build.ts';
import { randomFeeds, runModel } from '../testing/feeds.ts';
import { quantized, quantizedModel } from '../testing/quantized.ts';
import { quantize } from './quantize.ts';

const runtime = nodeRuntime(1);
const floats = (t: RunTensor): Float32Array => t.data as Float32Array;
const one = (name: string, x: number): Tensor => numbersTensor(name, 'float', [], [x]);

function net(nodes: readonly Node[], initializers: readonly Tensor[], x = [1, 3, 8, 8], y = ['y']): Model {
  return model({ opset: 13, inputs: [value('x', x)], outputs: y.map((n) => value(n, null)), initializers, nodes });
}

/** Clamped convolutions, a shortcut, pooling, a moved layout, an inner output, a last Gemm. */
const convolutions = (): Model =>
  net(
    [
      node('Conv', ['x', 'w1', 'b1'], ['c1'], [attr.ints('pads', [1, 1, 1, 1])]),
      node('Clip', ['c1', 'lo', 'hi'], ['r1']),
      node('Conv', ['r1', 'w2'], ['c2'], [attr.ints('pads', [1, 1, 1, 1]), attr.int('group', 2)]),
      node('Add', ['c2', 'r1'], ['s']),
      node('Conv', ['s', 'w3'], ['c3']),
      node('Relu', ['c3'], ['z']),
      node('MaxPool', ['z'], ['p'], [attr.ints('kernel_shape', [2, 2]), attr.ints('strides', [2, 2])]),
      node('Transpose', ['p'], ['t'], [attr.ints('perm', [0, 2, 3, 1])]),
      node('Flatten', ['t'], ['f']),
      node('Gemm', ['f', 'g1', 'gb'], ['h'], [attr.int('transB', 1)]),
      node('Sigmoid', ['h'], ['q']),
      node('Gemm', ['q', 'g2'], ['y']),
    ],
    [
      randomTensor('w1', [8, 3, 3, 3], 1),
      randomTensor('b1', [8], 2),
      randomTensor('w2', [8, 4, 3, 3], 3, 0.3),
      randomTensor('w3', [6, 8, 1, 1], 4),
      randomTensor('g1', [12, 96], 5, 0.2),
      randomTensor('gb', [12], 6),
      randomTensor('g2', [12, 5], 7),
      one('lo', 0),
      one('hi', 2),
    ],
    [1, 3, 8, 8],
    ['y', 'z'],
  );

const products = (): Model =>
  net(
    [
      node('MatMul', ['x', 'a'], ['h']),
      node('Relu', ['h'], ['r']),
      node('MatMul', ['r', 'b'], ['k']),
      node('Tanh', ['k'], ['y']),
    ],
    [randomTensor('a', [5, 16], 1), randomTensor('b', [16, 4], 2)],
    [2, 3, 5],
  );

describe('operator form', () => {
  it.each([
    ['convolutions', convolutions, { QLinearConv: 3, QGemm: 2 }],
    ['products', products, { QLinearMatMul: 2 }],
  ] as const)('%s: equal to QDQ form', async (_, make, wanted) => {
    for (const more of [{}, { perChannel: false }, { symmetric: true }] as FieldValues[]) {
      const m = make();
      const qdq = await quantized(m, more);
      const q = await quantized(m, { ...more, form: 'qoperator' });
      for (const [name, t] of Object.entries(qdq.got)) {
        const [a, b] = [floats(t), floats(q.got[name]!)];
        const top = a.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
        // One step of a grid over values up to the largest.
        for (const [i, v] of a.entries()) expect(Math.abs(v - b[i]!)).toBeLessThanOrEqual((2.1 * top) / 255);
      }
      expect(q.db).toBeGreaterThan(qdq.db - 0.5);
      const ops = q.back.graph.nodes.map((n) => n.op);
      for (const [op, count] of Object.entries(wanted)) expect(ops.filter((o) => o === op)).toHaveLength(count);
      for (const float of ['Conv', 'Gemm', 'MatMul', 'Clip', 'Relu']) expect(ops).not.toContain(float);
    }
  });
  it('moves integers, not floats, and names the domain that QGemm needs', async () => {
    const q = await quantized(convolutions(), { form: 'qoperator' });
    const { nodes } = q.back.graph;
    const typeOf = (op: string) => nodes.find((n) => n.op === op)?.inputs[0];
    expect(typeOf('MaxPool')).toMatch(/_quantized$/);
    expect(typeOf('Transpose')).toMatch(/_quantized$/);
    expect(q.back.opsets).toContainEqual({ domain: 'com.microsoft', version: 1 });
    expect(q.notes.map((n) => n.en).join()).toContain('com.microsoft');
    expect((await quantized(products(), { form: 'qoperator' })).back.opsets.map((o) => o.domain)).not.toContain(
      'com.microsoft',
    );
  });
  it('keeps a Clip that does not begin at 0', async () => {
    const m = convolutions();
    const initializers = m.graph.initializers.map((t) => (t.name === 'lo' ? one('lo', 0.25) : t));
    const q = await quantized({ ...m, graph: { ...m.graph, initializers } }, { form: 'qoperator' });
    expect(q.back.graph.nodes.map((n) => n.op)).toContain('Clip');
    expect(q.db).toBeGreaterThan(20);
  });
});

describe('16-bit activations', () => {
  it('lose next to nothing beside the weights', async () => {
    const m = convolutions();
    const weights = await quantized(m, { mode: 'weight-only' });
    const eight = await quantized(m, {});
    const wide = await quantized(m, { activationBits: 16 });
    expect(opsetVersion(wide.back)).toBe(21);
    expect(wide.db).toBeGreaterThan(weights.db - 0.5);
    expect(wide.db).toBeGreaterThan(eight.db);
    expect(wide.back.graph.initializers.filter((t) => t.type === 'uint16').length).toBeGreaterThan(5);
    expect(wide.notes.map((n) => n.en).join()).toContain('no 16-bit kernels');
    const symmetric = await quantized(m, { activationBits: 16, symmetric: true });
    expect(symmetric.db).toBeGreaterThan(weights.db - 0.5);
  });
  it('take the constant operands of elementwise nodes along', async () => {
    const m = net(
      [
        node('Conv', ['x', 'w'], ['h']),
        node('Sigmoid', ['h'], ['s']),
        node('Mul', ['s', 'k'], ['m']),
        node('Conv', ['m', 'v'], ['y']),
      ],
      [randomTensor('w', [4, 3, 3, 3], 1), randomTensor('k', [4, 1, 1], 2), randomTensor('v', [4, 4, 3, 3], 3)],
    );
    const wide = await quantized(m, { activationBits: 16 });
    expect(wide.back.graph.initializers.find((t) => t.name === 'k_quantized')?.type).toBe('uint16');
    expect(wide.db).toBeGreaterThan(40);
  });
  it('have no operator form', () => {
    const base = { mode: 'static', bits: 8, block: 0, activationBits: 16 };
    expect(quantize.validate?.({ ...base, form: 'qoperator' })).toMatchObject({ en: expect.stringContaining('8-bit') });
    expect(quantize.validate?.(base)).toBeUndefined();
  });
});

describe('a layer left in float between quantized ones', () => {
  // ONNX Runtime quantizes the weights of such a layer by itself (WeightBiasQuantization) unless its input has a scale per channel.
  const left = (middle: Node, w: Tensor): Model =>
    net(
      [
        node('Conv', ['x', 'a'], ['h']),
        node('Relu', ['h'], ['r']),
        middle,
        node('Relu', ['m'], ['k']),
        node('Conv', ['k', 'b'], ['y']),
      ],
      [randomTensor('a', [8, 3, 3, 3], 1), w, randomTensor('b', [5, 8, 3, 3], 3)],
    );
  it.each([
    ['Conv', left(node('Conv', ['r', 'w'], ['m']), randomTensor('w', [8, 8, 1, 1], 2))],
    ['ConvTranspose', left(node('ConvTranspose', ['r', 'w'], ['m']), randomTensor('w', [8, 8, 2, 2], 2))],
  ] as const)('%s computes in float', async (op, m) => {
    const q = await quantized(m, {}, { without: ['m'] });
    expect(q.kernels.filter((k) => k === op)).toHaveLength(1);
    expect(q.kernels.filter((k) => k === 'QLinearConv')).toHaveLength(2);
    expect(q.kernels.filter((k) => k === 'DequantizeLinear').length).toBeLessThanOrEqual(2);
    expect(q.db).toBeGreaterThan((await quantized(m, {})).db - 0.5);
  });
});

it('a dynamic product of large numbers does not saturate', async () => {
  // Pairs of 255 x 127 are twice what an int16 holds: int8 weights lose them on x86 processors without 8-bit dot products.
  const m = net([node('MatMul', ['x', 'w'], ['y'])], [randomTensor('w', [64, 8], 1)], [4, 64]);
  const w = m.graph.initializers[0]!;
  const heavy = numbersTensor(
    'w',
    'float',
    w.dims,
    toNumbers(w).map((x) => 1 + 0.05 * x),
  );
  const of = { ...m, graph: { ...m.graph, initializers: [heavy] } };
  const feeds = randomFeeds(of);
  const x = { ...feeds.x!, data: Float32Array.from(feeds.x!.data as Float32Array, (v) => 1 + 0.05 * v) };
  const done = await quantizedModel(of, { mode: 'dynamic' }, []);
  expect(done.model.graph.initializers.find((t) => t.name === 'w_zero_point')?.type).toBe('uint8');
  const [was, is] = [await runModel(runtime, of, { x }), await runModel(runtime, done.model, { x })];
  for (const [i, v] of was.y!.data.entries())
    expect(Math.abs(Number(v) / Number(is.y!.data[i]) - 1)).toBeLessThan(0.01);
});
