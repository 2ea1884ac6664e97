/**
 * Owns the mixture prior of soft weight sharing (Nowlan and Hinton 1992; Ullrich, Meeds, Welling 2017): Gaussians, one of them held
 * at zero, that learn beside the weights and draw them together; and what becomes of them at the end (merged, weights assigned).
 */
import type { Emitter } from '../autodiff/backward.ts';
import type { Parameter } from '../autodiff/parameters.ts';
import type { OwnParameter, PenaltyTerms } from '../autodiff/penalty.ts';
import { attr } from '../ir/attribute.ts';

export interface MixtureSettings {
  /** With the one at zero: 2 to 256. */
  readonly components: number;
  /** Weight of the mean negative log prior of a weight in the loss (tau of eq. 5, there over the number of samples). */
  readonly strength: number;
  /** Mode of the Beta prior of the zero component's share. */
  readonly zeroShare: number;
  /** Weights of all mixtures together: `strength` is over their mean. */
  readonly total: number;
}

/** One Gaussian. */
export interface Component {
  readonly share: number;
  readonly mean: number;
  readonly variance: number;
}

/** How fast each kind moves beside the weights (Ullrich et al. 2017, section 6.1). */
const pace = { means: 0.05, precisions: 6, shares: 6 };
/** Pseudo-observations of the priors for every weight: Gamma of the zero component's precision, of the others', Beta. */
const belief = { zero: 0.05, others: 0.01, share: 1 };
/**
 * Where the Gamma priors have the components' standard deviation, in those of the weights: at the start, and e to that power at the
 * end. The paper leaves it and takes 47,000 steps; tightened, far fewer draw the weights together.
 */
const narrow = 0.4;
const tightens = -2.9;

interface Start {
  readonly means: Float32Array;
  /** Of all components, the zero one first. */
  readonly logPrecisions: Float32Array;
  readonly deviation: number;
}

/** Means evenly over the range of the weights, each as wide as halfway to its neighbour. */
function startOf(weights: readonly Float32Array[], components: number): Start {
  let [low, high, squares, count] = [0, 0, 0, 0];
  for (const w of weights)
    for (const v of w) {
      low = Math.min(low, v);
      high = Math.max(high, v);
      squares += v * v;
      count++;
    }
  const deviation = Math.max(1e-6, Math.sqrt(squares / Math.max(1, count)));
  const others = components - 1;
  const step = (high - low) / Math.max(1, others - 1) || deviation;
  // Two means at zero would be one: a grid that meets it is moved by a little.
  const means = Float32Array.from({ length: others }, (_, j) => low + step * j + (others === 1 ? step : 0));
  const width = Math.log(1 / (step / 2) ** 2);
  const logPrecisions = new Float32Array(components).fill(width);
  logPrecisions[0] = Math.log(1 / deviation ** 2);
  return { means, logPrecisions, deviation };
}

/** Weights whose shares in all components are held at once. */
const most = 65_536;

/** Order of a mixture's own parameters in what a training gives back. */
export const ownCount = 4;

/** Components as they were learnt. `own`: means, log precisions, logits of the others, logit of the zero component's share. */
export function componentsOf(own: readonly Float32Array[]): readonly Component[] {
  const [means, logPrecisions, logits, zero] = own;
  if (means === undefined || logPrecisions === undefined || logits === undefined || zero === undefined) return [];
  const zeroShare = 1 / (1 + Math.exp(-(zero[0] ?? 0)));
  const top = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const sum = logits.reduce((s, v) => s + Math.exp(v - top), 0);
  const variance = (j: number): number => Math.exp(-(logPrecisions[j] ?? 0));
  return [
    { share: zeroShare, mean: 0, variance: variance(0) },
    ...Array.from(means, (mean, j) => ({
      share: ((1 - zeroShare) * Math.exp((logits[j] ?? 0) - top)) / sum,
      mean,
      variance: variance(j + 1),
    })),
  ];
}

/**
 * Emits the negative log prior of `parameters` (one mixture for all of them), its gradients by them and by its own parameters. For a
 * weight w: a_j = log share_j + (log p_j - p_j (w - m_j)^2) / 2; the prior is log sum exp a; r = softmax a is who it belongs to.
 */
