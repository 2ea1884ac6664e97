/** Owns embedded: a model with its external data taken in, so that its bytes alone can be run. */
import type { Attribute, Graph, Model, Node } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';

const taken = (t: Tensor): Tensor => (t.storage.kind === 'external' ? { ...t, storage: { kind: 'raw' } } : t);

function inAttribute(a: Attribute): Attribute {
  if (a.kind === 'tensor') return a.value.storage.kind === 'external' ? { ...a, value: taken(a.value) } : a;
  if (a.kind === 'graph') {
    const value = inGraph(a.value);
    return value === a.value ? a : { ...a, value };
  }
  return a;
}

/** Holds a tensor that stands outside, or a graph that may. */
function mayReach(node: Node): boolean {
  for (let k = 0; k < node.attributes.length; k++) {
    const a = node.attributes[k];
    if (a?.kind === 'graph' || (a?.kind === 'tensor' && a.value.storage.kind === 'external')) return true;
  }
  return false;
}

function inNode(node: Node): Node {
  if (!mayReach(node)) return node;
  const attributes = node.attributes.map(inAttribute);
  return attributes.every((a, k) => a === node.attributes[k]) ? node : { ...node, attributes };
}

function inGraph(graph: Graph): Graph {
  const nodes = graph.nodes.map(inNode);
  const initializers = graph.initializers.map(taken);
  const same = nodes.every((n, k) => n === graph.nodes[k]) && initializers.every((t, k) => t === graph.initializers[k]);
  return same ? graph : { ...graph, nodes, initializers };
}

/** The same model where nothing stands outside. Values are still read lazily from where they stood. */
export function embedded(model: Model): Model {
  const graph = inGraph(model.graph);
  return graph === model.graph ? model : { ...model, graph };
}
