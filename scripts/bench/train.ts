/**
 * Owns the benchmark of training: samples per second of a full step (forward, backward, update) beside the forward pass alone,
 * batch 64, on one and two threads. Random pictures; reading and augmenting data is not timed.
 */
import { loadavg } from 'node:os';
import { trainingGraph } from '#shared/autodiff/training-graph.ts';
import { rng } from '#shared/base/random.ts';
import { writeModel } from '#shared/onnx/write.ts';
import type { Feeds, RunTensor, Session } from '#shared/ports/runtime.ts';
import { modelInput } from '#shared/training/model-input.ts';
import { lenet5, lenet300 } from '#shared/zoo/lenet.ts';
import { resnet8 } from '#shared/zoo/resnet.ts';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';

const batch = 64;
const settings = {
  batch,
  loss: 'cross-entropy',
  batchStatistics: true,
  optimizer: 'sgd',
  momentum: 0.9,
  weightDecay: 1e-4,
} as const;
const nets = { 'LeNet-5': lenet5(), 'LeNet-300-100': lenet300(), 'ResNet-8': resnet8() };

const float = (dims: readonly number[], make: (i: number) => number): RunTensor => ({
  type: 'float',
  dims,
  data: Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => make(i)),
});

/** Median samples per second of repeated runs over about two seconds, after three to warm up. */
async function speed(session: Session, feeds: Feeds): Promise<number> {
  const times: number[] = [];
  for (let i = 0, spent = 0; i < 13 || (spent < 2000 && i < 500); i++) {
    const start = performance.now();
    await session.run(feeds);
    const took = performance.now() - start;
    if (i < 3) continue;
    times.push(took);
    spent += took;
  }
  times.sort((a, b) => a - b);
  return (batch * 1000) / (times[Math.floor(times.length / 2)] ?? Number.NaN);
}

console.log(
  `load average ${loadavg()[0]?.toFixed(1)} (two cores at 2.0 are full: figures below that load are worth more)`,
);
for (const [name, net] of Object.entries(nets)) {
  const input = modelInput(net);
  const graph = trainingGraph(net, input.name, settings);
  const random = rng(1);
  const { names, classes } = graph;
  const shape = input.shape.slice(1).map((d) => (typeof d === 'number' ? d : 1));
  const values: Feeds = Object.fromEntries(
    graph.carried.map((c) => [c.input, { type: 'float', dims: c.dims, data: c.initial }] as const),
  );
  const learnt = Object.fromEntries(Object.entries(values).filter(([k]) => graph.learnt.includes(k)));
  const data = float([batch, ...shape], () => random.next());
  const step: Feeds = {
    ...values,
    [names.data]: data,
    [names.target]: float([batch, classes], (i) => (i % classes === Math.floor(i / classes) % classes ? 1 : 0)),
    [names.rate]: float([], () => 0.001),
    [names.step]: float([], () => 0.001),
  };
  for (const threads of [1, 2]) {
    const runtime = nodeRuntime(threads);
    const sessions = [
      await runtime.open({ bytes: writeModel(graph.step) }),
      await runtime.open({ bytes: writeModel(graph.forward) }),
    ] as const;
    const full = await speed(sessions[0], step);
    const forward = await speed(sessions[1], { ...learnt, [names.data]: data });
    for (const s of sessions) await s.release();
    console.log(
      `${name.padEnd(14)} ${threads} thread${threads > 1 ? 's' : ' '}  step ${full.toFixed(0).padStart(6)} samples/s` +
        `  forward ${forward.toFixed(0).padStart(6)}  a step costs ${(forward / full).toFixed(1)} forward passes`,
    );
  }
}
console.log(`load average ${loadavg()[0]?.toFixed(1)} at the end`);
