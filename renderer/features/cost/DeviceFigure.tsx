/** Owns the latency figure for a device that is not here: estimated, before -> now, with what it rests on. */
import type { ReactNode } from 'react';
import type { DeviceProfile } from '#shared/devices/profile.ts';
import { refusalWords } from '#shared/devices/words.ts';
import { fullCount, milliseconds, percent, ratio, shortBytes } from '../../ui/format.ts';
import { useText } from '../../ui/language.ts';
import { Popover } from '../../ui/Popover.tsx';
import { changeText } from './change-text.ts';
import type { DeviceAnswer, DeviceSummary } from './device-answer.ts';
import { chosenProfile, type DeviceChoice, useDeviceChoice } from './device-choice.ts';
import { deviceWords as words } from './device-words.ts';
import { Figure } from './Figure.tsx';
import { useDevice } from './use-device.ts';
import { words as stripWords } from './words.ts';

const millijoules = (mj: number): string =>
  mj < 0.095 ? `${Number((mj * 1000).toPrecision(2))} µJ` : `${Number(mj.toPrecision(2))} mJ`;

function MemoryRows({ of }: { readonly of: DeviceSummary }) {
  const say = useText();
  const { weightBytes, activationBytes, deviceBytes, fits, onChip } = of.memory;
  const needed = weightBytes === null || activationBytes === null ? null : weightBytes + activationBytes;
  const text =
    needed === null
      ? say(words.unknown)
      : deviceBytes === null
        ? say(words.needed, { needed: shortBytes(needed) })
        : say(words.memoryOf, { needed: shortBytes(needed), all: shortBytes(deviceBytes) });
  return (
    <>
      <dt>{say(words.memory)}</dt>
      <dd className={fits === false ? 'device-bad' : ''}>{text}</dd>
      {onChip !== null && (
        <>
          <dt>{say(words.onChip)}</dt>
          <dd className={onChip.fits ? '' : 'device-bad'}>
            {say(onChip.fits ? words.memoryOf : words.overChip, {
              needed: shortBytes(onChip.needed),
              all: shortBytes(onChip.bytes),
            })}
          </dd>
        </>
      )}
    </>
  );
}

function Details({ answer, profile }: { readonly answer: DeviceAnswer; readonly profile: DeviceProfile }) {
  const say = useText();
  const { now, before, check } = answer;
  const unit = profile.units.find((u) => u.id === now.unit);
  const bounds = [
    [words.byCompute, now.byBound.compute],
    [words.byMemory, now.byBound.memory],
    [words.byLaunch, now.byBound.launch],
  ] as const;
  const energy = now.energyMj;
  return (
    <div className="device-details">
      <strong>{say(words.title, { device: profile.name })}</strong>
      <p>{say(words.notMeasured, { unit: unit?.name ?? '', software: unit?.software ?? '' })}</p>
      <dl>
        <dt>{say(words.time)}</dt>
        <dd>
          {bounds.map(([title, ms]) => (
            <span key={title.en} className="device-bound">
              {say(title)} <span className="estimated">{milliseconds(ms)}</span>
            </span>
          ))}
        </dd>
        <MemoryRows of={now} />
        <dt>{say(words.energy)}</dt>
        <dd>
          {energy === null ? (
            say(words.unknown)
          ) : (
            <span className="estimated">{say(words.energyOf, { mj: millijoules(energy) })}</span>
          )}
          {energy !== null && before.energyMj !== null && before.energyMj !== energy && (
            <span className="muted"> ({ratio(before.energyMj, energy)})</span>
          )}
          <span className="muted small">
            {now.energyOf === 'general' && ` ${say(words.energyGeneral)}`}
            {now.energyNotKnown > 0 && `; ${say(words.energyPart, { n: now.energyNotKnown })}`}
          </span>
        </dd>
      </dl>
      {now.fallenBack > 0 && <p className="device-bad">{say(words.fallBackWhy, { unit: unit?.name ?? '' })}</p>}
      {now.notTimed > 0 && <p className="device-bad">{say(words.notTimedWhy)}</p>}
      {now.refused.length > 0 && (
        <ul>
          {now.refused.slice(0, 6).map(({ why, layers }) => (
            <li key={JSON.stringify(why)}>
              {say(words.layers, { n: fullCount(layers), why: say(refusalWords(why, unit?.name ?? '')) })}
            </li>
          ))}
        </ul>
      )}
      <p className="muted">
        {check === null
          ? say(words.notChecked)
          : say(words.checked, { n: check.rows, error: percent(check.medianError, 0) })}
      </p>
      {profile.notes.map((note) => (
        <p key={note.en} className="muted small">
          {say(note)}
        </p>
      ))}
    </div>
  );
}

export interface DeviceFigureProps {
  readonly choice: DeviceChoice;
  readonly changed: boolean;
  readonly picker: ReactNode;
}

export function DeviceFigure({ choice, changed, picker }: DeviceFigureProps) {
  const say = useText();
  const { answer, old } = useDevice(choice);
  const own = useDeviceChoice((s) => s.own);
  const profile = chosenProfile(choice, own);
  const unit = profile.units.find((u) => u.id === choice.unit);
  const title = say(stripWords.latency);
  if (answer === null)
    return (
      <Figure
        id="latency"
        title={title}
        badge={picker}
        before={null}
        now={<span className="unknown">{say(words.working)}</span>}
        share={null}
        line=""
      />
    );
  const { before, now } = answer;
  // What is amiss takes the place of the word that opens the details, which say it at length.
  const amiss = [
    ...(now.notTimed > 0 ? [say(words.notTimed, { n: now.notTimed })] : []),
    ...(now.fallenBack > 0 ? [say(words.fallBack, { n: now.fallenBack })] : []),
  ];
  const details = (
    <Popover
      label={say(words.details)}
      align="right"
      trigger={({ open, toggle }) => (
        <button
          type="button"
          className={amiss.length > 0 ? 'link device-amiss' : 'link'}
          aria-expanded={open}
          onClick={toggle}
        >
          {amiss[0] ?? say(words.details)}
        </button>
      )}
    >
      {() => <Details answer={answer} profile={profile} />}
    </Popover>
  );
  const [a, b] = [before.ms, now.ms];
  const compared = changed && a !== null && b !== null;
  const near = compared && Math.max(a, b) < Math.min(a, b) * 1.01;
  const said = (of: DeviceSummary): string =>
    of.ms === null
      ? say(of.memory.fits === false ? words.doesNotFit : words.unknown)
      : of.notTimed > 0
        ? say(words.atLeast, { ms: milliseconds(of.ms) })
        : milliseconds(of.ms);
  const line = compared ? changeText(say, a, b, near) : '';
  return (
    <Figure
      id="latency"
      title={title}
      badge={picker}
      before={changed && (a !== null || before.memory.fits === false) ? said(before) : null}
      now={
        b === null ? (
          <strong className={now.memory.fits === false ? 'device-bad' : 'unknown'}>{said(now)}</strong>
        ) : (
          <strong className={old ? 'estimated stale' : 'estimated'}>{said(now)}</strong>
        )
      }
      why={say(words.notMeasured, { unit: unit?.name ?? '', software: unit?.software ?? '' })}
      share={compared ? b / a : null}
      worse={compared && !near && b > a}
      line={
        <>
          {line} {details}
        </>
      }
    />
  );
}
