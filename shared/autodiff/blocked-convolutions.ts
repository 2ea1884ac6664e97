/**
 * Owns convolutions of a training graph in the runtime's blocked layout (NCHWc: channels in blocks of 8 or 16 side by side). At load
 * the runtime gives it only to convolutions whose weight is stored; weights that learn are fed. So it is written out: the data
 * reordered, the weight reordered by standard operators, the runtime's own blocked kernel, the result reordered back.
 * Measured (onnxruntime-node 1.30.0, two threads, 128 x 16 x 32 x 32, 3x3): 11.0 ms as it stands, 5.0 and 2 x 1.0 blocked.
 */
import { inferFacts } from '../analysis/infer-facts.ts';
import { attr, intAttr } from '../ir/attribute.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model, Node } from '../ir/model.ts';
import type { Facts } from '../ops/declare.ts';
import { Emitter } from './backward.ts';

/** The runtime's domain of operators on that layout. */
export const blockedDomain = 'com.microsoft.nchwc';

/** [O, C / group, kernel height, kernel width] of a convolution that gains by the layout; undefined: it stays. */
function blockable(
  node: Node,
  facts: ReadonlyMap<string, Facts>,
  stored: ReadonlySet<string>,
  block: number,
): readonly number[] | undefined {
  const [data = '', weight = ''] = node.inputs;
  if (node.op !== 'Conv' || node.domain !== '' || stored.has(weight)) return undefined;
  const [x, w] = [facts.get(data), facts.get(weight)];
  const dims = w?.shape?.filter((d): d is number => typeof d === 'number');
  const channels = x?.shape?.[1];
  if (dims?.length !== 4 || x?.elem !== 'float' || x.shape?.length !== 4 || typeof channels !== 'number')
    return undefined;
  const [o = 0, , high = 1, wide = 1] = dims;
  const group = intAttr(node, 'group', 1);
  const whole = channels % block === 0 && o % block === 0 && (group === 1 || (group === channels && group === o));
  // A pointwise one is one product as it stands: nothing is gained.
  return whole && high * wide > 1 ? dims : undefined;
}

/** The weight as the blocked kernels read it: [O/b, C/b, k, k, b of C, b of O], for one channel a group [O/b, 1, k, k, b of O]. */
function blockedWeight(e: Emitter, weight: string, dims: readonly number[], block: number): string {
  const [o = 1, c = 1, ...kernel] = dims;
  const depthwise = c === 1;
  const apart = e.ints(depthwise ? [o / block, block, c, ...kernel] : [o / block, block, c / block, block, ...kernel]);
  const perm = depthwise ? [0, 2, 3, 4, 1] : [0, 2, 4, 5, 3, 1];
  const turned = e.one('Transpose', [e.one('Reshape', [weight, apart])], [attr.ints('perm', perm)]);
  return e.one('Reshape', [turned, e.ints(dims)]);
}

/**
 * `model` with its convolutions by fed or computed weights in blocks of `block` channels, where that is faster: same inputs, outputs
 * and, but for rounding, results. Shapes must be known.
 */
export function blockedConvolutions(model: Model, block: number): Model {
  const { graph } = model;
  const facts = inferFacts(model);
  const stored = new Set(graph.initializers.map((t) => t.name));
  const taken = [...graph.nodes.flatMap((n) => n.outputs), ...graph.inputs.map((i) => i.name), ...stored];
  const e = new Emitter(taken);
  const reordered = new Map<string, string>();
  let changed = false;
  for (const node of graphIndex(graph).order) {
    const dims = blockable(node, facts, stored, block);
    if (dims === undefined) {
      e.nodes.push(node);
      continue;
    }
    changed = true;
    const [data = '', weight = '', bias = ''] = node.inputs;
    const x = reordered.get(data) ?? e.emit('ReorderInput', [data], [], 1, blockedDomain)[0] ?? '';
    reordered.set(data, x);
    const w = blockedWeight(e, weight, dims, block);
    const inputs = bias === '' ? [x, w] : [x, w, bias];
    const y = e.emit('Conv', inputs, node.attributes, 1, blockedDomain)[0] ?? '';
    // The result keeps its name: whoever reads it reads on.
    e.nodes.push({
      ...node,
      id: `${node.id}.plain`,
      op: 'ReorderOutput',
      domain: blockedDomain,
      inputs: [y],
      attributes: [attr.int('channels', dims[0] ?? 1)],
    });
  }
  if (!changed) return model;
  return {
    ...model,
    opsets: [...model.opsets.filter((o) => o.domain !== blockedDomain), { domain: blockedDomain, version: 1 }],
    graph: { ...graph, nodes: e.nodes, initializers: [...graph.initializers, ...e.constants] },
  };
}

/** Two positions of 32 channels, each value its place in the plain layout. */
const probeDims = [1, 32, 1, 2] as const;

/** A model that shows the runtime's layout: `x` of `probe.dims` in, `y` the same numbers as the runtime keeps them. */
export const blockProbe: { readonly model: Model; readonly dims: readonly number[] } = {
  dims: probeDims,
  model: {
    irVersion: 8,
    opsets: [
      { domain: '', version: 17 },
      { domain: blockedDomain, version: 1 },
    ],
    producerName: '',
    producerVersion: '',
    graph: {
      name: 'block',
      nodes: [
        {
          id: 'y',
          name: 'y',
          op: 'ReorderInput',
          domain: blockedDomain,
          inputs: ['x'],
          outputs: ['y'],
          attributes: [],
        },
      ],
      initializers: [],
      sparseInitializers: [],
      inputs: [{ name: 'x', type: { kind: 'tensor', elem: 'float', shape: probeDims } }],
      outputs: [{ name: 'y', type: { kind: 'tensor', elem: 'float', shape: probeDims } }],
      valueInfos: [],
    },
    functions: [],
    metadata: [],
  },
};

/** Channels in a block, from what `blockProbe` gave for 0, 1, 2 ...: the place of the first channel's second position. null: no blocks. */
export function blockOf(given: ArrayLike<number>): number | null {
  const [, channels] = probeDims;
  const block = Array.from(given).indexOf(1);
  const expected = Array.from({ length: channels * 2 }, (_, i) => {
    const [outer, rest] = [Math.floor(i / (2 * block)), i % (2 * block)];
    return (outer * block + (rest % block)) * 2 + Math.floor(rest / block);
  });
  return block > 1 && expected.every((v, i) => v === given[i]) ? block : null;
}
