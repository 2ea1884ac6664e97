/**
 * The law of channel relations, on every operator's cases: indices that go together may be masked or cut out; what stays
 * of the outputs is the same.
 */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { inferFacts } from '../analysis/infer-facts.ts';
import { elementCount } from '../ir/element-type.ts';
import type { Model, Node } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';
import { int64Tensor, numbersTensor, toNumbers, toTyped } from '../ir/values.ts';
import { writeModel } from '../onnx/write.ts';
import { buildCase, caseOpset } from '../testing/op-case.ts';
import type { AdaptContext, ChannelContext, ChannelRelation, Op, OpCase, Slot } from './declare.ts';
import { isNone } from './declare.ts';
import { allOps } from './index.ts';

const runtime = nodeRuntime(1);
const key = (s: Slot): string => `${s.value}@${s.axis}`;
type Gone = ReadonlyMap<string, ReadonlySet<number>>;

/** Everything that leaves when index `start` of `slot` leaves; undefined where something frozen is reached. */
function closure(
  relations: readonly ChannelRelation[],
  slot: Slot,
  start: number,
  sizeOf: (s: Slot) => number,
): Gone | undefined {
  const gone = new Map<string, Set<number>>();
  const queue: { readonly slot: Slot; readonly i: number }[] = [];
  const add = (s: Slot, i: number): void => {
    const set = gone.get(key(s)) ?? new Set();
    gone.set(key(s), set);
    if (set.has(i)) return;
    set.add(i);
    queue.push({ slot: s, i });
  };
  // A merge of several axes is walked from the axis that is in the group already, never back into another.
  const merged = new Map<string, Set<string>>();
  for (const r of relations)
    if (r.kind === 'repeat') merged.set(key(r.big), (merged.get(key(r.big)) ?? new Set()).add(key(r.of)));
  add(slot, start);
  for (let top = queue.pop(); top !== undefined; top = queue.pop()) {
    const { slot: s, i } = top;
    const is = (other: Slot): boolean => key(other) === key(s);
    for (const r of relations) {
      if (r.kind === 'freeze' && is(r.slot)) return undefined;
      if (r.kind === 'same') {
        if (is(r.a)) add(r.b, i);
        if (is(r.b)) add(r.a, i);
      }
      if (r.kind === 'part') {
        const stride = r.stride ?? 1;
        if (is(r.part)) add(r.whole, r.offset + i * stride);
        const at = (i - r.offset) / stride;
        if (is(r.whole) && Number.isInteger(at) && at >= 0 && at < sizeOf(r.part)) add(r.part, at);
      }
      if (r.kind === 'repeat') {
        const n = sizeOf(r.of);
        if (is(r.of))
          for (let o = 0; o < r.outer; o++) for (let k = 0; k < r.inner; k++) add(r.big, (o * n + i) * r.inner + k);
        const alone = (merged.get(key(r.big))?.size ?? 0) < 2 || gone.has(key(r.of));
        if (is(r.big) && alone) add(r.of, Math.floor(i / r.inner) % n);
      }
    }
  }
  return gone;
}

/** The tensor without these indices, or with them at `mask`. */
function without(t: Tensor, gone: Gone, mask?: number): Tensor {
  let numbers: ArrayLike<number> | undefined;
  let { dims } = t;
  for (const axis of t.dims.keys()) {
    const set = gone.get(`${t.name}@${axis}`);
    if (set === undefined) continue;
    numbers ??= toNumbers(t);
    const inner = elementCount(dims.slice(axis + 1));
    const n = dims[axis] ?? 1;
    const hit = (i: number): boolean => set.has(Math.floor(i / inner) % n);
    if (mask !== undefined) numbers = Array.from(numbers, (x, i) => (hit(i) ? mask : x));
    else {
      numbers = Array.from(numbers).filter((_, i) => !hit(i));
      dims = dims.map((d, i) => (i === axis ? d - set.size : d));
    }
  }
  return numbers === undefined ? t : numbersTensor(t.name, t.type, dims, numbers);
}

/** The node and its constants as they are to be once `gone` is cut out. */
function adapted(
  op: Op,
  node: Node,
  c: ChannelContext,
  gone: Gone,
  sizeOf: (s: Slot) => number,
): { node: Node; extra: Tensor[] } {
  if (isNone(op.channels)) return { node, extra: [] };
  const kept = (s: Slot): readonly number[] | undefined => {
    const set = gone.get(key(s));
    return set === undefined ? undefined : Array.from({ length: sizeOf(s) }, (_, i) => i).filter((i) => !set.has(i));
  };
  const context: AdaptContext = { ...c, kept };
  const change = op.channels.adapt?.(context) ?? {};
  const names = new Set([...(change.attributes ?? []).map((a) => a.name), ...(change.drop ?? [])]);
  const inputs = [...node.inputs];
  const extra = Object.entries(change.constants ?? {}).map(([k, values]) => {
    while (inputs.length <= Number(k)) inputs.push('');
    inputs[Number(k)] = `new${k}`;
    return int64Tensor(`new${k}`, [values.length], values);
  });
  const attributes = [...node.attributes.filter((a) => !names.has(a.name)), ...(change.attributes ?? [])];
  return { node: { ...node, inputs, attributes }, extra };
}

