/** Owns the optimizers: each emits the next weight and state from weight, gradient, state and step size. */
import type { Emitter } from './backward.ts';
import type { Parameter } from './parameters.ts';

export interface OptimizerSettings {
  readonly optimizer: 'sgd' | 'adam';
  readonly momentum: number;
  /** On weights alone: biases and normalisation are spared. */
  readonly weightDecay: number;
}

export interface Update {
  readonly next: string;
  readonly states: readonly string[];
}

/** State tensors per parameter, each of its shape, zero at the start. */
export const stateCount = (s: OptimizerSettings): number => (s.optimizer === 'adam' ? 2 : 1);

const beta1 = 0.9;
const beta2 = 0.999;
const epsilon = 1e-8;

/** What the learning rate is multiplied by at step t (from 1): Adam's bias correction (Kingma and Ba 2015, section 2). */
export const stepScale = (s: OptimizerSettings, t: number): number =>
  s.optimizer === 'adam' ? Math.sqrt(1 - beta2 ** t) / (1 - beta1 ** t) : 1;

/** `rate`: learning rate as fed; `step`: rate times stepScale. A masked parameter keeps its zeros. */
export function emitUpdate(
  e: Emitter,
  s: OptimizerSettings,
  p: Parameter,
  names: {
    readonly gradient: string;
    readonly states: readonly string[];
    readonly rate: string;
    readonly step: string;
    readonly mask?: string;
  },
): Update {
  const decays = p.role === 'weight' && s.weightDecay > 0;
  const scaled = (value: string, by: number): string => e.one('Mul', [value, e.floats([by], [])]);
  const masked = (value: string): string => (names.mask === undefined ? value : e.one('Mul', [value, names.mask]));
  const [first = '', second = ''] = names.states;
  if (s.optimizer === 'adam') {
    const m = e.one('Add', [scaled(first, beta1), scaled(names.gradient, 1 - beta1)]);
    const squared = e.one('Mul', [names.gradient, names.gradient]);
    const v = e.one('Add', [scaled(second, beta2), scaled(squared, 1 - beta2)]);
    const root = e.one('Add', [e.one('Sqrt', [v]), e.floats([epsilon], [])]);
    let next = e.one('Sub', [p.name, e.one('Mul', [names.step, e.one('Div', [m, root])])]);
    // Decoupled from the moments (Loshchilov and Hutter 2019).
    if (decays) next = e.one('Sub', [next, e.one('Mul', [names.rate, scaled(p.name, s.weightDecay)])]);
    return { next: masked(next), states: [m, v] };
  }
  const gradient = decays ? e.one('Add', [names.gradient, scaled(p.name, s.weightDecay)]) : names.gradient;
  const v = e.one('Add', [scaled(first, s.momentum), gradient]);
  return { next: masked(e.one('Sub', [p.name, e.one('Mul', [names.rate, v])])), states: [v] };
}
