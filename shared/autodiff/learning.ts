/** Owns what learns in a training graph: gradients clipped together, each tensor and its optimizer state moved by one step. */
import { attr } from '../ir/attribute.ts';
import type { ParameterRole } from '../ops/declare.ts';
import type { Emitter } from './backward.ts';
import type { Names } from './graph-settings.ts';
import { emitUpdate, type OptimizerSettings, stateCount } from './optimizers.ts';
import type { Carried } from './trained-part.ts';

export interface Learning {
  readonly name: string;
  readonly dims: readonly number[];
  readonly initial: Float32Array;
  readonly role: ParameterRole;
  readonly gradient: string;
  readonly mask?: string;
  readonly rateScale?: number;
}

/** Gradients scaled down together where their common norm is above the limit. */
export function clipped(e: Emitter, learning: readonly Learning[], limit: number | undefined): readonly Learning[] {
  if (limit === undefined || limit <= 0) return learning;
  const squares = learning.map((l) => e.one('ReduceSumSquare', [l.gradient], [attr.int('keepdims', 0)]));
  const norm = e.one('Sqrt', [squares.length === 1 ? (squares[0] ?? '') : e.one('Sum', squares)]);
  const top = e.floats([limit], []);
  const factor = e.one('Div', [top, e.one('Max', [norm, top])]);
  return learning.map((l) => ({ ...l, gradient: e.one('Mul', [l.gradient, factor]) }));
}

/** The parameter and its optimizer state, as they go in and out. */
export function updated(e: Emitter, s: OptimizerSettings, l: Learning, names: Names): readonly Carried[] {
  const states = Array.from({ length: stateCount(s) }, () => e.fresh(`${l.name}.state`));
  const scaled = (rate: string): string =>
    l.rateScale === undefined ? rate : e.one('Mul', [rate, e.floats([l.rateScale], [])]);
  const mask = l.mask === undefined ? {} : { mask: l.mask };
  const rates = { rate: scaled(names.rate), step: scaled(names.step) };
  const update = emitUpdate(e, s, l, { gradient: l.gradient, states, ...rates, ...mask });
  return [
    { input: l.name, output: update.next, dims: l.dims, initial: l.initial },
    ...states.map((input, i) => ({
      input,
      output: update.states[i] ?? '',
      dims: l.dims,
      initial: new Float32Array(l.initial.length),
    })),
  ];
}