async function run(model: Model, node: Node, tensors: readonly Tensor[]): Promise<readonly Tensor[]> {
  const fed = new Set(model.graph.inputs.map((i) => i.name));
  const inputs = tensors
    .filter((t) => fed.has(t.name))
    .map((t) => ({ name: t.name, type: { kind: 'tensor' as const, elem: t.type, shape: t.dims } }));
  const graph = { ...model.graph, nodes: [node], inputs, initializers: tensors.filter((t) => !fed.has(t.name)) };
  const session = await runtime.open({ bytes: writeModel({ ...model, graph }) }, { optimize: 'none' });
  try {
    const feeds = tensors
      .filter((t) => fed.has(t.name))
      .map((t) => [t.name, { type: t.type, dims: t.dims, data: toTyped(t) }]);
    const got = await session.run(Object.fromEntries(feeds));
    return node.outputs.map((name) => {
      const { type, dims, data } = got[name]!;
      return numbersTensor(name, type, dims, Array.from(data as ArrayLike<number | bigint>, Number));
    });
  } finally {
    await session.release();
  }
}

/** What a masked channel holds: 0, but the zero point of the cases in quantized operators, and 1 as a divisor. */
function maskOf(op: Op): number {
  if (op.type === 'Div' || op.type === 'Mod') return 1;
  return /^Q|Integer/.test(op.type) && op.type !== 'QuantizeLinear' ? 128 : 0;
}

async function check(op: Op, c: OpCase, tried: { count: number }): Promise<void> {
  if (isNone(op.channels)) return;
  const { model, folded, node } = buildCase(op, c);
  const facts = inferFacts(model);
  const of = (name: string) => (name === '' ? undefined : facts.get(name));
  const context: ChannelContext = {
    node,
    version: caseOpset(op, c),
    inputs: node.inputs.map(of),
    outputs: node.outputs.map((o) => facts.get(o)!),
    in: (k, axis) => ({ value: node.inputs[k] ?? '', axis }),
    out: (k, axis) => ({ value: node.outputs[k] ?? '', axis }),
  };
  const relations = op.channels.relate(context);
  const inner = new Map<string, number>();
  const sizeOf = (s: Slot): number => {
    const d = s.value.startsWith('#') ? inner.get(key(s)) : of(s.value)?.shape?.[s.axis];
    return typeof d === 'number' ? d : 0;
  };
  // An axis that only the rule knows is as long as what it is the same as, or as its repeats say.
  for (const r of relations) {
    if (r.kind === 'same' && r.b.value.startsWith('#')) inner.set(key(r.b), sizeOf(r.a));
    if (r.kind === 'repeat' && r.of.value.startsWith('#')) inner.set(key(r.of), sizeOf(r.big) / r.outer / r.inner);
  }
  const slots = [...node.inputs, ...node.outputs].flatMap((value) =>
    (of(value)?.shape ?? []).map((_, axis): Slot => ({ value, axis })),
  );
  const merges = new Set(relations.flatMap((r) => (r.kind === 'repeat' ? [key(r.big)] : [])));
  const seen = new Set<string>();
  for (const slot of slots) {
    if (seen.has(key(slot)) || merges.has(key(slot)) || sizeOf(slot) < 2) continue;
    const gone = closure(relations, slot, sizeOf(slot) - 1, sizeOf);
    if (gone === undefined || gone.size < 2) continue;
    const whole = [...gone].some(([k, set]) => {
      const at = k.lastIndexOf('@');
      return set.size >= sizeOf({ value: k.slice(0, at), axis: Number(k.slice(at + 1)) });
    });
    if (whole) continue;
    for (const k of gone.keys()) seen.add(k);
    tried.count++;
    const tensors = folded.graph.initializers;
    const masked = await run(
      model,
      node,
      tensors.map((t) => without(t, gone, maskOf(op))),
    );
    const cut = adapted(op, node, context, gone, sizeOf);
    const sliced = await run(model, cut.node, [...tensors.map((t) => without(t, gone)), ...cut.extra]);
    sliced.forEach((got, k) => {
      const want = without(masked[k]!, gone);
      const where = `${c.name}: ${key(slot)} of output ${k}`;
      expect(got.dims, where).toEqual(want.dims);
      const [a, b] = [toNumbers(got), toNumbers(want)];
      const step = got.type === 'float' || got.type === 'double' ? 1e-4 : 0;
      a.forEach((x, i) => {
        const y = b[i] ?? 0;
        if (!(Number.isNaN(x) && Number.isNaN(y)))
          expect(Math.abs(x - y), where).toBeLessThanOrEqual(step * (1 + Math.abs(y)));
      });
    });
  }
}

const withStrings = (c: OpCase): boolean => c.inputs.some((i) => i && 'shape' in i && i.elem === 'string');
/**
 * Operators that take statistics over the axes they pass: what stays is normalised by what stays, so cutting is not
 * masking there. Their scale and shift must go along all the same, which only shapes can show.
 */
const normalises = /Normalization$/;
const draws = /^(Random|Bernoulli|Multinomial)/;

describe('cutting out equals masking', () => {
  const tried = new Map<string, number>();
  const ops = allOps().filter((op) => !isNone(op.channels) && !draws.test(op.type) && !normalises.test(op.type));
  it.each(ops.map((op) => [`${op.domain}::${op.type}`, op] as const))('%s', async (name, op) => {
    const counter = { count: 0 };
    const failures: string[] = [];
    for (const c of op.cases)
      if (c.norun === undefined && !withStrings(c))
        await check(op, c, counter).catch((thrown: unknown) => failures.push(`${c.name}: ${String(thrown)}`));
    tried.set(name, counter.count);
    expect(failures).toEqual([]);
  });
  it('was tried where channels run', () => {
    for (const name of [
      'Conv',
      'Gemm',
      'MatMul',
      'Concat',
      'Split',
      'Slice',
      'Reshape',
      'Transpose',
      'LSTM',
      'QLinearConv',
    ])
      expect(tried.get(`::${name}`), name).toBeGreaterThan(0);
  });
});
