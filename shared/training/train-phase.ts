/**
 * Owns one phase of a training: epochs, each judged on validation, the best kept. Chosen on validation alone; test samples are
 * out of reach.
 */
import { neverCancelled } from '../base/cancel.ts';
import { Fault } from '../base/fault.ts';
import { text } from '../base/text.ts';
import { divergedAdvice } from './divergence.ts';
import { judge, pick } from './judge-epoch.ts';
import type { Training } from './open-training.ts';
import { type EpochEnd, remasked, runEpoch } from './train-epoch.ts';
import {
  type Best,
  type Earlier,
  type EpochReport,
  fits,
  initialValues,
  type Judged,
  type TrainState,
  type Values,
} from './train-state.ts';

/**
 * Whether an epoch takes the place of the best so far. By accuracy: the last one within one standard error of the top is kept
 * (Breiman et al. 1984), so that single epochs that validate best by luck do not win over later ones; none worse than the
 * start. Without accuracy: by loss.
 */
function wins(t: Training, now: Judged, s: TrainState, top: number): boolean {
  if (t.parts.settings.keep === 'last' || s.best.epoch < 0) return true;
  if (now.validation !== null) {
    const error = Math.sqrt((top * (1 - top)) / Math.max(1, t.data.info.counts.validation));
    return now.validation >= top - error && now.validation >= (s.start.validation ?? 0);
  }
  return now.validationLoss === null || now.validationLoss <= (s.best.validationLoss ?? Number.POSITIVE_INFINITY);
}

/** What of the carried values is kept of the best epoch. */
const results = (t: Training, values: Values): Values => pick(values, [...t.graph.learnt, ...t.graph.own]);

async function firstState(t: Training, { earlier, curve }: Place): Promise<TrainState> {
  const values = remasked(t, initialValues(t.graph), 0);
  const start = await judge(t, values);
  // Masks that are still to move: what stands before they are final is no result.
  const best: Best = { epoch: t.parts.settings.remask === undefined ? 0 : -1, ...start, values: results(t, values) };
  const top = best.epoch < 0 ? 0 : (start.validation ?? 0);
  const begun = { epoch: 0, steps: 0, values, best, start, top, topEpoch: 0, firstLoss: null, curve, seconds: 0 };
  return earlier === undefined ? begun : { ...begun, earlier };
}

/** The phases before this one, what they told, and what comes after. */
export interface Place {
  readonly earlier?: Earlier;
  readonly curve: readonly EpochReport[];
  /** Epochs planned for the phases that follow. */
  readonly epochsToCome: number;
}

export interface PhaseEnd {
  readonly state: TrainState;
  readonly cancelled: boolean;
  /** Why it stopped where its loss ran away; `state` then holds the best epoch before. */
  readonly diverged?: Fault;
}

/** Weights that are no numbers any more are no result, whatever they answer. */
function checkNumbers(t: Training, values: Values, where: string): void {
  for (const { data } of Object.values(results(t, values)))
    if (!(data as Float32Array).every(Number.isFinite))
      throw new Fault('diverged', text('weights are no numbers any more', '가중치가 더 이상 수가 아닙니다'), {
        where,
        hint: divergedAdvice,
      });
}

/** Runs one phase. Faults: `diverged` where no epoch was worth keeping before. */
export async function runPhase(t: Training, place: Place): Promise<PhaseEnd> {
  const { settings, clock, onEpoch, onState, cancel = neverCancelled } = t.parts;
  const { patience = 0 } = settings;
  const { earlier } = place;
  const kept = t.parts.state;
  const goesOn = kept !== undefined && kept.earlier?.phases === earlier?.phases && fits(kept, t.graph);
  let s = goesOn ? kept : await firstState(t, place);
  const started = clock.now() - s.seconds * 1000;
  const before = earlier?.epochs ?? 0;
  let cancelled = false;
  while (s.epoch < settings.epochs) {
    if (patience > 0 && s.epoch - s.topEpoch >= patience) break;
    const epoch = s.epoch + 1;
    let end: EpochEnd;
    try {
      end = await runEpoch(t, s, { before, toCome: place.epochsToCome });
      checkNumbers(t, end.values, `epoch ${before + epoch}`);
    } catch (thrown) {
      const worth = s.best.epoch > 0 || (earlier?.bestEpoch ?? 0) > 0;
      if (thrown instanceof Fault && thrown.code === 'diverged' && worth)
        return { state: s, cancelled: false, diverged: thrown };
      throw thrown;
    }
    const judged = end.cancelled ? { validation: null, validationLoss: null } : await judge(t, end.values);
    cancelled = end.cancelled || cancel.requested;
    // An epoch that was cut short, or could not be judged, is not kept.
    if (cancelled && judged.validationLoss === null) break;
    const final = settings.remask === undefined || epoch / settings.epochs >= settings.remask.until;
    const better =
      judged.validation === null
        ? (judged.validationLoss ?? 0) < (s.best.validationLoss ?? Number.POSITIVE_INFINITY)
        : judged.validation > s.top;
    const top: number = final ? Math.max(s.top, judged.validation ?? 0) : s.top;
    const best = final && wins(t, judged, s, top) ? { epoch, ...judged, values: results(t, end.values) } : s.best;
    const seconds = (clock.now() - started) / 1000;
    // How long an epoch of a later phase takes is not known before.
    const secondsLeft = place.epochsToCome > 0 ? null : (seconds / epoch) * (settings.epochs - epoch);
    const report: EpochReport = { epoch: before + epoch, loss: end.loss, ...judged, rate: end.rate, secondsLeft };
    const { values, steps, firstLoss } = end;
    const topEpoch: number = better || !final ? epoch : s.topEpoch;
    s = { ...s, epoch, steps, values, best, top, topEpoch, firstLoss, curve: [...s.curve, report], seconds };
    await onState?.(s);
    onEpoch?.(report);
    if (cancelled) break;
  }
  return { state: { ...s, seconds: (clock.now() - started) / 1000 }, cancelled };
}
