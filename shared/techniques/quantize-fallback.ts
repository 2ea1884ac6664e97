/**
 * Owns the automatic fall-back of quantization (mixed precision): which layers stay float so that a floor is met. Each layer is tried
 * alone; the worst are then left out, fewest first, until validation samples meet the floor. Test samples are never seen.
 */
import type { EvidenceRequest, TrialScore } from '../analysis/evidence.ts';
import type { FieldValues } from '../base/fields.ts';
import { type Text, text } from '../base/text.ts';
import { evidenceOf, type Rewrite, type StepContext, type Taken } from './declare.ts';

/** At most so many samples judge a candidate. */
const mostSamples = 64;
/** How many of the worst layers are left out together. */
const ladder = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128];

export const hasFloor = (p: FieldValues): boolean => p.keep === 'sqnr' || p.keep === 'agreement';

const meets = (p: FieldValues, s: TrialScore): boolean =>
  p.keep === 'sqnr' ? s.sqnrDb >= Number(p.leastDb) : (s.agreement ?? -1) >= Number(p.leastAgreement);

/** The context with these layers not selected. */
const without = (c: StepContext, ids: ReadonlySet<string>): StepContext => ({
  ...c,
  selected: c.selected.filter((n) => !ids.has(n.id)),
});

const alone = (id: string): string => `alone ${id}`;
const leaving = (count: number): string => `leaving ${count}`;

/** Layers by what each costs alone, the worst first. */
function byCost(c: StepContext, ids: readonly string[]): readonly { readonly id: string; readonly db: number }[] {
  const evidence = evidenceOf(c, 0);
  return ids.map((id) => ({ id, db: evidence.trial(alone(id)).sqnrDb })).sort((a, b) => a.db - b.db);
}

const stepsOf = (count: number): readonly number[] => ladder.filter((k) => k < count);

/** What the samples are asked: every layer alone and all together; then all but the worst ones. */
export function fallbackTrials(
  c: StepContext,
  round: number,
  rewrite: (c: StepContext) => Rewrite,
): EvidenceRequest | undefined {
  if (!hasFloor(c.params) || round > 1) return undefined;
  const samples = Math.min(mostSamples, Number(c.params.samples));
  const ids = takenBy(rewrite(c));
  const trial = (key: string, of: StepContext) => ({ key, model: () => rewrite(of).model });
  if (round === 0) {
    const one = (id: string): StepContext => ({ ...c, selected: c.selected.filter((n) => n.id === id) });
    return { samples, trials: [trial(leaving(0), c), ...ids.map((id) => trial(alone(id), one(id)))] };
  }
  if (meets(c.params, evidenceOf(c, 0).trial(leaving(0)))) return undefined;
  const worst = byCost(c, ids).map((l) => l.id);
  return {
    samples,
    trials: stepsOf(ids.length).map((k) => trial(leaving(k), without(c, new Set(worst.slice(0, k))))),
  };
}

const takenBy = (r: Rewrite): readonly string[] => r.layers.filter((l) => l.taken).map((l) => l.id);

/** The rewrite with the worst layers left float, as the trials told; in a preview, or without a floor, of all of them. */
export function withFallback(c: StepContext, rewrite: (c: StepContext) => Rewrite): Rewrite {
  const all = rewrite(c);
  if (!hasFloor(c.params) || c.evidence === undefined || c.evidence.length === 0) return all;
  if (meets(c.params, evidenceOf(c, 0).trial(leaving(0)))) return all;
  const order = byCost(c, takenBy(all));
  const tried = stepsOf(order.length);
  const found = tried.find((k) => meets(c.params, evidenceOf(c, 1).trial(leaving(k))));
  const kept = order.slice(0, found ?? tried.at(-1) ?? 0);
  const rest = rewrite(without(c, new Set(kept.map((l) => l.id))));
  const left = kept.map(
    ({ id, db }): Taken => ({
      id,
      taken: false,
      reason: `it stays float: alone it costs ${Number.isFinite(db) ? `${db.toFixed(1)} dB` : 'nothing'}, more than the others`,
    }),
  );
  return {
    ...rest,
    layers: [...rest.layers, ...left],
    notes: [...rest.notes, saidOf(kept.length, found !== undefined)],
  };
}

const saidOf = (count: number, met: boolean): Text =>
  met
    ? text(
        `${count} of the layers stay float, so that validation samples meet the floor.`,
        `검증 표본이 하한을 만족하도록 레이어 ${count}개를 float로 남깁니다.`,
      )
    : text(
        `The floor is not met: ${count} of the layers stay float and the result is still below it.`,
        `하한을 만족하지 못했습니다. 레이어 ${count}개를 float로 남겨도 결과가 하한보다 낮습니다.`,
      );
