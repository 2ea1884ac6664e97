/** Owns operators that give a tensor another shape without moving its elements. */
import { attr, intAttr, intsAttr } from '../ir/attribute.ts';
import type { Dim } from '../ir/model.ts';
import { fed, ints } from './case-values.ts';
import type { ChannelRelation, Facts, InferContext, Op, Scalar } from './declare.ts';
import { reshapesBack } from './gradient-rule.ts';
import { adaptedTarget, reshapeRelations } from './reshape-match.ts';
import { axisAt, family, intsSetting, tensorFacts, times, viewWork } from './rule.ts';

const view = family({
  domain: '',
  parameters: {},
  work: viewWork,
  gradient: reshapesBack,
  channels: { relate: reshapeRelations },
  quantize: { role: 'pass', data: 0 },
});

/** The input's facts under another shape; the content goes along. */
const reshaped = (c: InferContext, shape: readonly Dim[] | null): readonly Facts[] => {
  const x = c.inputs[0];
  return [tensorFacts(c, x?.elem ?? null, shape, x?.content)];
};

/** Reshape's output from the input's shape and the target (0 copies where allowed, -1 takes the rest). */
export function reshapeShape(
  before: readonly Dim[] | null,
  target: readonly Scalar[],
  allowZero: boolean,
): readonly Dim[] {
  const copied = new Set<number>();
  const out = target.map((t, j): Dim => {
    if (t === 0 && !allowZero) {
      copied.add(j);
      return before?.[j] ?? null;
    }
    return t === -1 ? null : t;
  });
  let hole = target.indexOf(-1);
  if (hole < 0) {
    const open = out.flatMap((d, j) => (d === null && !copied.has(j) ? [j] : []));
    hole = open.length === 1 ? (open[0] ?? -1) : -1;
  }
  if (hole < 0 || before === null) return out;
  const rest: Dim[] = before.filter((_, j) => !copied.has(j));
  for (const [j, d] of out.entries()) {
    if (j === hole || copied.has(j) || typeof d === 'number') continue;
    const at = d === null ? -1 : rest.indexOf(d);
    if (at < 0) return out;
    rest.splice(at, 1);
  }
  const fixedOut = times(...out.filter((d, j) => j !== hole && !copied.has(j) && typeof d === 'number')) ?? 1;
  const fixedIn = times(...rest.filter((d) => typeof d === 'number')) ?? 1;
  const unknown = rest.filter((d) => typeof d !== 'number');
  if (fixedOut === 0) return out;
  if (unknown.length === 0 && fixedIn % fixedOut === 0) out[hole] = fixedIn / fixedOut;
  else if (unknown.length === 1 && fixedIn === fixedOut) out[hole] = unknown[0] ?? null;
  return out;
}

const targetOf = (c: Pick<InferContext, 'node' | 'inputs'>): readonly Scalar[] | undefined =>
  intsAttr(c.node, 'shape') ?? c.inputs[1]?.content;

/** True where a target for fewer channels could be written down: it is known, and at most one size is not a number. */
function writable(c: Pick<InferContext, 'node' | 'inputs'> & { readonly outputs: readonly Facts[] }): boolean {
  const target = targetOf(c);
  const output = c.outputs[0]?.shape;
  if (target === undefined || !output) return false;
  return adaptedTarget(target, output, c.inputs[0]?.shape ?? null, () => undefined) !== undefined;
}

const inferReshape = (c: InferContext): readonly Facts[] => {
  const target = targetOf(c);
  if (target !== undefined)
    return reshaped(c, reshapeShape(c.inputs[0]?.shape ?? null, target, intAttr(c.node, 'allowzero', 0) === 1));
  const rank = c.inputs[1]?.shape?.[0];
  return reshaped(c, typeof rank === 'number' ? Array.from({ length: rank }, () => null) : null);
};

const inferFlatten = (c: InferContext): readonly Facts[] => {
  const s = c.inputs[0]?.shape;
  if (!s) return reshaped(c, [null, null]);
  const axis = axisAt(intAttr(c.node, 'axis', 1), s.length);
  const merge = (dims: readonly Dim[]): Dim => {
    const open = dims.filter((d) => d !== 1);
    return open.length === 1 ? (open[0] ?? null) : times(...dims);
  };
  return reshaped(c, [merge(s.slice(0, axis)), merge(s.slice(axis))]);
};

