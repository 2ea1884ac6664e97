/**
 * Owns the measure behind `shared/ops/conv-form-choice.ts`: every form of a convolution's weight gradient over shapes of real nets,
 * two threads, the least time of some runs: on a busy machine the figures say nothing. Prints each beside the form
 * that the rule chooses; with a file name as argument it writes the measures there too.
 */

import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { Emitter } from '#shared/autodiff/backward.ts';
import { rng } from '#shared/base/random.ts';
import { attr } from '#shared/ir/attribute.ts';
import type { Model } from '#shared/ir/model.ts';
import { writeModel } from '#shared/onnx/write.ts';
import { chooseWeightForm, formFits, type WeightForm, type WeightShape } from '#shared/ops/conv-form-choice.ts';
import { slidingOf, weightForms } from '#shared/ops/conv-weight-forms.ts';
import type { RunTensor } from '#shared/ports/runtime.ts';
import { emitting } from '#shared/testing/emitting.ts';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';

/** n, channels, outputs, picture, kernel, stride, group. */
type Shape = readonly [n: number, c: number, o: number, size: number, kernel: number, stride: number, group: number];

/** LeNet-5; ResNet-20 at CIFAR shape; MobileNet v2's blocks; the digits' small nets; wide layers of ImageNet's. */
const shapes: readonly Shape[] = [
  [64, 1, 20, 28, 5, 1, 1],
  [64, 20, 50, 12, 5, 1, 1],
  [32, 3, 16, 32, 3, 1, 1],
  [32, 16, 16, 32, 3, 1, 1],
  [128, 16, 16, 32, 3, 1, 1],
  [32, 16, 32, 32, 3, 2, 1],
  [32, 32, 32, 16, 3, 1, 1],
  [128, 32, 32, 16, 3, 1, 1],
  [32, 32, 64, 16, 3, 2, 1],
  [32, 64, 64, 8, 3, 1, 1],
  [128, 64, 64, 8, 3, 1, 1],
  [32, 16, 96, 32, 1, 1, 1],
  [128, 16, 96, 32, 1, 1, 1],
  [32, 144, 24, 16, 1, 1, 1],
  [32, 384, 64, 4, 1, 1, 1],
  [32, 96, 96, 32, 3, 2, 96],
  [32, 144, 144, 16, 3, 1, 144],
  [128, 144, 144, 16, 3, 1, 144],
  [32, 144, 144, 16, 3, 2, 144],
  [32, 192, 192, 8, 3, 1, 192],
  [32, 384, 384, 4, 3, 1, 384],
  [64, 24, 24, 14, 3, 1, 24],
  [8, 32, 32, 112, 3, 1, 32],
  [8, 96, 96, 56, 5, 2, 96],
  [64, 24, 24, 14, 3, 1, 1],
  [64, 48, 48, 7, 3, 1, 1],
  [16, 64, 64, 28, 3, 1, 1],
  [16, 128, 128, 14, 3, 1, 1],
  [8, 256, 256, 7, 3, 1, 1],
  [8, 256, 512, 7, 1, 1, 1],
  [64, 6, 16, 14, 5, 1, 1],
  [8, 64, 192, 27, 5, 1, 1],
  [32, 16, 16, 28, 7, 1, 1],
  [32, 32, 32, 14, 7, 1, 1],
  [16, 3, 64, 64, 7, 2, 1],
  [16, 3, 64, 32, 7, 1, 1],
  [8, 3, 32, 64, 9, 1, 1],
  [8, 3, 64, 112, 11, 4, 1],
  [32, 16, 32, 28, 5, 1, 1],
  [32, 8, 8, 28, 3, 1, 1],
  [64, 8, 16, 28, 3, 1, 1],
  [32, 32, 64, 28, 3, 1, 1],
];

/** What the rule is asked about it. */
function asked([n, channels, outputs, size, kernel, stride, group]: Shape): WeightShape {
  const pad = kernel === 5 ? 0 : (kernel - 1) / 2;
  const small = Math.floor((size + 2 * pad - kernel) / stride) + 1;
  const splits = group === 1 && kernel > 1 && stride === 1;
  return { n, channels, outputs, group, positions: small * small, taps: kernel * kernel, strided: stride > 1, splits };
}

