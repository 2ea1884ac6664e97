/** Owns the optimizers: each emits the next weight and state from weight, gradient, state and step size. */

import type { ParameterRole } from '../ops/declare.ts';
import type { Emitter } from './backward.ts';

export type OptimizerKind = 'sgd' | 'adam' | 'adamw';

export interface OptimizerSettings {
  readonly optimizer: OptimizerKind;
  /** Of `sgd`. */
  readonly momentum: number;
  readonly nesterov?: boolean;
  /** On weights alone: biases and normalisation are spared. */
  readonly weightDecay: number;
}

export interface Update {
  readonly next: string;
  readonly states: readonly string[];
}

/** State tensors per parameter, each of its shape, zero at the start. */
export const stateCount = (s: OptimizerSettings): number => (s.optimizer === 'sgd' ? 1 : 2);

const beta1 = 0.9;
const beta2 = 0.999;
const epsilon = 1e-8;

/** What the learning rate is multiplied by at step t (from 1): Adam's bias correction (Kingma and Ba 2015, section 2). */
export const stepScale = (s: Pick<OptimizerSettings, 'optimizer'>, t: number): number =>
  s.optimizer === 'sgd' ? 1 : Math.sqrt(1 - beta2 ** t) / (1 - beta1 ** t);

/** `rate`: learning rate as fed; `step`: rate times stepScale. A masked parameter keeps its zeros. */
export function emitUpdate(
  e: Emitter,
  s: OptimizerSettings,
  p: { readonly name: string; readonly role: ParameterRole },
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
  // Decay as part of the gradient, but for adamw, where it stands beside it (Loshchilov and Hutter 2019, algorithm 2).
  const apart = s.optimizer === 'adamw';
  const gradient = decays && !apart ? e.one('Add', [names.gradient, scaled(p.name, s.weightDecay)]) : names.gradient;
  if (s.optimizer === 'sgd') {
    const v = e.one('Add', [scaled(first, s.momentum), gradient]);
    // Looking ahead: the gradient once more on top of the new velocity (Sutskever et al. 2013, eqs. 3 and 4, rewritten).
    const along = s.nesterov === true ? e.one('Add', [scaled(v, s.momentum), gradient]) : v;
    return { next: masked(e.one('Sub', [p.name, e.one('Mul', [names.rate, along])])), states: [v] };
  }
  const m = e.one('Add', [scaled(first, beta1), scaled(gradient, 1 - beta1)]);
  const v = e.one('Add', [scaled(second, beta2), scaled(e.one('Mul', [gradient, gradient]), 1 - beta2)]);
  const root = e.one('Add', [e.one('Sqrt', [v]), e.floats([epsilon], [])]);
  let next = e.one('Sub', [p.name, e.one('Mul', [names.step, e.one('Div', [m, root])])]);
  if (decays && apart) next = e.one('Sub', [next, e.one('Mul', [names.rate, scaled(p.name, s.weightDecay)])]);
  return { next: masked(next), states: [m, v] };
}
