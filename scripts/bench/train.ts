/**
 * Owns the benchmark of training: milliseconds and samples per second of a full step (forward, backward, update) beside the
 * forward pass in training mode (same batch, weights as inputs, batch statistics, with the loss), in turn, on one and two
 * threads. Random pictures; reading and augmenting data is not timed.
 */
import { loadavg } from 'node:os';
import { blockedConvolutions } from '#shared/autodiff/blocked-convolutions.ts';
import { needed } from '#shared/autodiff/trained-part.ts';
import { trainingGraph } from '#shared/autodiff/training-graph.ts';
import { rng } from '#shared/base/random.ts';
import type { Model } from '#shared/ir/model.ts';
import { writeModel } from '#shared/onnx/write.ts';
import type { Feeds, RunTensor, Session } from '#shared/ports/runtime.ts';
import { convBlock } from '#shared/training/conv-block.ts';
import { modelInput } from '#shared/training/model-input.ts';
import { invertedResidual } from '#shared/zoo/blocks/separable.ts';
import { buildFromZoo } from '#shared/zoo/index.ts';
import { lenet5, lenet300 } from '#shared/zoo/lenet.ts';
import { NetWriter } from '#shared/zoo/write-net.ts';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';

/** MobileNet v2's blocks at CIFAR shape: a stem at full size, stages of 24, 32 and 64 channels, expansion 6, 0.1 M parameters. */
function mobilenetLike(): Model {
  const net = new NetWriter(1);
  const input = net.input(3, 32, 32);
  let x = net.convNorm(input, 'stem', 16, 3, { act: 'relu6' });
  for (const [stage, channels] of [24, 32, 64].entries())
    for (const k of [1, 2])
      x = invertedResidual(net, x, `stage${stage}.block${k}`, channels, {
        expansion: 6,
        stride: k === 1 ? 2 : 1,
        act: 'relu6',
      });
  const last = net.convNorm(x, 'last', 256, 1, { act: 'relu6' });
  return net.model(
    'mobilenet-v2-like',
    input,
    net.dense(net.flatten(net.globalPool(last, 'pool'), 'flat'), 'scores', 10),
  );
}

const cases: readonly (readonly [string, Model, readonly number[]])[] = [
  ['LeNet-5', lenet5(), [64]],
  ['LeNet-300-100', lenet300(), [64]],
  ['ResNet-20', buildFromZoo('resnet-20'), [32, 128]],
  ['MobileNetV2-like', mobilenetLike(), [32, 128]],
];

const float = (dims: readonly number[], make: (i: number) => number): RunTensor => ({
  type: 'float',
  dims,
  data: Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => make(i)),
});

const median = (some: readonly number[]): number => [...some].sort((a, b) => a - b)[some.length >> 1] ?? Number.NaN;

/** Median milliseconds of each, run in turn so that a busy machine slows both, over about three seconds. */
async function times(runs: readonly (readonly [Session, Feeds])[]): Promise<readonly number[]> {
  const took = runs.map((): number[] => []);
  for (let i = 0, spent = 0; i < 8 || (spent < 3000 && i < 300); i++)
    for (const [k, [session, feeds]] of runs.entries()) {
      const start = performance.now();
      await session.run(feeds);
      const ms = performance.now() - start;
      if (i < 2) continue;
      took[k]?.push(ms);
      spent += ms;
    }
  return took.map(median);
}

/** Of the step, what its loss needs: the forward pass as it is trained. */
function trainingForward(step: Model, loss: string): Model {
  const { graph } = step;
  const nodes = needed(graph, [loss]);
  const read = new Set(nodes.flatMap((n) => n.inputs));
  const outputs = graph.outputs.filter((o) => o.name === loss);
  return { ...step, graph: { ...graph, nodes, outputs, inputs: graph.inputs.filter((i) => read.has(i.name)) } };
}

console.log(
  `load average ${loadavg()[0]?.toFixed(1)} (two cores at 2.0 are full: figures below that load are worth more)`,
);
for (const [name, net, batches] of cases)
  for (const batch of batches) {
    const input = modelInput(net);
    const graph = trainingGraph(net, input.name, {
      batch,
      loss: 'cross-entropy',
      batchStatistics: true,
      optimizer: 'sgd',
      momentum: 0.9,
      weightDecay: 1e-4,
    });
    const random = rng(1);
    const { names, classes } = graph;
    const shape = input.shape.slice(1).map((d) => (typeof d === 'number' ? d : 1));
    const step: Feeds = {
      ...Object.fromEntries(
        graph.carried.map((c) => [c.input, { type: 'float', dims: c.dims, data: c.initial }] as const),
      ),
      [names.data]: float([batch, ...shape], () => random.next()),
      [names.target]: float([batch, classes], (i) => (i % classes === Math.floor(i / classes) % classes ? 1 : 0)),
      [names.rate]: float([], () => 0.001),
      [names.step]: float([], () => 0.001),
    };
    const forward = trainingForward(graph.step, names.loss);
    const fed = Object.fromEntries(forward.graph.inputs.flatMap((i) => (step[i.name] ? [[i.name, step[i.name]]] : [])));
    for (const threads of [1, 2]) {
      const runtime = nodeRuntime(threads);
      // Both as a training has them.
      const block = await convBlock(runtime);
      const open = (m: Model): Promise<Session> =>
        runtime.open({ bytes: writeModel(block === null ? m : blockedConvolutions(m, block)) });
      const sessions = [await open(graph.step), await open(forward)] as const;
      const [full = Number.NaN, pass = Number.NaN] = await times([
        [sessions[0], step],
        [sessions[1], fed as Feeds],
      ]);
      for (const s of sessions) await s.release();
      console.log(
        `${name.padEnd(17)} batch ${String(batch).padStart(3)}, ${threads} thread${threads > 1 ? 's' : ' '}  step ${full.toFixed(1).padStart(6)} ms` +
          ` ${((batch * 1000) / full).toFixed(0).padStart(6)} samples/s  forward ${pass.toFixed(1).padStart(6)} ms  ratio ${(full / pass).toFixed(2)}`,
      );
    }
  }
console.log(`load average ${loadavg()[0]?.toFixed(1)} at the end`);
