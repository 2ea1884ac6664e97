/**
 * Owns the choice of channels by LASSO (He, Zhang, Sun 2017, eq. 2): the fewest channels from which the outputs of the layers that
 * read them can be put together, on sampled rows.
 */
import type { ChannelGroup } from '../analysis/channel-groups.ts';
import type { Evidence } from '../analysis/evidence.ts';
import { type Rng, rng } from '../base/random.ts';
import { toFloat32 } from '../ir/values.ts';
import type { Reader } from './channel-readers.ts';

/** Normal equations of the outputs from per-channel contributions: G = Z'Z / m, b = Z'y / m. */
export interface Problem {
  readonly n: number;
  readonly gram: Float64Array;
  readonly target: Float64Array;
}

/** (row, output) pairs drawn a reader: some times as many as there are channels. */
const pairsFor = (units: number): number => Math.max(2000, 12 * units);

/**
 * Contributions of each unit to sampled outputs of the readers: z[s, u] = sum over the unit's weights of x w, and what they make
 * together. Every reader counts alike.
 */
export function lassoProblem(
  group: ChannelGroup,
  readers: readonly Reader[],
  evidence: Pick<Evidence, 'rows'>,
  random: Rng,
): Problem {
  const n = group.units;
  const gram = new Float64Array(n * n);
  const target = new Float64Array(n);
  for (const reader of readers) {
    const rows = evidence.rows(reader.node.id);
    const w = toFloat32(reader.weight);
    const { units, cells } = reader;
    const m = Math.min(pairsFor(n), rows.rows * rows.width);
    const z = new Float64Array(m * n);
    let power = 0;
    for (let s = 0; s < m; s++) {
      const row = random.below(rows.rows) * rows.columns;
      const o = random.below(rows.width);
      let y = 0;
      for (let u = 0; u < n; u++) {
        let sum = 0;
        for (let j = 0; j < units.perUnit; j++) {
          const i = units.indices[u * units.perUnit + j] ?? 0;
          for (let k = 0; k < cells; k++) sum += (rows.inputs[row + i * cells + k] ?? 0) * (w[reader.at(o, i, k)] ?? 0);
        }
        z[s * n + u] = sum;
        y += sum;
      }
      power += y * y;
    }
    if (power > 0) addNormal(z, m, n, 1 / power, gram, target);
  }
  return { n, gram, target };
}

function addNormal(
  z: Float64Array,
  m: number,
  n: number,
  share: number,
  gram: Float64Array,
  target: Float64Array,
): void {
  for (let s = 0; s < m; s++) {
    const row = z.subarray(s * n, (s + 1) * n);
    const y = row.reduce((a, b) => a + b, 0) * share;
    for (let u = 0; u < n; u++) {
      const v = row[u] ?? 0;
      if (v === 0) continue;
      target[u] = (target[u] ?? 0) + v * y;
      const scaled = v * share;
      for (let k = 0; k < n; k++) gram[u * n + k] = (gram[u * n + k] ?? 0) + scaled * (row[k] ?? 0);
    }
  }
}

/** Coordinate descent on 1/2 b'Gb - t'b + penalty |b|_1 from `start`, in place. */
function descend({ n, gram, target }: Problem, penalty: number, beta: Float64Array): void {
  for (let sweep = 0; sweep < 200; sweep++) {
    let moved = 0;
    for (let u = 0; u < n; u++) {
      const own = gram[u * n + u] ?? 0;
      if (own <= 0) {
        beta[u] = 0;
        continue;
      }
      let rest = target[u] ?? 0;
      for (let k = 0; k < n; k++) if (k !== u) rest -= (gram[u * n + k] ?? 0) * (beta[k] ?? 0);
      const next = (Math.sign(rest) * Math.max(Math.abs(rest) - penalty, 0)) / own;
      moved = Math.max(moved, Math.abs(next - (beta[u] ?? 0)));
      beta[u] = next;
    }
    if (moved < 1e-4) return;
  }
}

const chosen = (beta: Float64Array): number => beta.reduce((n, b) => n + (b === 0 ? 0 : 1), 0);

/**
 * Scores of units when `keep` of them are to stay: the penalty is raised until no more than that many differ from zero, as the
 * paper does; what room is left goes to those that explain most of the rest. Higher is stronger.
 */
export function lassoScores(problem: Problem, keep: number): Float64Array {
  const { n, gram, target } = problem;
  let low = 0;
  let high = target.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  let best: Float64Array = new Float64Array(n);
  for (let step = 0; step < 24 && high > 0; step++) {
    const middle = (low + high) / 2;
    // From zero: of two channels that say the same, the first takes all and the other stays out.
    const beta = new Float64Array(n);
    descend(problem, middle, beta);
    const count = chosen(beta);
    if (count > keep) low = middle;
    else {
      high = middle;
      best = beta;
      if (count === keep) break;
    }
  }
  // What the chosen leave unexplained, in the direction of each that was not.
  return Float64Array.from({ length: n }, (_, u) => {
    const b = best[u] ?? 0;
    const own = Math.sqrt(Math.max(0, gram[u * n + u] ?? 0));
    if (b !== 0) return 1e6 + Math.abs(b) * own;
    let rest = target[u] ?? 0;
    for (let k = 0; k < n; k++) rest -= (gram[u * n + k] ?? 0) * (best[k] ?? 0);
    return own > 0 ? Math.abs(rest) / own : 0;
  });
}

/** Scores from evidence; the same for the same seed. */
export const lassoFrom = (
  group: ChannelGroup,
  readers: readonly Reader[],
  evidence: Pick<Evidence, 'rows'>,
  seed: number,
  keep: number,
): Float64Array => lassoScores(lassoProblem(group, readers, evidence, rng(seed).fork(group.id)), keep);
