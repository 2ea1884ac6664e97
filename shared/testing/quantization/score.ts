/** Owns the score of a model against its float original on the same inputs: right answers, equal answers, signal to noise. */
import type { Feeds, RunTensor, Session } from '../../ports/runtime.ts';
import { argmax } from '../../training/class-scores.ts';

export interface Score {
  /** Right answers; null without labels. */
  readonly correct: number | null;
  readonly of: number;
  /** Share of rows (last axis) of the first output whose largest entry is the reference's; null where those are no scores. */
  readonly agreement: number | null;
  /** Of the worst output over all inputs; Infinity where equal. */
  readonly sqnrDb: number;
}

type Outputs = Readonly<Record<string, RunTensor>>;

/** All outputs of all inputs. */
export async function runAll(session: Session, feeds: readonly Feeds[]): Promise<readonly Outputs[]> {
  const out: Outputs[] = [];
  for (const f of feeds) out.push(await session.run(f));
  return out;
}

/** Rows of class scores: neither one number alone nor a picture. */
const scored = (t: RunTensor | undefined): boolean => t !== undefined && t.dims.length <= 3 && (t.dims.at(-1) ?? 1) > 1;

/** The outputs of one model against the float model's. */
export function scoreOf(expected: readonly Outputs[], got: readonly Outputs[], labels?: readonly number[]): Score {
  const names = Object.keys(expected[0] ?? {});
  const power = new Map<string, { signal: number; noise: number }>(names.map((n) => [n, { signal: 0, noise: 0 }]));
  let [correct, rows, same] = [0, 0, 0];
  for (const [k, was] of expected.entries()) {
    const is = got[k] ?? {};
    for (const [name, sums] of power) {
      const [a, b] = [was[name]?.data ?? [], is[name]?.data ?? []];
      for (let i = 0; i < a.length; i++) {
        const x = Number(a[i]);
        sums.signal += x * x;
        sums.noise += (x - Number(b[i])) ** 2;
      }
    }
    const first = was[names[0] ?? ''];
    const other = is[names[0] ?? ''];
    const size = first?.dims.at(-1) ?? 1;
    const [p, q] = [Float32Array.from(first?.data ?? [], Number), Float32Array.from(other?.data ?? [], Number)];
    for (let r = 0; r < p.length / size; r++, rows++) if (argmax(p, r, size) === argmax(q, r, size)) same++;
    if (argmax(q, 0, size) === labels?.[k]) correct++;
  }
  const db = [...power.values()].map(({ signal, noise }) =>
    noise === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(signal / noise),
  );
  return {
    correct: labels === undefined ? null : correct,
    of: expected.length,
    agreement: scored(expected[0]?.[names[0] ?? '']) ? same / Math.max(1, rows) : null,
    sqnrDb: Math.min(...db),
  };
}
