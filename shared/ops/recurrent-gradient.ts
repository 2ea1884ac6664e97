/**
 * Owns the gradients of LSTM, GRU and RNN: the cell is written out step by step in operators with rules of their own (back-
 * propagation through time, Werbos 1990), the input's product for all steps at once.
 */
import { text } from '../base/text.ts';
import { attr, attribute, attributeOf, intAttr, stringAttr, utf8 } from '../ir/attribute.ts';
import type { GradientContext, GradientRule } from './declare.ts';
import { add, mul, oneMinus, part, refuse, reshapeTo, transposeBy, xShape } from './gradient-rule.ts';

/** Names as ONNX writes them; those with parameters of their own are refused. */
const functions = new Set(['Sigmoid', 'Tanh', 'Relu', 'Softsign', 'Softplus']);
const standard: Readonly<Record<string, readonly string[]>> = {
  LSTM: ['Sigmoid', 'Tanh', 'Tanh'],
  GRU: ['Sigmoid', 'Tanh'],
  RNN: ['Tanh'],
};

interface Cell {
  readonly hidden: number;
  /** Activation k of this direction, applied. */
  act(k: number, value: string): string;
  /** Input's product with its bias at a step: [B, gates * H]. */
  readonly step: string;
  /** Transposed recurrence [H, gates * H], and its bias [gates * H] where there is one. */
  readonly recurrence: string;
  readonly bias?: string;
  /** [3 * H] (LSTM). */
  readonly peephole?: string;
}
type State = readonly string[];

const gate = (c: GradientContext, value: string, k: number, hidden: number): string =>
  part(c, value, 1, k * hidden, (k + 1) * hidden);

/** [H, gates * H] or [gates * H], columns of one gate. */
const columns = (c: GradientContext, value: string, axis: number, k: number, hidden: number): string =>
  part(c, value, axis, k * hidden, (k + 1) * hidden);

/** Gates i, o, f, c (LSTM-7); state: h, c. */
function lstm(c: GradientContext, cell: Cell, [h = '', state = '']: State): State {
  const { hidden, act } = cell;
  const all = add(c, cell.step, c.one('MatMul', [h, cell.recurrence]));
  const pre = cell.bias === undefined ? all : add(c, all, cell.bias);
  const peep = (value: string, k: number, of: string): string =>
    cell.peephole === undefined ? value : add(c, value, mul(c, columns(c, cell.peephole, 0, k, hidden), of));
  const input = act(0, peep(gate(c, pre, 0, hidden), 0, state));
  const forget = act(0, peep(gate(c, pre, 2, hidden), 2, state));
  const next = add(c, mul(c, forget, state), mul(c, input, act(1, gate(c, pre, 3, hidden))));
  const output = act(0, peep(gate(c, pre, 1, hidden), 1, next));
  return [mul(c, output, act(2, next)), next];
}

/** Gates z, r, h (GRU-7); state: h. */
function gru(c: GradientContext, cell: Cell, [h = '']: State): State {
  const { hidden, act } = cell;
  const biased = (value: string, from: number, to: number): string =>
    cell.bias === undefined ? value : add(c, value, part(c, cell.bias, 0, from * hidden, to * hidden));
  const product = (of: string, from: number, to: number): string =>
    biased(c.one('MatMul', [of, part(c, cell.recurrence, 1, from * hidden, to * hidden)]), from, to);
  const both = product(h, 0, 2);
  const update = act(0, add(c, gate(c, cell.step, 0, hidden), gate(c, both, 0, hidden)));
  const reset = act(0, add(c, gate(c, cell.step, 1, hidden), gate(c, both, 1, hidden)));
  const recurrent =
    intAttr(c.node, 'linear_before_reset', 0) === 1 ? mul(c, reset, product(h, 2, 3)) : product(mul(c, reset, h), 2, 3);
  const candidate = act(1, add(c, gate(c, cell.step, 2, hidden), recurrent));
  return [add(c, mul(c, oneMinus(c, update), candidate), mul(c, update, h))];
}

function rnn(c: GradientContext, cell: Cell, [h = '']: State): State {
  const pre = add(c, cell.step, c.one('MatMul', [h, cell.recurrence]));
  return [cell.act(0, cell.bias === undefined ? pre : add(c, pre, cell.bias))];
}

const cells = { LSTM: lstm, GRU: gru, RNN: rnn } as const;
const gatesOf = { LSTM: 4, GRU: 3, RNN: 1 } as const;
type Kind = keyof typeof cells;