export function emitMixture(
  e: Emitter,
  parameters: readonly Parameter[],
  share: string,
  s: MixtureSettings,
): PenaltyTerms {
  const count = parameters.reduce((n, p) => n + p.values.length, 0);
  const others = s.components - 1;
  const kappa = s.strength / Math.max(1, s.total);
  const start = startOf(
    parameters.map((p) => p.values),
    s.components,
  );
  const [means, precisions, logits, zero] = ['means', 'precisions', 'logits', 'zero'].map((n) => e.fresh(n)) as [
    string,
    string,
    string,
    string,
  ];
  const add = (a: string, b: string): string => e.one('Add', [a, b]);
  const mul = (a: string, b: string): string => e.one('Mul', [a, b]);
  const by = (a: string, f: number): string => mul(a, e.floats([f], []));
  const total = (a: string): string => e.one('ReduceSum', [a], [attr.int('keepdims', 0)]);
  const concat = (a: string, b: string): string => e.one('Concat', [a, b], [attr.int('axis', 0)]);

  const precision = e.one('Exp', [precisions]);
  const yes = e.one('Sigmoid', [zero]);
  const no = e.one('Sigmoid', [e.one('Neg', [zero])]);
  const one = e.ints([1]);
  const logShares = concat(
    e.one('Reshape', [e.one('Log', [yes]), one]),
    add(e.one('LogSoftmax', [logits], [attr.int('axis', 0)]), e.one('Log', [no])),
  );
  const centre = concat(e.floats([0], [1]), means);
  const pc = mul(precision, centre);
  // a_j as a polynomial of w: [1, w, w^2] x [3, components].
  const flat = add(logShares, e.one('Sub', [by(precisions, 0.5), by(mul(pc, centre), 0.5)]));
  const joined = (parts: readonly string[]): string =>
    parts.length === 1 ? (parts[0] ?? '') : e.one('Concat', parts, [attr.int('axis', 0)]);
  const stack = (rows: readonly string[]): string =>
    e.one(
      'Concat',
      rows.map((r) => e.one('Reshape', [r, e.ints([1, s.components])])),
      [attr.int('axis', 0)],
    );
  const coefficients = stack([flat, pc, by(precision, -0.5)]);
  const pulls = e.one('Transpose', [stack([precision, pc])]);

  const gradients = new Map<string, string>();
  const column = (v: string, k: number): string => e.one('Slice', [v, e.ints([k]), e.ints([k + 1]), e.ints([1])]);
  /** Of `n` weights [n, 1] of a parameter: prior, moments and gradient. */
  const piece = (w: string, n: number) => {
    const ones = e.one('Expand', [e.floats([1], [1, 1]), e.ints([n, 1])]);
    const powers = e.one('Concat', [ones, w, mul(w, w)], [attr.int('axis', 1)]);
    const a = e.one('MatMul', [powers, coefficients]);
    const logs = e.one('LogSoftmax', [a], [attr.int('axis', 1)]);
    const r = e.one('Exp', [logs]);
    // Every column of a - log r is log sum exp a.
    const prior = total(e.one('Sub', [column(a, 0), column(logs, 0)]));
    // Sum over components of r p and of r p m.
    const pull = e.one('MatMul', [r, pulls]);
    const gradient = by(e.one('Sub', [mul(w, column(pull, 0)), column(pull, 1)]), kappa);
    // Sums over the weights of r, r w, r w^2.
    return { prior, gradient, moments: e.one('MatMul', [e.one('Transpose', [powers]), r]) };
  };
  const sums = parameters.flatMap((p) => {
    const n = p.values.length;
    const flatWeight = e.one('Reshape', [p.name, e.ints([n, 1])]);
    const parts = Array.from({ length: Math.ceil(n / most) }, (_, k) => {
      const [from, to] = [k * most, Math.min(n, (k + 1) * most)];
      const w = n <= most ? flatWeight : e.one('Slice', [flatWeight, e.ints([from]), e.ints([to]), e.ints([0])]);
      return piece(w, to - from);
    });
    const whole = joined(parts.map((x) => x.gradient));
    gradients.set(p.name, e.one('Reshape', [whole, e.ints(p.dims)]));
    return parts;
  });
  const sum = (of: (x: (typeof sums)[number]) => string): string => {
    const all = sums.map(of);
    return all.length === 1 ? (all[0] ?? '') : e.one('Sum', all);
  };
  const moments = sum((x) => x.moments);
  const moment = (k: number): string =>
    e.one('Reshape', [e.one('Gather', [moments, e.ints([k])], [attr.int('axis', 0)]), e.ints([s.components])]);
  const r = moment(0);
  const rw = moment(1);
  // Sums of r (w - m) and of r (w - m)^2.
  const rd = e.one('Sub', [rw, mul(r, centre)]);
  const rdd = add(e.one('Sub', [moment(2), by(mul(rw, centre), 2)]), mul(r, mul(centre, centre)));
  const head = (a: string): string => e.one('Slice', [a, e.ints([0]), e.ints([1]), e.ints([0])]);
  const tail = (a: string): string => e.one('Slice', [a, e.ints([1]), e.ints([s.components]), e.ints([0])]);

  // Priors of the mixture itself: Gamma(1 + n, n v) of each precision, its mode at 1 / v; Beta of the zero component's share.
  const shapes = Array.from({ length: s.components }, (_, j) => (j === 0 ? belief.zero : belief.others) * count);
  const shape = e.floats(shapes);
  const width = e.one('Exp', [by(share, 2 * tightens)]);
  const rate = mul(e.floats(shapes.map((n) => n * (narrow * start.deviation) ** 2)), width);
  const [a, b] = [belief.share * count * s.zeroShare, belief.share * count * (1 - s.zeroShare)];
  const hyper = add(
    total(e.one('Sub', [mul(rate, precision), mul(shape, precisions)])),
    e.one('Neg', [add(by(e.one('Log', [yes]), a), by(e.one('Log', [no]), b))]),
  );

  const meanGradient = by(e.one('Neg', [tail(mul(precision, rd))]), kappa);
  const likelihood = e.one('Sub', [by(mul(precision, rdd), 0.5), by(r, 0.5)]);
  const precisionGradient = by(add(likelihood, e.one('Sub', [mul(rate, precision), shape])), kappa);
  const rest = tail(r);
  const softmax = e.one('Softmax', [logits], [attr.int('axis', 0)]);
  const logitGradient = by(e.one('Sub', [mul(softmax, total(rest)), rest]), kappa);
  const inZero = e.one('Reshape', [head(r), e.ints([])]);
  // d/ds of -(r0 + a) log yes - (rest + b) log no
  const zeroGradient = by(
    e.one('Sub', [mul(add(total(rest), e.floats([b], [])), yes), mul(add(inZero, e.floats([a], [])), no)]),
    kappa,
  );
  const own: readonly OwnParameter[] = [
    { name: means, dims: [others], initial: start.means, gradient: meanGradient, rateScale: pace.means },
    {
      name: precisions,
      dims: [s.components],
      initial: start.logPrecisions,
      gradient: precisionGradient,
      rateScale: pace.precisions,
    },
    {
      name: logits,
      dims: [others],
      initial: new Float32Array(others),
      gradient: logitGradient,
      rateScale: pace.shares,
    },
    {
      name: zero,
      dims: [],
      initial: Float32Array.of(Math.log(s.zeroShare / (1 - s.zeroShare))),
      gradient: zeroGradient,
      rateScale: pace.shares,
    },
  ];
  return { loss: by(e.one('Sub', [hyper, sum((x) => x.prior)]), kappa), gradients, own };
}

