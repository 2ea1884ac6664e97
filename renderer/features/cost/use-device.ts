/** Owns asking the device worker: of the questions that wait only the newest is put, so that a slider is never behind. */
import { useEffect, useState } from 'react';
import type { OpenModel } from '../../state/document.ts';
import { summariesOf, usePreview } from '../../state/preview.ts';
import { useDocument } from '../../state/store.ts';
import type { FromDeviceWorker, ToDeviceWorker } from './device.worker.ts';
import type { DeviceAnswer, DeviceRequest } from './device-answer.ts';
import type { DeviceChoice } from './device-choice.ts';

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

export interface DeviceFigures {
  /** null: not worked out yet, or it cannot be. */
  readonly answer: DeviceAnswer | null;
  /** The recipe has changed since. */
  readonly old: boolean;
}

/** The estimate for a device, following the recipe and the step under a slider. */
export function useDevice(choice: DeviceChoice | null): DeviceFigures {
  const open = useDocument((d) => d.open);
  const edit = useDocument((d) => d.edit);
  const draft = useDocument((d) => d.draft);
  // Asked when the screen's own preview is through; it is also what changes when magnitude summaries arrive.
  const preview = usePreview((p) => p.preview);
  const [known, setKnown] = useState<{ readonly answer: DeviceAnswer | null; readonly of: unknown } | null>(null);
  const { device, unit } = choice ?? { device: '', unit: '' };
  useEffect(() => {
    if (open === null || preview === null || device === '') return;
    let wanted = true;
    const request = { edit, draft, device, unit };
    waiting = { open, request, answer: (answer) => wanted && setKnown({ answer, of: preview }) };
    next();
    return () => {
      wanted = false;
    };
  }, [open, edit, draft, preview, device, unit]);
  const fits = known?.answer?.now.device === device && known.answer.now.unit === unit;
  return { answer: fits ? (known?.answer ?? null) : null, old: known?.of !== preview };
}
