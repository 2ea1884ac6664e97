/** Owns a stand-in for development without a host: `?fake=300` opens a synthetic residual chain. Not in a build. */
import type { Node } from '#shared/ir/model.ts';
import { skeletonOf } from '#shared/onnx/skeleton.ts';
import { model, node, randomTensor, value } from '#shared/testing/build.ts';
import { dispatch } from '../../state/store.ts';

export function openFake(count: number): void {
  const nodes: Node[] = [];
  let last = 'x';
  for (let i = 0; nodes.length + 5 <= count; i++) {
    nodes.push(
      node('Conv', [last, 'w'], [`a${i}`]),
      node('Relu', [`a${i}`], [`b${i}`]),
      node('Conv', [`b${i}`, 'w'], [`c${i}`]),
      node('Add', [`c${i}`, last], [`d${i}`]),
      node('Relu', [`d${i}`], [`e${i}`]),
    );
    last = `e${i}`;
  }
  const m = model({
    nodes,
    inputs: [value('x', [1, 16, 28, 28])],
    outputs: [value(last, [1, 16, 28, 28])],
    initializers: [randomTensor('w', [16, 16, 3, 3])],
  });
  dispatch({
    type: 'opened',
    open: {
      modelId: 'fake',
      name: `chain-${count}.onnx`,
      fileBytes: 0,
      model: m,
      skeleton: skeletonOf(m),
      serial: 1,
      askedAt: performance.now(),
    },
  });
}