function built(form: WeightForm, [n, c, o, size, kernel, stride, group]: Shape): { model: Model; small: number } {
  const pad = kernel === 5 ? 0 : (kernel - 1) / 2;
  const small = Math.floor((size + 2 * pad - kernel) / stride) + 1;
  const e = new Emitter(['x', 'w', 'y', 'dy']);
  const attributes = [
    attr.ints('kernel_shape', [kernel, kernel]),
    attr.ints('strides', [stride, stride]),
    attr.ints('pads', [pad, pad, pad, pad]),
    attr.int('group', group),
  ];
  const conv = { id: 'c', name: 'c', op: 'Conv', domain: '', inputs: ['x', 'w'], outputs: ['y'], attributes };
  const context = emitting(e, conv);
  const s = slidingOf(context, [kernel, kernel], [size, size], [small, small]);
  const out = weightForms[form](
    context,
    { name: 'x', dims: [n, c, size, size] },
    { name: 'dy', dims: [n, o, small, small] },
    s,
    group,
  );
  const info = (name: string, shape: readonly number[] | null) =>
    ({ name, type: { kind: 'tensor', elem: 'float', shape } }) as const;
  return {
    small,
    model: {
      irVersion: 8,
      opsets: [{ domain: '', version: 17 }],
      producerName: 'bench',
      producerVersion: '',
      functions: [],
      metadata: [],
      graph: {
        name: 'g',
        nodes: e.nodes,
        initializers: e.constants,
        sparseInitializers: [],
        inputs: [info('x', [n, c, size, size]), info('dy', [n, o, small, small])],
        outputs: [info(out, null)],
        valueInfos: [],
      },
    },
  };
}

const runtime = nodeRuntime(2);
const random = rng(1);
const fed = (...dims: number[]): RunTensor => ({
  type: 'float',
  dims,
  data: Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random.next() - 0.5),
});

/** Least milliseconds of one run. */
async function leastMs(form: WeightForm, shape: Shape): Promise<number> {
  const { model, small } = built(form, shape);
  const [n, c, o, size] = shape;
  const session = await runtime.open({ bytes: writeModel(model) });
  const feeds = { x: fed(n, c, size, size), dy: fed(n, o, small, small) };
  let least = Number.POSITIVE_INFINITY;
  for (let k = 0, spent = 0; k < 5 || (spent < 250 && k < 60); k++) {
    const before = performance.now();
    await session.run(feeds);
    const ms = performance.now() - before;
    spent += ms;
    if (k > 0) least = Math.min(least, ms);
  }
  await session.release();
  return least;
}

const forms = Object.keys(weightForms) as WeightForm[];
const lines: string[] = [];
let lost = 0;
const only = process.argv.find((a) => a.startsWith('only='))?.slice(5);
for (const shape of shapes) {
  if (only === 'depthwise' && shape[6] === 1) continue;
  const [n, channels, outputs, size, kernel, stride, group] = shape;
  const ms: Partial<Record<WeightForm, number>> = {};
  const at = asked(shape);
  for (const form of forms) if (formFits(form, at)) ms[form] = Number((await leastMs(form, shape)).toPrecision(3));
  const chosen = chooseWeightForm(at);
  const ratio = (ms[chosen] ?? Number.NaN) / Math.min(...Object.values(ms));
  lost += Math.log(ratio);
  const told = forms
    .map((f) => `${f} ${ms[f]?.toFixed(2).padStart(7) ?? '      -'}${f === chosen ? '*' : ' '}`)
    .join('  ');
  console.log(
    `N${n} ${channels}->${outputs} ${size}x${size} k${kernel} s${stride} g${group}`.padEnd(36),
    told,
    ratio.toFixed(2),
  );
  lines.push(`  { shape: ${JSON.stringify(at)}, ms: ${JSON.stringify(ms)} },`);
}
console.log(
  `\n* chosen by the rule: ${Math.exp(lost / shapes.length).toFixed(3)} times the fastest form, in the geometric mean`,
);
const [out] = process.argv.slice(2).filter((a) => a.endsWith('.txt'));
if (out !== undefined) writeFileSync(out, `${runtime.name}, ${cpus()[0]?.model}\n${lines.join('\n')}\n`);
