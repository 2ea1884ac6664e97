/** Every form of a convolution's weight gradient gives the same numbers, over kernels, strides, dilations and paddings. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { Emitter } from '../autodiff/backward.ts';
import { rng } from '../base/random.ts';
import { attr } from '../ir/attribute.ts';
import { writeModel } from '../onnx/write.ts';
import { model, node, value } from '../testing/build.ts';
import { emitting } from '../testing/emitting.ts';
import { formFits, type WeightForm } from './conv-form-choice.ts';
import { slidingOf, splitsApart, weightForms } from './conv-weight-forms.ts';

const runtime = nodeRuntime(1);
const axis = fc.record({
  kernel: fc.integer({ min: 1, max: 3 }),
  stride: fc.integer({ min: 1, max: 2 }),
  dilation: fc.integer({ min: 1, max: 2 }),
  before: fc.integer({ min: 0, max: 2 }),
  after: fc.integer({ min: 0, max: 2 }),
  size: fc.integer({ min: 5, max: 7 }),
});

/** Rows and columns that can be taken apart. */
const plainAxis = fc.record({
  kernel: fc.integer({ min: 2, max: 3 }),
  stride: fc.constant(1),
  dilation: fc.integer({ min: 1, max: 2 }),
  before: fc.integer({ min: 0, max: 1 }),
  after: fc.integer({ min: 0, max: 1 }),
  size: fc.integer({ min: 5, max: 7 }),
});

it.each([
  ['over axes of any kind', fc.array(axis, { minLength: 1, maxLength: 2 }), 60],
  ['over pictures at stride 1', fc.array(plainAxis, { minLength: 2, maxLength: 2 }), 20],
] as const)('agree %s', async (_, axes, numRuns) => {
  let split = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        axes,
        n: fc.integer({ min: 1, max: 3 }),
        c: fc.integer({ min: 1, max: 3 }),
        times: fc.integer({ min: 1, max: 4 }),
        depthwise: fc.boolean(),
      }),
      async ({ axes, n, c, times, depthwise }) => {
        const group = depthwise ? c : 1;
        const o = depthwise ? c * times : times;
        const kernel = axes.map((a) => a.kernel);
        const large = axes.map((a) => a.size);
        const small = axes.map(
          (a) => Math.floor((a.size + a.before + a.after - a.dilation * (a.kernel - 1) - 1) / a.stride) + 1,
        );
        const conv = node(
          'Conv',
          ['x', 'w'],
          ['y'],
          [
            attr.ints('kernel_shape', kernel),
            attr.ints(
              'strides',
              axes.map((a) => a.stride),
            ),
            attr.ints(
              'dilations',
              axes.map((a) => a.dilation),
            ),
            attr.ints('pads', [...axes.map((a) => a.before), ...axes.map((a) => a.after)]),
          ],
        );
        const e = new Emitter(['x', 'w', 'y', 'dy']);
        const context = emitting(e, conv);
        const s = slidingOf(context, kernel, large, small);
        const x = { name: 'x', dims: [n, c, ...large] };
        const dy = { name: 'dy', dims: [n, o, ...small] };
        const forms = Object.entries(weightForms)
          .filter(([name]) => formFits(name as WeightForm, { channels: c, group, splits: splitsApart(s, group) }))
          .map(([name, form]) => [name, form(context, x, dy, s, group)] as const);
        if (forms.some(([name]) => name === 'split')) split++;
        const built = model({
          nodes: e.nodes,
          initializers: e.constants,
          inputs: [value('x', x.dims), value('dy', dy.dims)],
          outputs: forms.map(([, name]) => value(name, null)),
        });
        const random = rng(3).fork(JSON.stringify(axes));
        const fed = (dims: readonly number[]) =>
          ({
            type: 'float',
            dims,
            data: Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random.normal()),
          }) as const;
        const session = await runtime.open({ bytes: writeModel(built) });
        const out = await session.run({ x: fed(x.dims), dy: fed(dy.dims) });
        await session.release();
        const [first, ...others] = forms.map(([name, to]) => [name, out[to]] as const);
        for (const [name, got] of others) {
          expect(got?.dims, name).toEqual([o, c / group, ...kernel]);
          const ours = Array.from(got?.data as Float32Array);
          Array.from(first?.[1]?.data as Float32Array).forEach((v, i) => {
            expect(ours[i], name).toBeCloseTo(v, 3);
          });
        }
      },
    ),
    { numRuns, seed: 1 },
  );
  expect(split).toBeGreaterThan(0);
});