const inferSqueeze = (c: InferContext): readonly Facts[] => {
  const s = c.inputs[0]?.shape;
  const axes = intsSetting(c, 'axes', 1);
  if (!s || axes === null) return reshaped(c, null);
  if (axes === undefined) {
    // Every axis of size 1 goes; an unknown size leaves the rank unknown.
    return reshaped(c, s.some((d) => typeof d !== 'number') ? null : s.filter((d) => d !== 1));
  }
  const gone = new Set(axes.map((a) => axisAt(a, s.length)));
  return reshaped(
    c,
    s.filter((_, i) => !gone.has(i)),
  );
};

const inferUnsqueeze = (c: InferContext): readonly Facts[] => {
  const s = c.inputs[0]?.shape;
  const axes = intsSetting(c, 'axes', 1);
  if (!s || !axes) return reshaped(c, null);
  const rank = s.length + axes.length;
  const added = new Set(axes.map((a) => axisAt(a, rank)));
  let next = 0;
  return reshaped(
    c,
    Array.from({ length: rank }, (_, i) => (added.has(i) ? 1 : (s[next++] ?? null))),
  );
};

export const reshapeOps: readonly Op[] = [
  view('Reshape', [1, 5, 13, 14, 19, 21, 23, 24, 25], inferReshape, {
    channels: {
      relate: (c) =>
        !writable(c)
          ? (c.inputs[0]?.shape ?? []).map(
              (_, axis): ChannelRelation => ({
                kind: 'freeze',
                slot: c.in(0, axis),
                reason: 'the target of this Reshape is computed in a way that cannot be rewritten',
              }),
            )
          : reshapeRelations(c),
      adapt: (c) => {
        const output = c.outputs[0]?.shape;
        if (!output?.some((_, axis) => c.kept(c.out(0, axis)) !== undefined)) return {};
        const size = (axis: number): number | undefined => c.kept(c.out(0, axis))?.length;
        const target = adaptedTarget(
          targetOf(c),
          output,
          c.inputs[0]?.shape ?? null,
          size,
          intAttr(c.node, 'allowzero', 0) === 1,
        );
        if (target === undefined) return {};
        return intsAttr(c.node, 'shape') === undefined
          ? { constants: { 1: target } }
          : { attributes: [attr.ints('shape', target)] };
      },
    },
    cases: [
      { name: 'flattens', inputs: [fed(2, 3, 4, 5), ints([2, 60])] },
      { name: 'copies with 0, fills with -1', inputs: [fed(2, 3, 4, 5), ints([0, -1, 5])] },
      { name: 'splits', inputs: [fed(2, 12, 3), ints([2, 4, 3, 3])] },
      { name: 'allowzero', opset: 14, attributes: [attr.int('allowzero', 1)], inputs: [fed(0, 3), ints([3, 0])] },
      { name: 'to a scalar', inputs: [fed(1, 1), ints([])] },
    ],
  }),
  view('Flatten', [1, 9, 11, 13, 21, 23, 24, 25], inferFlatten, {
    cases: [
      { name: 'default axis', inputs: [fed(2, 3, 4)] },
      { name: 'axis 0', attributes: [attr.int('axis', 0)], inputs: [fed(2, 3, 4)] },
      { name: 'negative axis', attributes: [attr.int('axis', -1)], inputs: [fed(2, 3, 4)] },
      { name: 'axis = rank', attributes: [attr.int('axis', 3)], inputs: [fed(2, 3, 4)] },
    ],
  }),
  view('Squeeze', [1, 11, 13, 21, 23, 24, 25], inferSqueeze, {
    channels: {
      relate: reshapeRelations,
      // Without axes every 1 goes: a channel axis cut down to 1 must not.
      adapt: (c) => {
        const s = c.inputs[0]?.shape;
        if (!s || intsSetting(c, 'axes', 1) !== undefined || s.every((_, i) => c.kept(c.in(0, i)) === undefined))
          return {};
        const axes = s.flatMap((d, i) => (d === 1 ? [i] : []));
        return c.version < 13 ? { attributes: [attr.ints('axes', axes)] } : { constants: { 1: axes } };
      },
    },
    cases: [
      { name: 'axes as input', inputs: [fed(1, 3, 1, 2), ints([0, -2])] },
      { name: 'all', inputs: [fed(1, 3, 1, 2)] },
      { name: 'axes as attribute', opset: 11, attributes: [attr.ints('axes', [2])], inputs: [fed(1, 3, 1, 2)] },
    ],
  }),
  view('Unsqueeze', [1, 11, 13, 21, 23, 24, 25], inferUnsqueeze, {
    cases: [
      { name: 'axes as input', inputs: [fed(3, 2), ints([0, -1])] },
      { name: 'axes as attribute', opset: 11, attributes: [attr.ints('axes', [1, 3])], inputs: [fed(3, 2)] },
    ],
  }),
];
