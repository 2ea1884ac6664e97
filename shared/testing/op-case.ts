/** Owns turning an operator's case into a model of one node with its feeds, for the runtime and for our own rules. */
import { rng } from '../base/random.ts';
import { type ElementType, elementCount, elementTypes } from '../ir/element-type.ts';
import type { Model, Node } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';
import { numbersTensor, toTyped } from '../ir/values.ts';
import type { Op, OpCase } from '../ops/declare.ts';
import type { Feeds, RunTensor } from '../ports/runtime.ts';

export interface BuiltCase {
  /** Fed inputs are graph inputs; outputs carry no declared shape. */
  readonly model: Model;
  /** The same with everything constant: what folding must reproduce. */
  readonly folded: Model;
  readonly feeds: Feeds;
  readonly node: Node;
}

/** Numbers for a fed input: normal for floats unless a range is given; integers and bools uniform over it. */
function drawn(
  name: string,
  shape: readonly number[],
  elem: ElementType,
  range: readonly [number, number] | undefined,
) {
  const random = rng(7).fork(name);
  const { family } = elementTypes[elem];
  const [low, high] = range ?? (family === 'float' ? [Number.NaN, 0] : [0, family === 'bool' ? 1 : 4]);
  const one = (): number => {
    if (Number.isNaN(low)) return random.normal();
    return family === 'float' ? low + (high - low) * random.next() : low + random.below(high - low + 1);
  };
  return numbersTensor(name, elem, shape, Array.from({ length: elementCount(shape) }, one));
}

/** Strings are fed as 'a0', 'a1' ...: their bytes have no numbers. */
const toRun = (t: Tensor): RunTensor => ({
  type: t.type,
  dims: t.dims,
  data: t.type === 'string' ? Array.from({ length: elementCount(t.dims) }, (_, i) => `a${i}`) : toTyped(t),
});

/** The version of the operator's domain that a case runs at. */
export const caseOpset = (op: Op, c: OpCase): number => {
  const [first] = op.since;
  return c.opset ?? Math.max(op.domain === '' ? 17 : 1, first ?? 1);
};

export function buildCase(op: Op, c: OpCase): BuiltCase {
  const initializers: Tensor[] = [];
  const fed: Tensor[] = [];
  const inputs = c.inputs.map((input, k) => {
    if (input === undefined) return '';
    const name = `x${k}`;
    if ('value' in input) initializers.push({ ...input.value, name });
    else fed.push(drawn(name, input.shape, input.elem ?? 'float', input.range));
    return name;
  });
  const outputs = Array.from({ length: c.outputs ?? 1 }, (_, k) => `y${k}`);
  const node: Node = {
    id: 'it',
    name: 'it',
    op: op.type,
    domain: op.domain,
    inputs,
    outputs,
    attributes: c.attributes ?? [],
  };
  const version = caseOpset(op, c);
  const base = op.domain === '' ? version : 17;
  const model: Model = {
    irVersion: base >= 21 ? 10 : 8,
    opsets: [{ domain: '', version: base }, ...(op.domain === '' ? [] : [{ domain: op.domain, version }])],
    producerName: 'bantam-test',
    producerVersion: '',
    graph: {
      name: 'case',
      nodes: [node],
      initializers,
      sparseInitializers: [],
      inputs: fed.map((t) => ({ name: t.name, type: { kind: 'tensor', elem: t.type, shape: t.dims } })),
      outputs: outputs.map((name) => ({ name, type: { kind: 'unknown' } })),
      valueInfos: [],
    },
    functions: [],
    metadata: [],
  };
  return {
    model,
    folded: { ...model, graph: { ...model.graph, inputs: [], initializers: [...initializers, ...fed] } },
    feeds: Object.fromEntries(fed.map((t) => [t.name, toRun(t)])),
    node,
  };
}
