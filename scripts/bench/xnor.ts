/** Measures the XNOR convolution in WebAssembly beside its float twin and the runtime's float convolution, one thread each. */
import { performance } from 'node:perf_hooks';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { rng } from '../../shared/base/random.ts';
import { writeModel } from '../../shared/onnx/write.ts';
import { model, node, randomTensor, value } from '../../shared/testing/build.ts';
import { xnorModule } from '../../shared/xnor/kernels.ts';
import { type ConvShape, prepareConv, type XnorExports } from '../../shared/xnor/xnor-conv.ts';

const shapes: readonly ConvShape[] = [
  { height: 14, width: 14, channels: 128, filters: 128, k: 3 },
  { height: 14, width: 14, channels: 256, filters: 256, k: 3 },
  { height: 28, width: 28, channels: 256, filters: 128, k: 1 },
  { height: 12, width: 12, channels: 20, filters: 50, k: 5 },
];

/** Median milliseconds of a call. */
function median(run: () => void, rounds: number): number {
  for (let k = 0; k < 3; k++) run();
  const times = Array.from({ length: rounds }, () => {
    const from = performance.now();
    run();
    return performance.now() - from;
  });
  return times.sort((a, b) => a - b)[rounds >> 1] ?? Number.NaN;
}

async function ofRuntime(s: ConvShape): Promise<number> {
  const conv = model({
    nodes: [node('Conv', ['x', 'w'], ['y'])],
    initializers: [randomTensor('w', [s.filters, s.channels, s.k, s.k])],
    inputs: [value('x', [1, s.channels, s.height, s.width])],
    outputs: [value('y', null)],
  });
  const session = await nodeRuntime(1).open({ bytes: writeModel(conv) }, { threads: 1 });
  const data = new Float32Array(s.channels * s.height * s.width).fill(0.5);
  const times: number[] = [];
  for (let k = 0; k < 40; k++) {
    const from = performance.now();
    await session.run({ x: { type: 'float', dims: [1, s.channels, s.height, s.width], data } });
    times.push(performance.now() - from);
  }
  await session.release();
  return times.sort((a, b) => a - b)[20] ?? Number.NaN;
}

process.stdout.write('valid convolution, stride 1; median ms; times: float twin / XNOR\n');
process.stdout.write('shape                        XNOR   float twin   times   onnxruntime float\n');
for (const s of shapes) {
  const wasm = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(xnorModule())))
    .exports as unknown as XnorExports;
  const random = rng(1);
  const filled = (n: number): Float32Array => Float32Array.from({ length: n }, () => random.normal());
  const data = filled(s.height * s.width * s.channels);
  const weights = filled(s.filters * s.k * s.k * s.channels);
  const measured = (['xnor', 'float'] as const).map((kind) =>
    median(prepareConv(wasm, kind, s, data, weights).run, 40),
  );
  const [xnor = Number.NaN, float = Number.NaN] = measured;
  const name = `${s.channels} -> ${s.filters}, ${s.k}x${s.k}, ${s.height}x${s.width}`;
  const runtime = await ofRuntime(s);
  process.stdout.write(
    `${name.padEnd(26)} ${xnor.toFixed(3).padStart(6)} ${float.toFixed(3).padStart(12)} ${(float / xnor).toFixed(1).padStart(7)} ${runtime.toFixed(3).padStart(19)}\n`,
  );
}