/** KL(a || b) of two Gaussians. */
const divergence = (a: Component, b: Component): number =>
  0.5 * (Math.log(b.variance / a.variance) + (a.variance + (a.mean - b.mean) ** 2) / b.variance - 1);

/**
 * Components that say nearly the same (KL below `limit` one way) are one: shares add up, moments are theirs together, weighted by share
 * (Ullrich et al. 2017, section 4.2). The first stays at zero.
 */
export function mergedComponents(components: readonly Component[], limit = 0.02): readonly Component[] {
  const all = [...components];
  for (;;) {
    let best: { readonly i: number; readonly j: number; readonly kl: number } | undefined;
    for (let i = 0; i < all.length; i++)
      for (let j = i + 1; j < all.length; j++) {
        const [a, b] = [all[i], all[j]];
        if (a === undefined || b === undefined) continue;
        const kl = Math.min(divergence(a, b), divergence(b, a));
        if (kl < limit && (best === undefined || kl < best.kl)) best = { i, j, kl };
      }
    const [a, b] = [all[best?.i ?? -1], all[best?.j ?? -1]];
    if (best === undefined || a === undefined || b === undefined) return all;
    const share = a.share + b.share;
    const mean = best.i === 0 ? 0 : (a.share * a.mean + b.share * b.mean) / share;
    const second = a.share * (a.variance + a.mean ** 2) + b.share * (b.variance + b.mean ** 2);
    all[best.i] = { share, mean, variance: Math.max(1e-12, second / share - mean * mean) };
    all.splice(best.j, 1);
  }
}

/** Which component each weight belongs to most. */
export function assigned(weights: ArrayLike<number>, components: readonly Component[]): Uint8Array {
  const flat = components.map((c) => Math.log(c.share) - 0.5 * Math.log(c.variance));
  return Uint8Array.from({ length: weights.length }, (_, k) => {
    const w = weights[k] ?? 0;
    // What was pruned stays.
    if (w === 0) return 0;
    let [at, most] = [0, Number.NEGATIVE_INFINITY];
    for (const [j, c] of components.entries()) {
      const log = (flat[j] ?? 0) - (w - c.mean) ** 2 / (2 * c.variance);
      if (log > most) [at, most] = [j, log];
    }
    return at;
  });
}
