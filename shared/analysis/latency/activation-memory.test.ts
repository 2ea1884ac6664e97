/** Peaks by order: by hand, against every order of small graphs, and against the figures of the nets. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Model } from '../../ir/model.ts';
import { wiringOf } from '../../ir/wiring.ts';
import { model, node, value } from '../../testing/build.ts';
import { nets } from '../../testing/nets.ts';
import { inferScope } from '../infer-facts.ts';
import { measureFigures } from '../measure-figures.ts';
import { peakActivationBytes } from '../peak-memory.ts';
import { activationMemory, listSchedule } from './activation-memory.ts';

/** x [1, 4] is widened twice and each time summed down to one number: 16 bytes in, 64 wide, 4 out. */
const twoBranches = (): Model =>
  model({
    nodes: [
      node('Concat', ['x', 'x', 'x', 'x'], ['a']),
      node('Concat', ['x', 'x', 'x', 'x'], ['b']),
      node('ReduceSum', ['a'], ['c']),
      node('ReduceSum', ['b'], ['d']),
      node('Add', ['c', 'd'], ['y']),
    ].map((n) => (n.op === 'Concat' ? { ...n, attributes: [{ kind: 'int' as const, name: 'axis', value: 1n }] } : n)),
    inputs: [value('x', [1, 4])],
    outputs: [value('y', [1, 1])],
    opset: 13,
  });

describe('peak memory by order', () => {
  it('finds that one wide branch after the other takes less', () => {
    // File: x + a + b. Best: x + a, then c + b with x (x stays until b is made): 16 + 64 + 4.
    expect(activationMemory(twoBranches())).toEqual({ fileOrder: 144, runtimeOrder: null, bestOrder: 84 });
    const depthFirst = new Map([0, 2, 1, 3, 4].map((p, k) => [p, k]));
    expect(activationMemory(twoBranches(), undefined, depthFirst).runtimeOrder).toBe(84);
  });

  it.each(Object.entries(nets))('of %s: the file order is that of the figures, the best is no worse', (_, make) => {
    const net = make();
    const memory = activationMemory(net);
    expect(memory.fileOrder).toBe(measureFigures(net).peakActivationBytes);
    expect(memory.bestOrder ?? 0).toBeLessThanOrEqual(memory.fileOrder ?? 0);
  });

  it('never claims less than the best of all orders', () => {
    const graphs = fc.array(fc.array(fc.nat(), { minLength: 1, maxLength: 3 }), { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(graphs, (reads) => {
        const nodes = reads.map((from, k) =>
          node(
            'Concat',
            from.map((r) => (r % (k + 1) === 0 ? 'x' : `v${(r % (k + 1)) - 1}`)),
            [`v${k}`],
            [{ kind: 'int', name: 'axis', value: 0n }],
          ),
        );
        const net = model({
          nodes,
          inputs: [value('x', [1])],
          outputs: [value(`v${nodes.length - 1}`, null)],
        });
        const memory = activationMemory(net);
        const peaks = allOrders(net).map((order) => peakOf(net, order));
        expect(memory.bestOrder).toBeGreaterThanOrEqual(Math.min(...peaks));
        expect(peaks).toContain(memory.bestOrder);
      }),
      { numRuns: 40 },
    );
  });

  it('keeps unknown unknown', () => {
    const open = { ...twoBranches(), graph: { ...twoBranches().graph, inputs: [value('x', [1, 'n'])] } };
    expect(activationMemory(open)).toEqual({ fileOrder: null, runtimeOrder: null, bestOrder: null });
    expect(activationMemory(open, { inputs: { x: [1, 4] } }).bestOrder).toBe(84);
  });
});

function peakOf(net: Model, order: Int32Array): number {
  const { graph, facts } = inferScope(net, undefined, { batch: 1 });
  return peakActivationBytes(graph, facts, () => false, order) ?? Number.NaN;
}

/** Every order that the wiring allows: each choice among the ready ones in turn. */
function allOrders(net: Model): readonly Int32Array[] {
  const wiring = wiringOf(net.graph);
  const found: Int32Array[] = [];
  const go = (choices: readonly number[]): void => {
    let step = 0;
    let open = 0;
    const order = listSchedule(wiring, (ready) => {
      if (step === choices.length) open = ready.length;
      return choices[step++] ?? 0;
    });
    if (choices.length === wiring.order.length) found.push(order);
    else for (let k = 0; k < open; k++) go([...choices, k]);
  };
  go([]);
  return found;
}
