/** Owns If, Loop and Scan: their bodies are inferred and counted through the context's `subgraph`. */
import { attr, attribute, intAttr, intsAttr } from '../ir/attribute.ts';
import type { Dim, Graph, Node } from '../ir/model.ts';
import { fed, fixed, ints } from './case-values.ts';
import {
  type Facts,
  type InferContext,
  type NodeContext,
  none,
  type Op,
  type OpWork,
  unknownFacts,
  type WorkContext,
} from './declare.ts';
import { axisAt, family, freezeAll, noQuantize, times } from './rule.ts';

const bodies = family({
  domain: '',
  parameters: {},
  work: { none: 'counted through its body' },
  gradient: none('gradients do not enter the body of a control operator'),
  channels: freezeAll('channels do not cross into the body of a control operator'),
  quantize: noQuantize,
});

function bodyOf(node: Node, name: string): Graph | undefined {
  const a = attribute(node, name);
  return a?.kind === 'graph' ? a.value : undefined;
}

/** What holds of both. */
export function meet(a: Facts, b: Facts): Facts {
  if (a === b) return a;
  const elem = a.elem === b.elem ? a.elem : null;
  const shape =
    a.shape !== null && b.shape !== null && a.shape.length === b.shape.length
      ? a.shape.map((d, i) => (d === b.shape?.[i] ? d : null))
      : null;
  const same =
    a.content?.length === b.content?.length && a.content?.every((x, i) => x === b.content?.[i] && x !== null);
  return {
    elem,
    shape,
    constant: a.constant && b.constant,
    ...(same && a.content ? { content: a.content } : {}),
    ...(a.other === undefined ? {} : { other: a.other }),
  };
}

const noWork = { macs: 0, otherOps: 0 };
type Part = { readonly macs: number | null; readonly otherOps: number | null };
const control = (p: Part): OpWork => ({ kernel: 'control', macs: p.macs, otherOps: p.otherOps });

// ---------------------------------------------------------------- If

/** The branch that runs, where the condition is known. */
const chosen = (c: NodeContext): Graph | undefined => {
  const condition = c.inputs[0]?.content?.[0];
  return typeof condition === 'number' ? bodyOf(c.node, condition !== 0 ? 'then_branch' : 'else_branch') : undefined;
};

const inferIf = (c: InferContext): readonly Facts[] => {
  const one = chosen(c);
  if (one !== undefined) return c.subgraph(one, []);
  const [yes, no] = ['then_branch', 'else_branch'].map((n) => bodyOf(c.node, n));
  const a = yes === undefined ? [] : c.subgraph(yes, []);
  const b = no === undefined ? [] : c.subgraph(no, []);
  return c.node.outputs.map((_, k) => ({ ...meet(a[k] ?? unknownFacts, b[k] ?? unknownFacts), constant: false }));
};

/** The larger branch, each figure on its own: what the node may cost at most. */
const workIf = (c: WorkContext): OpWork => {
  const one = chosen(c);
  if (one !== undefined) return control(c.subgraph(one, []));
  const parts = ['then_branch', 'else_branch'].map((n) => {
    const g = bodyOf(c.node, n);
    return g === undefined ? noWork : c.subgraph(g, []);
  });
  const most = (f: (p: Part) => number | null): number | null =>
    parts.reduce<number | null>((m, p) => {
      const x = f(p);
      return m === null || x === null ? null : Math.max(m, x);
    }, 0);
  return control({ macs: most((p) => p.macs), otherOps: most((p) => p.otherOps) });
};

// ---------------------------------------------------------------- Loop

interface LoopFacts {
  readonly inputs: readonly Facts[];
  readonly outputs: readonly Facts[];
  /** Iterations, where known. */
  readonly trips: number | null;
}

const forget = (f: Facts | undefined): Facts => {
  const { elem, shape, other } = f ?? unknownFacts;
  return { elem, shape, constant: false, ...(other === undefined ? {} : { other }) };
};

/** Body facts at the fixed point: a carried value whose shape changes from step to step loses what changes. */
function settle(
  carried: readonly (Facts | undefined)[],
  run: (carried: readonly Facts[]) => readonly Facts[],
  first: number,
): { readonly carried: readonly Facts[]; readonly outputs: readonly Facts[] } {
  let now = carried.map(forget);
  let outputs = run(now);
  // Each round a shape can only lose knowledge: its dimensions, then its rank.
  for (let round = 0; round < 8; round++) {
    const next = now.map((f, k) => forget(meet(f, outputs[first + k] ?? unknownFacts)));
    if (next.every((f, k) => sameFacts(f, now[k]))) break;
    now = next;
    outputs = run(now);
  }
  return { carried: now, outputs };
}

