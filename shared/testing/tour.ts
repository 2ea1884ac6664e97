/** The code of the tour in shared/README.md; `tour.test.ts` runs it and holds the page to it, letter by letter. */
import { measureFigures } from '#shared/analysis/measure-figures.ts';
import { trainingGraph } from '#shared/autodiff/training-graph.ts';
import { readModel } from '#shared/onnx/read.ts';
import { writeModel } from '#shared/onnx/write.ts';
import type { RunTensor, Runtime } from '#shared/ports/runtime.ts';
import { previewRecipe } from '#shared/recipes/preview.ts';
import { lenet5 } from '#shared/zoo/lenet.ts';

export async function tour(runtime: Runtime) {
  // Build a net. It is plain data: immutable, weights lazy.
  const model = lenet5();
  const figures = measureFigures(model); // 431,080 parameters, 2,293,000 MACs

  // Prune it. The preview is synchronous and never touches a weight, and its bytes are the file's.
  const recipe = {
    bantam: 1 as const,
    steps: [{ technique: 'prune-channels', select: { all: true as const }, params: { ratio: 0.5 } }],
  };
  const preview = previewRecipe(model, recipe);
  const file = writeModel(preview.model); // here the weights are ranked and sliced
  const exact = file.length === preview.figures.fileBytes;

  // Differentiate it. Forward pass, loss, backward pass and optimizer come out as one ONNX graph.
  const graph = trainingGraph(readModel(file), 'input', {
    batch: 4,
    loss: 'cross-entropy',
    optimizer: 'sgd',
    momentum: 0.9,
    weightDecay: 0,
    batchStatistics: false,
  });

  // Run it: twenty steps on one batch. Weights go in, weights come out.
  const session = await runtime.open({ bytes: writeModel(graph.step) });
  const float = (dims: readonly number[], data: Float32Array): RunTensor => ({ type: 'float', dims, data });
  let weights = Object.fromEntries(graph.carried.map((c) => [c.input, float(c.dims, c.initial)]));
  const { names } = graph;
  const batch = {
    [names.data]: float(
      [4, 1, 28, 28],
      Float32Array.from({ length: 4 * 784 }, (_, i) => (i % 97) / 97),
    ),
    [names.target]: float(
      [4, 10],
      Float32Array.from({ length: 40 }, (_, i) => (i % 11 === 0 ? 1 : 0)),
    ),
    [names.rate]: float([], Float32Array.of(0.005)),
    [names.step]: float([], Float32Array.of(1)),
  };
  const losses: number[] = [];
  for (let k = 0; k < 20; k++) {
    const out = await session.run({ ...batch, ...weights });
    losses.push(Number(out[names.loss]?.data[0]));
    weights = Object.fromEntries(
      graph.carried.flatMap((c) => (out[c.output] === undefined ? [] : [[c.input, out[c.output] as RunTensor]])),
    );
  }
  await session.release();
  return { figures, pruned: preview.figures, exact, losses };
}
