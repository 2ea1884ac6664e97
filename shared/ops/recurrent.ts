/** Owns LSTM, GRU and RNN: what they compute scales with time steps, batch and directions. */

import { attr, intAttr, stringAttr } from '../ir/attribute.ts';
import type { Dim } from '../ir/model.ts';
import { fed } from './case-values.ts';
import type {
  ChannelContext,
  ChannelRelation,
  Facts,
  InferContext,
  NodeContext,
  Op,
  OpCase,
  WorkContext,
} from './declare.ts';
import { gruGradient, lstmGradient, rnnGradient } from './recurrent-gradient.ts';
import { family, noGradientYet, noQuantize, tensorFacts, times } from './rule.ts';

/** Rows of W and R per hidden unit. */
const gates: Readonly<Record<string, number>> = { LSTM: 4, GRU: 3, RNN: 1 };

interface Sizes {
  readonly steps: Dim;
  readonly batch: Dim;
  readonly input: Dim;
  readonly hidden: Dim;
  readonly directions: number;
  /** layout = 1 (opset 14): batch first. */
  readonly batchFirst: boolean;
}

function sizesOf(c: NodeContext): Sizes {
  const x = c.inputs[0]?.shape;
  const batchFirst = intAttr(c.node, 'layout', 0) === 1;
  const directions = stringAttr(c.node, 'direction', 'forward') === 'bidirectional' ? 2 : 1;
  const hidden = intAttr(c.node, 'hidden_size') ?? c.inputs[2]?.shape?.[2] ?? null;
  const [first = null, second = null] = x ?? [];
  const input = x?.[2] ?? c.inputs[1]?.shape?.[2] ?? null;
  return {
    steps: batchFirst ? second : first,
    batch: batchFirst ? first : second,
    input,
    hidden,
    directions,
    batchFirst,
  };
}

const infer = (c: InferContext): readonly Facts[] => {
  const { steps, batch, hidden, directions, batchFirst } = sizesOf(c);
  const elem = c.inputs[0]?.elem ?? null;
  const all = batchFirst ? [batch, steps, directions, hidden] : [steps, directions, batch, hidden];
  const last = tensorFacts(c, elem, batchFirst ? [batch, directions, hidden] : [directions, batch, hidden]);
  return [tensorFacts(c, elem, all), last, last].slice(0, c.node.outputs.length);
};

/**
 * Per step, sample, direction: gates x hidden x (input + hidden) multiply-accumulates; peepholes, biases and activations
 * are other operations (two per gate and hidden unit, and what combines the gates).
 */
const work = (c: WorkContext) => {
  const { steps, batch, input, hidden, directions } = sizesOf(c);
  const g = gates[c.node.op] ?? 1;
  const both = typeof input === 'number' && typeof hidden === 'number' ? input + hidden : null;
  return {
    kernel: 'recurrent' as const,
    macs: times(steps, batch, directions, g, hidden, both),
    otherOps: times(steps, batch, directions, 3 * g, hidden),
  };
};

const relate = (c: ChannelContext): readonly ChannelRelation[] => {
  const reason = `the hidden units of ${c.node.op} feed back into themselves`;
  const freeze = (f: Facts | undefined, slot: (axis: number) => ChannelRelation): readonly ChannelRelation[] =>
    f?.shape ? [slot(f.shape.length - 1)] : [];
  const size = c.inputs[0]?.shape?.[2];
  const columns: readonly ChannelRelation[] =
    typeof size === 'number' && size === c.inputs[1]?.shape?.[2]
      ? [{ kind: 'same', a: c.in(0, 2), b: c.in(1, 2) }]
      : [];
  return [
    ...columns,
    ...c.outputs.flatMap((f, k) => freeze(f, (axis) => ({ kind: 'freeze', slot: c.out(k, axis), reason }))),
    // The initial states.
    ...c.inputs.flatMap((f, k) =>
      k < 5 ? [] : freeze(f, (axis) => ({ kind: 'freeze', slot: c.in(k, axis), reason })),
    ),
  ];
};

const cells = family({
  domain: '',
  parameters: { 1: 'weight', 2: 'weight', 3: 'bias' },
  work,
  gradient: noGradientYet,
  channels: { relate },
  quantize: noQuantize,
});

const cases = (type: string): readonly OpCase[] => {
  const g = gates[type] ?? 1;
  const outputs = type === 'LSTM' ? 3 : 2;
  return [
    {
      name: 'forward',
      attributes: [attr.int('hidden_size', 4)],
      inputs: [fed(5, 2, 3), fed(1, g * 4, 3), fed(1, g * 4, 4), fed(1, 2 * g * 4)],
      outputs,
      // 5 steps x batch 2 x gates x 4 x (3 + 4)
      macs: 5 * 2 * g * 4 * 7,
    },
    {
      name: 'bidirectional',
      attributes: [attr.int('hidden_size', 4), attr.string('direction', 'bidirectional')],
      inputs: [fed(5, 2, 3), fed(2, g * 4, 3), fed(2, g * 4, 4)],
      outputs,
      macs: 2 * 5 * 2 * g * 4 * 7,
    },
    {
      name: 'batch first',
      attributes: [attr.int('hidden_size', 4), attr.int('layout', 1)],
      inputs: [fed(2, 5, 3), fed(1, g * 4, 3), fed(1, g * 4, 4)],
      outputs,
      macs: 5 * 2 * g * 4 * 7,
      norun: 'no kernel for layout 1',
      shapes: [[2, 5, 1, 4], [2, 1, 4], ...(type === 'LSTM' ? [[2, 1, 4]] : [])],
    },
  ];
};

export const recurrentOps: readonly Op[] = [
  cells('LSTM', [1, 7, 14, 22], infer, {
    gradient: lstmGradient,
    cases: [
      ...cases('LSTM'),
      {
        name: 'peepholes and states, reverse',
        attributes: [attr.int('hidden_size', 2), attr.string('direction', 'reverse')],
        inputs: [
          fed(3, 2, 3),
          fed(1, 8, 3),
          fed(1, 8, 2),
          fed(1, 16),
          undefined,
          fed(1, 2, 2),
          fed(1, 2, 2),
          fed(1, 6),
        ],
        outputs: 3,
        macs: 3 * 2 * 8 * 5,
      },
    ],
  }),
  cells('GRU', [1, 3, 7, 14, 22], infer, {
    gradient: gruGradient,
    cases: [
      ...cases('GRU'),
      {
        name: 'linear before reset',
        attributes: [attr.int('hidden_size', 2), attr.int('linear_before_reset', 1)],
        inputs: [fed(3, 2, 3), fed(1, 6, 3), fed(1, 6, 2), fed(1, 12), undefined, fed(1, 2, 2)],
        outputs: 2,
        macs: 3 * 2 * 6 * 5,
      },
    ],
  }),
  cells('RNN', [1, 7, 14, 22], infer, { gradient: rnnGradient, cases: cases('RNN') }),
];
