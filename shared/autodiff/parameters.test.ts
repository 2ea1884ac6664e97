/** What counts as a parameter to learn. */
import { expect, it } from 'vitest';
import { numbersTensor } from '../ir/values.ts';
import { model, node, randomTensor, value } from '../testing/build.ts';
import { lenet5 } from '../zoo/lenet.ts';
import { parametersOf } from './parameters.ts';

it('a bias that begins as zeros is learnt', () => {
  const found = parametersOf(lenet5());
  expect(found.map((p) => [p.role, p.dims.join('x')])).toContainEqual(['bias', '500']);
  expect(found.every((p) => p.role === 'weight' || p.mask === undefined)).toBe(true);
  expect(found.reduce((n, p) => n + p.values.length, 0)).toBe(431_080);
});

it('a mask beside its weight is not', () => {
  const mask = numbersTensor('m', 'float', [2, 2], [0, 1, 1, 0]);
  const masked = model({
    nodes: [node('Mul', ['w', 'm'], ['v']), node('MatMul', ['x', 'v'], ['y'])],
    initializers: [randomTensor('w', [2, 2]), mask],
    inputs: [value('x', [1, 2])],
    outputs: [value('y', [1, 2])],
  });
  expect(parametersOf(masked).map((p) => p.name)).toEqual(['w']);
});
