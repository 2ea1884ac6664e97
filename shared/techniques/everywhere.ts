/**
 * Owns rewriteEverywhere: a technique's rewrite on the main graph and on the selected nodes inside it (branches of If, bodies of
 * Loop and Scan), each inner graph rewritten as a graph of its own.
 */
import { innerName, withInnerGraphs } from '../analysis/inner-graphs.ts';
import type { Text } from '../base/text.ts';
import { subgraphs } from '../ir/graph-index.ts';
import type { Graph } from '../ir/model.ts';
import { renameTensor } from '../ir/tensor.ts';
import type { Rewrite, StepContext, Taken, Technique } from './declare.ts';

function namesIn(graph: Graph): Set<string> {
  const names = new Set<string>();
  const stack: Graph[] = [graph];
  for (let g = stack.pop(); g !== undefined; g = stack.pop()) {
    for (const t of [...g.inputs, ...g.initializers]) names.add(t.name);
    for (const n of g.nodes) {
      for (const o of n.outputs) names.add(o);
      stack.push(...subgraphs(n));
    }
  }
  return names;
}

/** The rewritten graph with what is new in it named as nothing in the whole model is: a value name is made once in all scopes. */
function freshNames(from: Graph, to: Graph, taken: Set<string>): Graph {
  const old = namesIn(from);
  const renamed = new Map<string, string>();
  for (const name of [...to.nodes.flatMap((n) => n.outputs), ...to.initializers.map((t) => t.name)]) {
    if (name === '' || old.has(name)) continue;
    let free = name;
    for (let k = 1; taken.has(free); k++) free = `${name}_${k}`;
    taken.add(free);
    if (free !== name) renamed.set(name, free);
  }
  if (renamed.size === 0) return to;
  const now = (name: string): string => renamed.get(name) ?? name;
  return {
    ...to,
    initializers: to.initializers.map((t) => (renamed.has(t.name) ? renameTensor(t, now(t.name)) : t)),
    nodes: to.nodes.map((n) => ({ ...n, inputs: n.inputs.map(now), outputs: n.outputs.map(now) })),
  };
}

/** Inner nodes are named by their path from outside (`If_0/else_branch/Conv_3`). */
export function rewriteEverywhere(technique: Technique, c: StepContext): Rewrite {
  const { rewriteInside } = technique;
  const inside = (c.inside ?? []).filter((i) => i.selected.length > 0);
  const { inside: _, ...main } = c;
  if (rewriteInside === undefined || inside.length === 0) return technique.rewrite(main);
  const outer = technique.rewrite(main);
  const layers: Taken[] = [...outer.layers];
  const notes: Text[] = [...outer.notes];
  const taken = namesIn(outer.model.graph);
  const byPath = new Map(inside.map((i) => [i.path, i]));
  const model = withInnerGraphs(outer.model, (path, graph) => {
    const at = byPath.get(path);
    if (at === undefined) return graph;
    const own = graph === at.graph ? at.selected : graph.nodes.filter((n) => at.selected.some((s) => s.id === n.id));
    // A body never lists its initializers among its inputs, whatever the file's version.
    const model = { ...c.model, graph };
    const done = rewriteInside({ ...main, model, facts: at.facts, selected: own });
    for (const l of done.layers) layers.push({ ...l, id: innerName(path, l) });
    for (const n of done.notes) if (!notes.some((m) => m.en === n.en)) notes.push(n);
    return freshNames(graph, done.model.graph, taken);
  });
  return { ...outer, model, layers, notes };
}
