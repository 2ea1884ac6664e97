/** Owns a comparison of several kinds of one net over seeds: errors, sizes and work of each, means with spread, every seed. */
import { mean } from 'simple-statistics';
import { measureFigures } from '#shared/analysis/measure-figures.ts';
import { count } from '../table.ts';
import type { KeptModel } from './kept-models.ts';
import { type Page, points, spread, spreadOrUnknown, type Table, times } from './page.ts';
import { type Errors, errorsOf, type Study } from './study.ts';

/** One kind of net: how it comes from the dense one of a seed. */
export interface Kind {
  readonly id: string;
  readonly title: string;
  readonly make: (study: Study, dense: KeptModel, seed: number) => Promise<KeptModel>;
}

export interface Compared extends Errors {
  readonly seed: number;
  readonly fileBytes: number;
  readonly parameters: number;
  readonly macs: number | null;
}

export interface Comparison {
  readonly kinds: readonly { readonly id: string; readonly title: string; readonly runs: readonly Compared[] }[];
}

/** Every kind with every seed; `dense` gives what they all start from. */
export async function compareKinds(
  study: Study,
  kinds: readonly Kind[],
  seeds: readonly number[],
  dense: (seed: number) => Promise<KeptModel>,
): Promise<Comparison> {
  const runs = new Map<Kind, Compared[]>(kinds.map((k) => [k, []]));
  for (const seed of seeds) {
    const from = await dense(seed);
    for (const [kind, done] of runs) {
      const { model } = await kind.make(study, from, seed);
      const { fileBytes, parameters, macs } = measureFigures(model);
      done.push({ seed, ...(await errorsOf(study, model)), fileBytes, parameters, macs });
    }
  }
  return { kinds: [...runs].map(([{ id, title }, done]) => ({ id, title, runs: done })) };
}

/** Means and standard deviations; `work`: parameters and MACs too, where kinds differ in them. */
export function meansTable(c: Comparison, work: boolean): Table {
  const first = c.kinds[0]?.runs[0];
  return {
    head: ['', 'validation', 'test', 'MNIST test', 'file bytes', 'smaller', ...(work ? ['parameters', 'MACs'] : [])],
    rows: c.kinds.map(({ title, runs }) => {
      const bytes = mean(runs.map((r) => r.fileBytes));
      const [one] = runs;
      return [
        title,
        spread(runs.map((r) => r.validation)),
        spread(runs.map((r) => r.error)),
        spreadOrUnknown(runs.map((r) => r.mnistTest)),
        count(Math.round(bytes)),
        times((first?.fileBytes ?? 0) / bytes),
        ...(work ? [count(one?.parameters ?? null), count(one?.macs ?? null)] : []),
      ];
    }),
  };
}

/** Test errors of every seed, and MNIST's where they are known. */
export function seedsSection(c: Comparison): Page['sections'][number] {
  const table = (of: (r: Compared) => number | null): Table => ({
    head: ['', ...(c.kinds[0]?.runs ?? []).map((r) => `seed ${r.seed}`)],
    rows: c.kinds.map(({ title, runs }) => [title, ...runs.map((r) => points(of(r)))]),
  });
  const known = c.kinds.every(({ runs }) => runs.every((r) => r.mnistTest !== null));
  return {
    title: 'Every seed',
    parts: [
      'Errors of the 2,000 test digits:',
      table((r) => r.error),
      ...(known ? ['Errors of MNIST’s 10,000 test digits:', table((r) => r.mnistTest)] : []),
    ],
  };
}