function activations(c: GradientContext, kind: Kind, direction: number): readonly string[] {
  const names = attributeOf(c.node, 'activations', 'strings')?.map(utf8);
  const per = standard[kind] ?? [];
  const own = names?.slice(direction * per.length, (direction + 1) * per.length) ?? per;
  const odd = own.find((name) => !functions.has(name));
  return odd === undefined && own.length === per.length
    ? own
    : refuse(c, text(`its activation ${odd ?? ''} is not followed`, `활성 함수 ${odd ?? ''}을(를) 다루지 않습니다`));
}

/** One direction of the layer: states after every step, in the order of time, and the last. */
function direction(c: GradientContext, kind: Kind, d: number, backwards: boolean) {
  const [steps = 1, batch = 1] = xShape(c);
  const [, rows = 1] = xShape(c, 1);
  const gates = gatesOf[kind];
  const hidden = rows / gates;
  const has = (k: number): boolean => (c.node.inputs[k] ?? '') !== '';
  const of = (k: number, dims: readonly number[]): string => reshapeTo(c, part(c, c.x(k), 0, d, d + 1), dims);
  const [, , width = 1] = xShape(c, 1);
  const names = activations(c, kind, d);
  const bias = has(3) ? of(3, [2 * rows]) : undefined;
  const product = c.one('MatMul', [c.x(0), transposeBy(c, of(1, [rows, width]), [1, 0])]);
  const projected = bias === undefined ? product : add(c, product, part(c, bias, 0, 0, rows));
  const recurrence = transposeBy(c, of(2, [rows, hidden]), [1, 0]);
  const fixed = {
    hidden,
    recurrence,
    act: (k: number, value: string) => c.one(names[k] ?? 'Tanh', [value]),
    ...(bias === undefined ? {} : { bias: part(c, bias, 0, rows, 2 * rows) }),
    ...(has(7) ? { peephole: of(7, [3 * hidden]) } : {}),
  };
  const start = (k: number): string =>
    has(k) ? of(k, [batch, hidden]) : c.one('ConstantOfShape', [c.ints([batch, hidden])]);
  let state: State = kind === 'LSTM' ? [start(5), start(6)] : [start(5)];
  const after: string[] = [];
  for (let i = 0; i < steps; i++) {
    const t = backwards ? steps - 1 - i : i;
    const step = reshapeTo(c, part(c, projected, 0, t, t + 1), [batch, rows]);
    state = cells[kind](c, { ...fixed, step }, state);
    after[t] = reshapeTo(c, state[0] ?? '', [1, 1, batch, hidden]);
  }
  const last = state.map((s) => reshapeTo(c, s, [1, batch, hidden]));
  const joined = after.length === 1 ? (after[0] ?? '') : c.one('Concat', after, [attr.int('axis', 0)]);
  return { joined, last };
}

const recurrent =
  (kind: Kind): GradientRule =>
  (c) => {
    if (intAttr(c.node, 'layout', 0) === 1) return refuse(c, text('its batch comes first', '배치가 맨 앞에 옵니다'));
    if ((c.node.inputs[4] ?? '') !== '')
      return refuse(c, text('its sequences have lengths of their own', '시퀀스마다 길이가 다릅니다'));
    if (attribute(c.node, 'clip') !== undefined) return refuse(c, text('it clips its gates', '게이트를 클리핑합니다'));
    if (intAttr(c.node, 'input_forget', 0) === 1)
      return refuse(c, text('its input and forget gates are coupled', '입력 게이트와 망각 게이트가 묶여 있습니다'));
    const way = stringAttr(c.node, 'direction', 'forward');
    return c.through(() => {
      const ways = way === 'bidirectional' ? [false, true] : [way === 'reverse'];
      const found = ways.map((backwards, d) => direction(c, kind, d, backwards));
      const join = (values: readonly string[], axis: number): string =>
        values.length === 1 ? (values[0] ?? '') : c.one('Concat', values, [attr.int('axis', axis)]);
      const states = kind === 'LSTM' ? [0, 1] : [0];
      return [
        join(
          found.map((f) => f.joined),
          1,
        ),
        ...states.map((k) =>
          join(
            found.map((f) => f.last[k] ?? ''),
            0,
          ),
        ),
      ];
    });
  };

export const lstmGradient = recurrent('LSTM');
export const gruGradient = recurrent('GRU');
export const rnnGradient = recurrent('RNN');