const sameFacts = (a: Facts, b: Facts | undefined): boolean =>
  a.elem === b?.elem && a.shape?.length === b?.shape?.length && (a.shape ?? []).every((d, i) => d === b?.shape?.[i]);

const scalar = (elem: Facts['elem']): Facts => ({ elem, shape: [], constant: false });

function loopFacts(c: NodeContext, run: (inputs: readonly Facts[]) => readonly Facts[]): LoopFacts {
  // The body runs only while the condition holds, so it always sees true.
  const head: readonly Facts[] = [scalar('int64'), { ...scalar('bool'), content: [1] }];
  const settled = settle(c.inputs.slice(2), (carried) => run([...head, ...carried]), 1);
  const most = c.inputs[0] === undefined ? undefined : c.inputs[0].content?.[0];
  const starts = c.inputs[1] === undefined || c.inputs[1].content?.[0] === 1;
  const goesOn = settled.outputs[0]?.content?.[0] === 1;
  const trips = typeof most === 'number' && starts && goesOn ? Math.max(0, most) : null;
  return { inputs: [...head, ...settled.carried], outputs: settled.outputs, trips };
}

const inferLoop = (c: InferContext): readonly Facts[] => {
  const body = bodyOf(c.node, 'body');
  if (body === undefined) return [];
  const count = Math.max(0, c.inputs.length - 2);
  const { inputs, outputs, trips } = loopFacts(c, (given) => c.subgraph(body, given));
  return c.node.outputs.map((_, k) => {
    if (k < count) return inputs[k + 2] ?? unknownFacts;
    const f = outputs[k + 1] ?? unknownFacts;
    return { elem: f.elem, shape: f.shape === null ? null : [trips, ...f.shape], constant: false };
  });
};

/** The body's work times the trip count; null where that depends on data. */
const workLoop = (c: WorkContext): OpWork => {
  const body = bodyOf(c.node, 'body');
  if (body === undefined) return control(noWork);
  const count = Math.max(0, c.inputs.length - 2);
  // What the loop carries is known from its outputs, which are at the fixed point already.
  const given = [scalar('int64'), { ...scalar('bool'), content: [1] }, ...c.outputs.slice(0, count)];
  const part = c.subgraph(body, given);
  const most = c.inputs[0]?.content?.[0];
  const stacked = c.outputs[count]?.shape?.[0];
  const trips = typeof stacked === 'number' ? stacked : typeof most === 'number' ? most : null;
  return control({ macs: times(part.macs, trips), otherOps: times(part.otherOps, trips) });
};

// ---------------------------------------------------------------- Scan

interface ScanShape {
  readonly states: readonly (Facts | undefined)[];
  /** One step's slice of each scanned input. */
  readonly slices: readonly Facts[];
  readonly steps: Dim;
  readonly batch: Dim | undefined;
}

/** Scan-8 has a leading `sequence_lens` and a batch axis before time; Scan-9 has neither. */
function scanShape(c: NodeContext): ScanShape {
  const old = c.version < 9;
  const given = old ? c.inputs.slice(1) : c.inputs;
  const scans = intAttr(c.node, 'num_scan_inputs', 1);
  const states = given.slice(0, given.length - scans);
  const axes = intsAttr(c.node, 'scan_input_axes');
  let steps: Dim = null;
  const slices = given.slice(given.length - scans).map((f, k) => {
    const axis = old ? 1 : axisAt(axes?.[k] ?? 0, f?.shape?.length ?? 1);
    steps = f?.shape?.[axis] ?? steps;
    const shape = f?.shape?.filter((_, i) => i !== axis && !(old && i === 0)) ?? null;
    return { elem: f?.elem ?? null, shape, constant: false };
  });
  const batch = old ? (given.at(-1)?.shape?.[0] ?? null) : undefined;
  const inner = (f: Facts | undefined): Facts => {
    const g = forget(f);
    return old && g.shape !== null ? { ...g, shape: g.shape.slice(1) } : g;
  };
  return { states: states.map(inner), slices, steps, batch };
}

