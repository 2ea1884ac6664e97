/** Owns a terse builder of small graphs for tests. */

import { rng } from '../base/random.ts';
import type { ElementType } from '../ir/element-type.ts';
import type { Attribute, Dim, Graph, Model, Node, ValueInfo } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';
import { numbersTensor } from '../ir/values.ts';

/** `node('Conv', ['x', 'w'], ['y'], [attr.ints('pads', [1, 1, 1, 1])])` */
export const node = (
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: readonly Attribute[] = [],
  more: { readonly domain?: string; readonly name?: string } = {},
): Node => ({
  id: more.name ?? outputs[0] ?? op,
  name: more.name ?? outputs[0] ?? '',
  op,
  domain: more.domain ?? '',
  inputs,
  outputs,
  attributes,
});

export const value = (name: string, shape: readonly Dim[] | null, elem: ElementType = 'float'): ValueInfo => ({
  name,
  type: { kind: 'tensor', elem, shape },
});

/** A float tensor of seeded normal numbers times `scale`. */
export function randomTensor(name: string, dims: readonly number[], seed = 1, scale = 0.5): Tensor {
  const random = rng(seed).fork(name);
  return numbersTensor(
    name,
    'float',
    dims,
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random.normal() * scale),
  );
}

export function model(parts: {
  readonly nodes: readonly Node[];
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly initializers?: readonly Tensor[];
  readonly opset?: number;
  readonly irVersion?: number;
}): Model {
  const graph: Graph = {
    name: 'test',
    nodes: parts.nodes,
    initializers: parts.initializers ?? [],
    sparseInitializers: [],
    inputs: parts.inputs,
    outputs: parts.outputs,
    valueInfos: [],
  };
  return {
    irVersion: parts.irVersion ?? 8,
    opsets: [{ domain: '', version: parts.opset ?? 17 }],
    producerName: 'bantam-test',
    producerVersion: '',
    graph,
    functions: [],
    metadata: [],
  };
}
