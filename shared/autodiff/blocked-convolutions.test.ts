/** Blocked convolutions give what plain ones give, over kernels, strides, dilations, paddings, groups; what gains nothing stays. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { rng } from '../base/random.ts';
import { attr } from '../ir/attribute.ts';
import type { Model } from '../ir/model.ts';
import { writeModel } from '../onnx/write.ts';
import type { RunTensor, Runtime } from '../ports/runtime.ts';
import { model, node, randomTensor, value } from '../testing/build.ts';
import { convBlock } from '../training/conv-block.ts';
import { blockedConvolutions, blockedDomain, blockOf } from './blocked-convolutions.ts';

const runtime = nodeRuntime(1);
const block = await convBlock(runtime);

interface Layer {
  readonly channels: number;
  readonly outputs: number;
  readonly group: number;
  readonly kernel: readonly [number, number];
  readonly stride: number;
  readonly dilation: number;
  readonly pads: readonly [number, number, number, number];
  readonly bias: boolean;
}

const size = 9;

/** Two convolutions of the same fed data, by fed weights, and their sum. */
function twice(l: Layer): { readonly m: Model; readonly feeds: Readonly<Record<string, RunTensor>> } {
  const attributes = [
    attr.ints('kernel_shape', l.kernel),
    attr.ints('strides', [l.stride, l.stride]),
    attr.ints('dilations', [l.dilation, l.dilation]),
    attr.ints('pads', l.pads),
    attr.int('group', l.group),
  ];
  const dims = {
    x: [2, l.channels, size, size],
    v: [l.outputs, l.channels / l.group, ...l.kernel],
    w: [l.outputs, l.channels / l.group, ...l.kernel],
    ...(l.bias ? { b: [l.outputs] } : {}),
  };
  const random = rng(5).fork(JSON.stringify(l));
  const feeds = Object.fromEntries(
    Object.entries(dims).map(([name, d]): [string, RunTensor] => [
      name,
      {
        type: 'float',
        dims: d,
        data: Float32Array.from({ length: d.reduce((a, b) => a * b, 1) }, () => random.normal()),
      },
    ]),
  );
  const more = l.bias ? ['b'] : [];
  const m = model({
    nodes: [
      node('Conv', ['x', 'v', ...more], ['one'], attributes),
      node('Conv', ['x', 'w', ...more], ['two'], attributes),
      node('Sub', ['one', 'two'], ['y']),
    ],
    inputs: Object.entries(dims).map(([name, d]) => value(name, d)),
    outputs: [value('y', null), value('two', null)],
  });
  return { m, feeds };
}

async function run(m: Model, feeds: Readonly<Record<string, RunTensor>>): Promise<Readonly<Record<string, RunTensor>>> {
  const session = await runtime.open({ bytes: writeModel(m) });
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

/** Largest difference; NaN where a number is missing. */
function furthest(a: RunTensor | undefined, b: RunTensor | undefined): number {
  const [p, q] = [Array.from(a?.data ?? [], Number), Array.from(b?.data ?? [], Number)];
  return p.length === 0 ? Number.NaN : Math.max(...p.map((v, i) => Math.abs(v - (q[i] ?? Number.NaN))));
}

const ops = (m: Model, domain: string): readonly string[] =>
  m.graph.nodes.flatMap((n) => (n.domain === domain ? [n.op] : []));

describe.skipIf(block === null)(`in blocks of ${block}`, () => {
  const b = block ?? 8;
  it('give the same numbers', async () => {
    let whole = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          blocks: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
          depthwise: fc.boolean(),
          kernel: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
          stride: fc.integer({ min: 1, max: 2 }),
          dilation: fc.integer({ min: 1, max: 2 }),
          pads: fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2), fc.nat(2)),
          bias: fc.boolean(),
        }),
        async ({ blocks, depthwise, ...rest }) => {
          const channels = b * blocks[0];
          const outputs = depthwise ? channels : b * blocks[1];
          const { m, feeds } = twice({ ...rest, channels, outputs, group: depthwise ? channels : 1 });
          const fast = blockedConvolutions(m, b);
          const taps = rest.kernel[0] * rest.kernel[1];
          // The data is reordered once for both.
          const expected = ['ReorderInput', 'Conv', 'ReorderOutput', 'Conv', 'ReorderOutput'];
          expect(ops(fast, blockedDomain)).toEqual(taps > 1 ? expected : []);
          if (taps > 1) whole++;
          const [plain, ours] = [await run(m, feeds), await run(fast, feeds)];
          for (const name of ['y', 'two']) {
            expect(ours[name]?.dims).toEqual(plain[name]?.dims);
            expect(furthest(ours[name], plain[name])).toBeLessThan(1e-4);
          }
        },
      ),
      { numRuns: 30, seed: 2 },
    );
    expect(whole).toBeGreaterThan(15);
  });
});

it('leave what the runtime does by itself, and channels that make no whole block', () => {
  const layer: Layer = {
    channels: 16,
    outputs: 16,
    group: 1,
    kernel: [3, 3],
    stride: 1,
    dilation: 1,
    pads: [1, 1, 1, 1],
    bias: false,
  };
  const { m } = twice(layer);
  const stored = {
    ...m,
    graph: { ...m.graph, initializers: [randomTensor('v', [16, 16, 3, 3]), randomTensor('w', [16, 16, 3, 3])] },
  };
  expect(blockedConvolutions(stored, 8)).toBe(stored);
  expect(ops(blockedConvolutions(m, 8), blockedDomain)).toHaveLength(5);
  for (const odd of [{ channels: 12 }, { outputs: 20 }, { group: 2 }]) {
    const { m: other } = twice({ ...layer, ...odd });
    expect(blockedConvolutions(other, 8)).toBe(other);
  }
});

describe('the size of a block', () => {
  const laid = (size: number): readonly number[] =>
    Array.from({ length: 32 / size }, (_, k) => k).flatMap((k) =>
      [0, 1].flatMap((at) => Array.from({ length: size }, (_, c) => (k * size + c) * 2 + at)),
    );
  it('is read off the layout', () => {
    expect([4, 8, 16, 32].map((size) => blockOf(laid(size)))).toEqual([4, 8, 16, 32]);
    expect(blockOf(Array.from({ length: 64 }, (_, i) => i))).toBeNull();
    expect(blockOf(laid(8).toReversed())).toBeNull();
    expect(blockOf([])).toBeNull();
  });

  it('is asked once, and unknown where the runtime refuses', async () => {
    let asked = 0;
    const refusing: Runtime = {
      name: 'refuses',
      open: () => {
        asked++;
        return Promise.reject(new Error('no such domain'));
      },
    };
    expect([await convBlock(refusing), await convBlock(refusing)]).toEqual([null, null]);
    expect(asked).toBe(1);
  });
});
