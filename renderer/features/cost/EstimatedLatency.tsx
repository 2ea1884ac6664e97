/** Owns the latency of this computer as its calibration estimates it, before anything runs; never drawn like a measured one. */
import type { ReactNode } from 'react';
import { type WhyNotFaster, whyNotFasterWords } from '#shared/analysis/latency/why-not-faster.ts';
import { milliseconds } from '../../ui/format.ts';
import { useText } from '../../ui/language.ts';
import { changeText } from './change-text.ts';
import { Figure } from './Figure.tsx';
import type { MachineFigure } from './machine-answer.ts';
import { machineWords as words } from './machine-words.ts';
import type { MachineEstimate } from './use-machine.ts';
import { words as stripWords } from './words.ts';

/** The button that calibrates, where this computer has not been; `beside` another link, which it is kept apart from. */
export function CalibrateLink({ machine, beside }: { readonly machine: MachineEstimate; readonly beside: boolean }) {
  const say = useText();
  if (machine.calibrated !== false) return null;
  return (
    <>
      {beside ? ' · ' : ''}
      <button
        type="button"
        className="link"
        disabled={machine.calibrating}
        onClick={machine.calibrate}
        title={say(words.calibrateWhy)}
      >
        {say(machine.calibrating ? words.calibrating : words.calibrate)}
      </button>
    </>
  );
}

export interface EstimatedLatencyProps {
  readonly before: MachineFigure | null;
  readonly now: MachineFigure;
  readonly changed: boolean;
  /** Why it is no faster, where it is not. */
  readonly because: readonly WhyNotFaster[];
  /** The recipe has changed since. */
  readonly old: boolean;
  readonly badge: ReactNode;
  /** The button that measures. */
  readonly action: ReactNode;
}

export function EstimatedLatency({ before, now, changed, because, old, badge, action }: EstimatedLatencyProps) {
  const say = useText();
  const spread = now.plusMinusPercent.toFixed(0);
  const compared = changed && before !== null;
  const from = compared ? before.ms : now.ms;
  const share = compared ? now.ms / from : null;
  // A change within what two estimates of one kind of kernel differ by is no change that anybody would measure.
  const near = share !== null && share > 0.97 && share < 1.03;
  const change = share === null ? '' : changeText(say, from, now.ms, near, words.noChange);
  const why = [
    ...(changed ? because.map((b) => say(whyNotFasterWords[b])) : []),
    say(words.why, { percent: spread }),
    ...(now.guessed.length > 0 ? [say(words.guessed, { kinds: now.guessed.join(', ') })] : []),
  ].join(' ');
  return (
    <Figure
      id="latency"
      title={say(stripWords.latency)}
      badge={badge}
      before={compared ? milliseconds(before.ms) : null}
      now={<strong className={old ? 'estimated stale' : 'estimated'}>{milliseconds(now.ms)}</strong>}
      why={why}
      share={share}
      worse={share !== null && share > 1 && !near}
      line={
        <>
          {change === '' ? '' : `${change} · `}
          {say(words.spread, { percent: spread })} {action}
        </>
      }
    />
  );
}
