/** The wiring: shared where only tensors and settings changed, made anew where a name did; orders equal a plain search. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { nets } from '../testing/nets.ts';
import { graphIndex } from './graph-index.ts';
import type { Graph, Node } from './model.ts';
import { wiringOf } from './wiring.ts';

const node = (id: number, inputs: readonly string[]): Node => ({
  id: `n${id}`,
  name: `n${id}`,
  op: 'Sum',
  domain: '',
  inputs,
  outputs: [`v${id}`],
  attributes: [],
});
const graphOf = (nodes: readonly Node[]): Graph => ({
  name: '',
  nodes,
  initializers: [],
  sparseInitializers: [],
  inputs: [],
  outputs: [],
  valueInfos: [],
});

it('puts producers first, each node once, whatever the file order', () => {
  const graphs = fc.array(fc.array(fc.nat(20), { maxLength: 4 }), { minLength: 1, maxLength: 20 }).chain((reads) =>
    fc.shuffledSubarray(
      reads.map((from, id) =>
        node(
          id,
          from.filter((k) => k < id).map((k) => `v${k}`),
        ),
      ),
      { minLength: reads.length },
    ),
  );
  fc.assert(
    fc.property(graphs, (nodes) => {
      const { order } = graphIndex(graphOf(nodes));
      expect(new Set(order)).toEqual(new Set(nodes));
      const done = new Set<string>();
      for (const n of order) {
        for (const i of n.inputs) expect(done.has(i)).toBe(true);
        for (const o of n.outputs) done.add(o);
      }
    }),
  );
});

it('is one for versions that differ in tensors and settings, and another where a name differs', () => {
  for (const make of Object.values(nets)) {
    const { graph } = make();
    const wiring = wiringOf(graph);
    const copies: Graph = {
      ...graph,
      nodes: graph.nodes.map((n) => ({ ...n, inputs: [...n.inputs], attributes: [] })),
      initializers: graph.initializers.map((t) => ({ ...t, dims: [1] })),
    };
    expect(wiringOf(copies)).toBe(wiring);
    const last = graph.nodes.length - 1;
    const renamed = graph.nodes.map((n, k) => (k === last ? { ...n, outputs: ['other'] } : n));
    expect(wiringOf({ ...graph, nodes: renamed })).not.toBe(wiring);
    expect(wiringOf({ ...graph, nodes: graph.nodes.slice(0, last) })).not.toBe(wiring);
    expect(wiringOf({ ...graph, initializers: graph.initializers.slice(1) })).not.toBe(wiring);
  }
});

it('numbers every name that is read or made, and knows who makes it', () => {
  for (const make of Object.values(nets)) {
    const { graph } = make();
    const wiring = wiringOf(graph);
    for (const [p, n] of graph.nodes.entries()) {
      const reads = wiring.inputs.slice(wiring.inputStart[p], wiring.inputStart[p + 1]);
      expect([...reads].map((id) => wiring.names[id] ?? '')).toEqual([...n.inputs]);
      for (const o of n.outputs) if (o !== '') expect(wiring.producer[wiring.ids.get(o) ?? -1]).toBe(p);
    }
    for (const [k, t] of graph.initializers.entries())
      expect(wiring.initializerAt[wiring.ids.get(t.name) ?? -1]).toBe(k);
  }
});
