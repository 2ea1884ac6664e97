/** Owns names that are free in a whole model: values and node ids of all graphs and functions are one space here. */
import { subgraphs } from '../ir/graph-index.ts';
import type { Graph, Model, Node } from '../ir/model.ts';

/** Every value name and node id of the model, subgraphs and functions included. */
export function allNames(model: Model): Set<string> {
  const taken = new Set<string>();
  const graphs: Graph[] = [model.graph];
  const addNode = (n: Node): void => {
    taken.add(n.id);
    for (const o of n.outputs) taken.add(o);
    for (const i of n.inputs) taken.add(i);
    graphs.push(...subgraphs(n));
  };
  for (const f of model.functions) {
    for (const name of [...f.inputs, ...f.outputs]) taken.add(name);
    f.nodes.forEach(addNode);
  }
  for (let g = graphs.pop(); g !== undefined; g = graphs.pop()) {
    for (const v of [...g.inputs, ...g.outputs]) taken.add(v.name);
    for (const t of g.initializers) taken.add(t.name);
    for (const t of g.sparseInitializers) taken.add(t.values.name);
    g.nodes.forEach(addNode);
  }
  return taken;
}

/** `base`, else `base_1`, `base_2` ...; taken from then on. */
export function freshName(base: string, taken: Set<string>): string {
  let name = base;
  for (let k = 1; taken.has(name); k++) name = `${base}_${k}`;
  taken.add(name);
  return name;
}
