/** quantize on small graphs: the law (predicted = written, runs, same inputs and outputs) and the faults of other tools. */
import { describe, expect, it } from 'vitest';
import { attr } from '../ir/attribute.ts';
import { graphIndex } from '../ir/graph-index.ts';
import { type Model, type Node, opsetVersion } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';
import { numbersTensor, toNumbers } from '../ir/values.ts';
import { model, node, randomTensor, value } from '../testing/build.ts';
import { contextOf, quantized } from '../testing/quantized.ts';
import { quantize } from './quantize.ts';

const conv = (x: string, w: string, y: string, ...more: string[]): Node =>
  node('Conv', [x, w, ...more], [y], [attr.ints('pads', [1, 1, 1, 1])]);

function net(nodes: readonly Node[], initializers: readonly Tensor[], opset = 13, x = [1, 3, 8, 8]): Model {
  return model({ opset, inputs: [value('x', x)], outputs: [value('y', null)], initializers, nodes });
}

const residual = (opset = 13): Model =>
  net(
    [
      conv('x', 'w1', 'c1', 'b1'),
      node('Relu', ['c1'], ['r1']),
      conv('r1', 'w2', 'c2'),
      node('Add', ['c2', 'r1'], ['s']),
      node('Relu', ['s'], ['r2']),
      node('MaxPool', ['r2'], ['p'], [attr.ints('kernel_shape', [2, 2]), attr.ints('strides', [2, 2])]),
      node('Flatten', ['p'], ['f']),
      node('Gemm', ['f', 'w3', 'b3'], ['y'], [attr.int('transB', 1)]),
    ],
    [
      randomTensor('w1', [8, 3, 3, 3]),
      randomTensor('b1', [8]),
      randomTensor('w2', [8, 8, 3, 3], 2, 0.2),
      randomTensor('w3', [10, 128], 3, 0.1),
      randomTensor('b3', [1, 10], 4),
    ],
    opset,
  );

describe('static', () => {
  it.each([
    { perChannel: true },
    { perChannel: false },
    { calibration: 'percentile' },
    { symmetric: true },
    { symmetric: true, perChannel: false },
  ])('a residual net with %j', async (params) => {
    const q = await quantized(residual(), params);
    expect(q.layers.map((l) => l.taken)).toEqual([true, true, true]);
    expect(q.db).toBeGreaterThan(28);
  });
  it('runs in int8 from the first layer to the last (from opset 9: S18, S19)', async () => {
    const q = await quantized(residual(9));
    expect(opsetVersion(q.model)).toBe(13);
    expect(q.kernels).toContain('QLinearConv');
    expect(q.kernels).toContain('QLinearAdd');
    expect(q.kernels).toContain('QGemm');
    for (const float of ['Conv', 'Relu', 'Add', 'Gemm']) expect(q.kernels).not.toContain(float);
    expect(q.kernels.filter((k) => k === 'QuantizeLinear')).toHaveLength(1);
  });
  it('keeps nodes in topological order and ids unique (S15, S21)', async () => {
    const q = await quantized(residual());
    expect(graphIndex(q.model.graph).order).toEqual(q.model.graph.nodes);
    expect(new Set(q.ids).size).toBe(q.ids.length);
  });
  it('refuses what is quantized already (S21)', async () => {
    const once = await quantized(residual());
    const again = quantize.rewrite(contextOf(once.model, {}));
    expect(again.layers.map((l) => (l.taken ? '' : l.reason))).toEqual(Array(3).fill('it is quantized already'));
    expect(again.model).toBe(once.model);
  });
  it('gives an all-zero channel a finite scale (S20)', async () => {
    const w = randomTensor('w', [4, 3, 3, 3]);
    const zeroed = numbersTensor(
      'w',
      'float',
      w.dims,
      toNumbers(w).map((x, k) => (k < 27 ? 0 : x)),
    );
    const q = await quantized(net([conv('x', 'w', 'y', 'b')], [zeroed, randomTensor('b', [4])]));
    const scales = toNumbers(q.back.graph.initializers.find((t) => t.name === 'w_scale')!);
    expect([...scales].every((s) => s > 0 && Number.isFinite(s))).toBe(true);
    expect(q.db).toBeGreaterThan(30);
  });
  it('stores the weight of a ConvTranspose, which has no 8-bit kernel, with scales along axis 1 (S16)', async () => {
    for (const [w, group] of [
      [[3, 5, 2, 2], 1],
      [[4, 3, 2, 2], 2],
    ] as const) {
      const outputs = w[1] * group;
      const m = net(
        [node('ConvTranspose', ['x', 'w', 'b'], ['y'], [attr.int('group', group)])],
        [randomTensor('w', w), randomTensor('b', [outputs])],
        13,
        [1, w[0], 6, 6],
      );
      const q = await quantized(m);
      const dims = (name: string) => q.back.graph.initializers.find((t) => t.name === name)?.dims;
      expect(dims('w_scale')).toEqual([1, w[1], 1, 1]);
      expect(q.kernels).toEqual(['ConvTranspose']);
      expect(q.db).toBeGreaterThan(30);
    }
  });
  it('quantizes a tied weight once (S17)', async () => {
    const m = net([conv('x', 'w', 'h'), conv('h', 'w', 'y')], [randomTensor('w', [3, 3, 3, 3])]);
    const q = await quantized(m);
    expect(q.back.graph.initializers.filter((t) => t.type === 'uint8' && t.dims.length === 4)).toHaveLength(1);
    expect(q.back.graph.initializers.some((t) => t.name === 'w')).toBe(false);
  });
  it.each([
    ['attributes', 9, [], [attr.float('min', 0), attr.float('max', 6)]],
    ['inputs', 13, ['lo', 'hi'], []],
  ] as const)('takes Clip with its bounds as %s (S18)', async (_, opset, bounds, attributes) => {
    const one = (name: string, v: number) => numbersTensor(name, 'float', [], [v]);
    const m = net(
      [conv('x', 'w', 'h'), node('Clip', ['h', ...bounds], ['k'], attributes), conv('k', 'v', 'y')],
      [
        randomTensor('w', [4, 3, 3, 3]),
        randomTensor('v', [4, 4, 3, 3], 2),
        ...(opset > 10 ? [one('lo', 0), one('hi', 6)] : []),
      ],
      opset,
    );
    const q = await quantized(m);
    expect(q.kernels).not.toContain('Clip');
    expect(q.db).toBeGreaterThan(30);
  });
  it('keeps a bias that int32 could not hold (a tiny weight under a large bias)', async () => {
    const m = net(
      [conv('x', 'w', 'y', 'b')],
      [randomTensor('w', [4, 3, 3, 3], 1, 1e-9), randomTensor('b', [4], 2, 100)],
    );
    expect((await quantized(m)).db).toBeGreaterThan(30);
  });
});

