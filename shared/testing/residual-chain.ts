/** Owns residualChain: a net as deep as asked, for tests and benches of size. */
import type { Model, Node } from '../ir/model.ts';
import { model, node, randomTensor, value } from './build.ts';

/** Conv, Relu, Conv, Add, Relu over and over: at most `count` nodes. x: [1, 16, 28, 28]. */
export function residualChain(count: number): Model {
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
  const shape = [1, 16, 28, 28];
  return model({
    nodes,
    inputs: [value('x', shape)],
    outputs: [value(last, shape)],
    initializers: [randomTensor('w', [16, 16, 1, 1])],
  });
}
