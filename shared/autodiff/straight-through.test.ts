/** The straight-through rules and the bounds of Clip, against the numbers that their definitions give. */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { inferFacts } from '../analysis/infer-facts.ts';
import { attr } from '../ir/attribute.ts';
import type { Model, Node } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';
import { numbersTensor } from '../ir/values.ts';
import { writeModel } from '../onnx/write.ts';
import { model, node, value } from '../testing/build.ts';
import { backward, Emitter } from './backward.ts';

const runtime = nodeRuntime(1);

/** Gradient of sum(y * [1, 2, 3 ...]) at `name`, x fed. */
async function gradientOf(
  nodes: readonly Node[],
  initializers: readonly Tensor[],
  x: readonly number[],
  name = 'x',
): Promise<readonly number[]> {
  const built = model({
    nodes,
    initializers,
    inputs: [value('x', [x.length])],
    outputs: [value('y', [x.length])],
    opset: 21,
    irVersion: 10,
  });
  const emitter = new Emitter(['x', 'y']);
  const found = backward(built, inferFacts(built), new Map([['y', 'dy']]), new Set([name]), emitter);
  const graph: Model = {
    ...built,
    graph: {
      ...built.graph,
      nodes: [...built.graph.nodes, ...emitter.nodes, node('Identity', [found.get(name) ?? ''], ['grad'])],
      initializers: [...built.graph.initializers, ...emitter.constants],
      inputs: [...built.graph.inputs, value('dy', [x.length])],
      outputs: [value('grad', null)],
    },
  };
  const session = await runtime.open({ bytes: writeModel(graph) });
  const fed = (data: readonly number[]) =>
    ({ type: 'float', dims: [data.length], data: Float32Array.from(data) }) as const;
  const out = await session.run({ x: fed(x), dy: fed(x.map((_, i) => i + 1)) });
  await session.release();
  return Array.from(out.grad?.data as Float32Array);
}

const float = (name: string, values: readonly number[], dims: readonly number[] = []) =>
  numbersTensor(name, 'float', dims, values);

describe('a step passes the gradient', () => {
  it.each(['Round', 'Floor', 'Ceil'])('%s everywhere', async (op) => {
    expect(await gradientOf([node(op, ['x'], ['y'])], [], [-7.3, 0.2, 9.9])).toEqual([1, 2, 3]);
  });
  it('Sign inside -1..1 (Courbariaux et al. 2016, eq. 4)', async () => {
    expect(await gradientOf([node('Sign', ['x'], ['y'])], [], [-1.5, -0.9, 0.9, 1.5])).toEqual([0, 2, 3, 0]);
  });
  it('quantization inside the range of its type, in units of the real value', async () => {
    const nodes = [node('QuantizeLinear', ['x', 's', 'z'], ['q']), node('DequantizeLinear', ['q', 's', 'z'], ['y'])];
    const integers = [float('s', [0.1]), numbersTensor('z', 'int8', [], [10])];
    // -128 - 10 levels of 0.1 below, 127 - 10 above
    expect(await gradientOf(nodes, integers, [-14, -13.7, 0.03, 11.6, 12])).toEqual([0, 2, 3, 4, 0]);
  });
  it('a range of the data itself clips nothing', async () => {
    const nodes = [
      node('DynamicQuantizeLinear', ['x'], ['q', 's', 'z']),
      node('DequantizeLinear', ['q', 's', 'z'], ['y']),
    ];
    expect(await gradientOf(nodes, [], [-3, 0, 5])).toEqual([1, 2, 3]);
  });
  it('quantization written out: divide, round, clip, cast there and back, multiply', async () => {
    const nodes = [
      node('Div', ['x', 's'], ['a']),
      node('Round', ['a'], ['b']),
      node('Clip', ['b', 'low', 'high'], ['c']),
      node('Cast', ['c'], ['d'], [attr.int('to', 3)]),
      node('Cast', ['d'], ['e'], [attr.int('to', 1)]),
      node('Mul', ['e', 's'], ['y']),
    ];
    const constants = [float('s', [0.5]), float('low', [-8]), float('high', [7])];
    expect(await gradientOf(nodes, constants, [-9, -1.2, 3.1, 9])).toEqual([0, 2, 3, 0]);
  });
});

it('a Clip gives its bounds what it cut off', async () => {
  const nodes = [node('Clip', ['x', 'low', 'high'], ['y'])];
  const constants = [float('low', [-1]), float('high', [1])];
  const x = [-2, -3, 0, 4];
  expect(await gradientOf(nodes, constants, x)).toEqual([0, 0, 3, 0]);
  expect(await gradientOf(nodes, constants, x, 'low')).toEqual([3]);
  expect(await gradientOf(nodes, constants, x, 'high')).toEqual([4]);
});