it('a hard swish spelt out in Add, Clip, Mul and Div runs in int8, its Div in the scale alone', async () => {
  const one = (name: string, v: number) => numbersTensor(name, 'float', [], [v]);
  const m = net(
    [
      conv('x', 'w', 'h', 'b'),
      node('Add', ['h', 'three'], ['s']),
      node('Clip', ['s', 'lo', 'hi'], ['k']),
      node('Mul', ['h', 'k'], ['p']),
      node('Div', ['p', 'six'], ['d']),
      node('MaxPool', ['d'], ['q'], [attr.ints('kernel_shape', [2, 2])]),
      conv('q', 'v', 'y'),
    ],
    [
      randomTensor('w', [4, 3, 3, 3]),
      randomTensor('b', [4]),
      randomTensor('v', [4, 4, 3, 3], 2),
      one('three', 3),
      one('lo', 0),
      one('hi', 6),
      one('six', 6),
    ],
  );
  const q = await quantized(m);
  for (const float of ['Add', 'Clip', 'Mul', 'Div', 'Conv']) expect(q.kernels).not.toContain(float);
  expect(q.kernels.filter((k) => k === 'QuantizeLinear')).toHaveLength(1);
  expect(q.db).toBeGreaterThan(28);
});

describe.each([
  [{ mode: 'dynamic' }, 25],
  [{ mode: 'dynamic', perChannel: false }, 25],
  [{ mode: 'weight-only' }, 30],
  [{ mode: 'weight-only', perChannel: false }, 30],
  [{ mode: 'weight-only', bits: 4 }, 10],
] as const)('%j', (params, least) => {
  it('keeps the law on a residual net', async () => {
    const q = await quantized(residual(), params);
    expect(q.db).toBeGreaterThan(least);
    if (params.mode === 'weight-only')
      for (const k of ['Cast', 'Mul', 'DequantizeLinear']) expect(q.kernels).not.toContain(k);
  });
});

it('takes a FusedConv apart, so that it runs in int8', async () => {
  const m = net(
    [
      conv('x', 'w', 'h'),
      node('FusedConv', ['h', 'v', 'b'], ['y'], [attr.ints('pads', [1, 1, 1, 1]), attr.string('activation', 'Relu')], {
        domain: 'com.microsoft',
      }),
    ],
    [randomTensor('w', [4, 3, 3, 3]), randomTensor('v', [4, 4, 3, 3], 2), randomTensor('b', [4])],
  );
  const q = await quantized({ ...m, opsets: [...m.opsets, { domain: 'com.microsoft', version: 1 }] });
  expect(q.kernels.filter((k) => k === 'QLinearConv')).toHaveLength(2);
  expect(q.db).toBeGreaterThan(25);
});

it('dynamic promises no speed (S22)', () => {
  const said = quantize.explain({ mode: 'dynamic' }).en;
  expect(said).toContain('often not faster');
  expect(quantize.promises).not.toContain('fewer-macs');
});