const inferScan = (c: InferContext): readonly Facts[] => {
  const body = bodyOf(c.node, 'body');
  if (body === undefined) return [];
  const { states, slices, steps, batch } = scanShape(c);
  const settled = settle(states, (now) => c.subgraph(body, [...now, ...slices]), 0);
  const lead = batch === undefined ? [] : [batch];
  const axes = intsAttr(c.node, 'scan_output_axes');
  return c.node.outputs.map((_, k) => {
    const f = k < states.length ? (settled.carried[k] ?? unknownFacts) : (settled.outputs[k] ?? unknownFacts);
    if (f.shape === null) return { elem: f.elem, shape: null, constant: false };
    if (k < states.length) return { elem: f.elem, shape: [...lead, ...f.shape], constant: false };
    const axis = axisAt(axes?.[k - states.length] ?? 0, f.shape.length + 1);
    return {
      elem: f.elem,
      shape: [...lead, ...f.shape.slice(0, axis), steps, ...f.shape.slice(axis)],
      constant: false,
    };
  });
};

const workScan = (c: WorkContext): OpWork => {
  const body = bodyOf(c.node, 'body');
  if (body === undefined) return control(noWork);
  const { states, slices, steps, batch } = scanShape(c);
  const part = c.subgraph(body, [...states.map((f) => f ?? unknownFacts), ...slices]);
  return control({ macs: times(part.macs, steps, batch ?? 1), otherOps: times(part.otherOps, steps, batch ?? 1) });
};

// ---------------------------------------------------------------- cases

const tensorInfo = (name: string, shape: readonly Dim[], elem: 'float' | 'bool' | 'int64' = 'float') => ({
  name,
  type: { kind: 'tensor' as const, elem, shape },
});
const graph = (name: string, parts: Pick<Graph, 'nodes' | 'inputs' | 'outputs'>): Graph => ({
  name,
  initializers: [],
  sparseInitializers: [],
  valueInfos: [],
  ...parts,
});
const inner = (op: string, inputs: readonly string[], output: string, attributes: Node['attributes'] = []): Node => ({
  id: output,
  name: output,
  op,
  domain: '',
  inputs,
  outputs: [output],
  attributes,
});
const fill = (output: string, dims: readonly number[]): readonly Node[] => [
  inner('Constant', [], `${output}_shape`, [attr.ints('value_ints', dims)]),
  inner('ConstantOfShape', [`${output}_shape`], output),
];
const branch = (name: string, dims: readonly number[]): Graph =>
  graph(name, { nodes: fill(`${name}_y`, dims), inputs: [], outputs: [tensorInfo(`${name}_y`, dims)] });
const step = graph('step', {
  nodes: [inner('Identity', ['cond'], 'go'), inner('Tanh', ['v'], 'v_next'), inner('Identity', ['v_next'], 'row')],
  inputs: [tensorInfo('i', [], 'int64'), tensorInfo('cond', [], 'bool'), tensorInfo('v', [2, 3])],
  outputs: [tensorInfo('go', [], 'bool'), tensorInfo('v_next', [2, 3]), tensorInfo('row', [2, 3])],
});
const sum = graph('sum', {
  nodes: [inner('Add', ['s', 'x'], 's_next'), inner('Identity', ['s_next'], 'row')],
  inputs: [tensorInfo('s', [3]), tensorInfo('x', [3])],
  outputs: [tensorInfo('s_next', [3]), tensorInfo('row', [3])],
});

export const controlOps: readonly Op[] = [
  bodies('If', [1, 11, 13, 16, 19, 21, 23, 24, 25], inferIf, {
    work: workIf,
    cases: [
      {
        name: 'branches of one shape',
        attributes: [attr.graph('then_branch', branch('a', [2, 3])), attr.graph('else_branch', branch('b', [2, 3]))],
        inputs: [{ shape: [], elem: 'bool' }],
      },
      {
        name: 'a known condition',
        attributes: [attr.graph('then_branch', branch('a', [2, 3])), attr.graph('else_branch', branch('b', [4]))],
        inputs: [fixed('bool', [0], [])],
      },
    ],
  }),
  bodies('Loop', [1, 11, 13, 16, 19, 21, 23, 24, 25], inferLoop, {
    work: workLoop,
    cases: [
      {
        name: 'four trips',
        attributes: [attr.graph('body', step)],
        inputs: [ints([4], []), fixed('bool', [1], []), fed(2, 3)],
        outputs: 2,
      },
    ],
  }),
  bodies('Scan', [8, 9, 11, 16, 19, 21, 23, 24, 25], inferScan, {
    work: workScan,
    cases: [
      {
        name: 'running sum',
        attributes: [attr.graph('body', sum), attr.int('num_scan_inputs', 1)],
        inputs: [fed(3), fed(5, 3)],
        outputs: 2,
      },
    ],
  }),
];
