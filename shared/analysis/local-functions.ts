/** Owns calls of local functions: which function a node calls, and its body as seen from that call. */
import type { Attribute, Graph, LocalFunction, Model, Node } from '../ir/model.ts';

const indexes = new WeakMap<readonly LocalFunction[], ReadonlyMap<string, LocalFunction>>();

const key = (domain: string, name: string, overload: string | undefined): string =>
  `${domain === 'ai.onnx' ? '' : domain}::${name}::${overload ?? ''}`;

/** The local function that a node calls; undefined where it is an operator. */
export function functionOf(model: Model, node: Node): LocalFunction | undefined {
  if (model.functions.length === 0) return undefined;
  let index = indexes.get(model.functions);
  if (index === undefined) {
    index = new Map(model.functions.map((f) => [key(f.domain, f.name, f.overload), f]));
    indexes.set(model.functions, index);
  }
  return index.get(key(node.domain, node.op, node.overload));
}

const bodies = new WeakMap<Node, { readonly of: LocalFunction; readonly body: Graph }>();

/** The function's nodes as a graph, attributes that refer to the caller's filled in. Values keep the function's names. */
export function bodyOf(call: Node, of: LocalFunction): Graph {
  const known = bodies.get(call);
  if (known?.of === of) return known.body;
  const given = new Map<string, Attribute>();
  for (const a of of.attributeDefaults) given.set(a.name, a);
  for (const a of call.attributes) given.set(a.name, a);
  const body: Graph = {
    name: of.name,
    nodes: of.nodes.map((n) => filledIn(n, given)),
    initializers: [],
    sparseInitializers: [],
    inputs: of.inputs.map((name) => ({ name, type: { kind: 'unknown' } })),
    outputs: of.outputs.map((name) => ({ name, type: { kind: 'unknown' } })),
    valueInfos: of.valueInfos,
  };
  bodies.set(call, { of, body });
  return body;
}

function filledIn(node: Node, given: ReadonlyMap<string, Attribute>): Node {
  if (!node.attributes.some((a) => a.kind === 'reference' || a.kind === 'graph')) return node;
  const attributes = node.attributes.flatMap((a): Attribute[] => {
    if (a.kind === 'graph')
      return [{ ...a, value: { ...a.value, nodes: a.value.nodes.map((n) => filledIn(n, given)) } }];
    if (a.kind !== 'reference') return [a];
    const value = given.get(a.value);
    return value === undefined ? [] : [{ ...value, name: a.name }];
  });
  return { ...node, attributes };
}
