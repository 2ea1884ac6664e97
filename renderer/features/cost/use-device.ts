/** Owns asking the device worker: of the questions that wait only the newest is put, so that a slider is never behind. */
import { useEffect, useState } from 'react';
import type { DeviceProfile } from '#shared/devices/profile.ts';
import type { OpenModel } from '../../state/document.ts';
import { summariesOf, usePreview } from '../../state/preview.ts';
import { useDocument } from '../../state/store.ts';
import type { FromDeviceWorker, ToDeviceWorker } from './device.worker.ts';
import type { DeviceAnswer, DeviceRequest } from './device-answer.ts';
import { chosenProfile, type DeviceChoice, useDeviceChoice } from './device-choice.ts';

interface Asked {
  readonly open: OpenModel;
  readonly request: DeviceRequest;
  readonly answer: (answer: DeviceAnswer | null) => void;
}

let worker: Worker | undefined;
let nextId = 0;
let current: (Asked & { readonly id: number }) | null = null;
let waiting: Asked | null = null;
/** What the worker holds. */
let held: { readonly serial: number; readonly summaries: ReturnType<typeof summariesOf> } | null = null;

function started(): Worker {
  if (worker !== undefined) return worker;
  worker = new Worker(new URL('./device.worker.ts', import.meta.url), { type: 'module' });
  worker.addEventListener('message', ({ data }: MessageEvent<FromDeviceWorker>) => {
    if (current?.id !== data.id) return;
    const { answer } = current;
    current = null;
    answer(data.answer);
    next();
  });
  return worker;
}

function next(): void {
  if (current !== null || waiting === null) return;
  const { open } = waiting;
  const tell = (message: ToDeviceWorker): void => started().postMessage(message);
  const summaries = summariesOf(open);
  if (held?.serial !== open.serial) {
    tell({ kind: 'open', skeleton: open.skeleton });
    held = { serial: open.serial, summaries: undefined };
  }
  if (held.summaries !== summaries) {
    tell({ kind: 'summaries', of: summaries });
    held = { serial: open.serial, summaries };
  }
  current = { ...waiting, id: nextId++ };
  waiting = null;
  tell({ kind: 'ask', id: current.id, request: current.request });
}

interface Known {
  readonly answer: DeviceAnswer | null;
  /** The preview, profile and unit that it is of. */
  readonly of: unknown;
  readonly profile: DeviceProfile;
  readonly unit: string;
}

export interface DeviceFigures {
  /** null: not worked out yet, or it cannot be. */
  readonly answer: DeviceAnswer | null;
  /** The recipe has changed since. */
  readonly old: boolean;
}

/** The estimate for a device, following the recipe and the step under a slider. */
export function useDevice(choice: DeviceChoice): DeviceFigures {
  const open = useDocument((d) => d.open);
  const edit = useDocument((d) => d.edit);
  const draft = useDocument((d) => d.draft);
  // Asked when the screen's own preview is through; it is also what changes when magnitude summaries arrive.
  const preview = usePreview((p) => p.preview);
  const own = useDeviceChoice((s) => s.own);
  const profile = chosenProfile(choice, own);
  const { unit } = choice;
  const [known, setKnown] = useState<Known | null>(null);
  useEffect(() => {
    if (open === null || preview === null) return;
    let wanted = true;
    const request = { edit, draft, profile, unit };
    waiting = { open, request, answer: (answer) => wanted && setKnown({ answer, of: preview, profile, unit }) };
    next();
    return () => {
      wanted = false;
    };
  }, [open, edit, draft, preview, profile, unit]);
  const fits = known?.profile === profile && known.unit === unit;
  return { answer: fits ? known.answer : null, old: known?.of !== preview };
}
