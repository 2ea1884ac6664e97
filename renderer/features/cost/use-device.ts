/** Owns the chosen device's estimate on the screen, following the recipe and the step under a slider. */
import { useEffect, useState } from 'react';
import type { DeviceProfile } from '#shared/devices/profile.ts';
import { modelAsker } from '../../state/ask-model.ts';
import { usePreview } from '../../state/preview.ts';
import { useDocument } from '../../state/store.ts';
import type { DeviceAnswer, DeviceRequest } from './device-answer.ts';
import { chosenProfile, type DeviceChoice, useDeviceChoice } from './device-choice.ts';

const ask = modelAsker<DeviceRequest, DeviceAnswer | null>(
  () => new Worker(new URL('./device.worker.ts', import.meta.url), { type: 'module' }),
  { newestOnly: true },
);

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
    return ask(open, { edit, draft, profile, unit }, (answered) =>
      setKnown({ answer: answered.ok ? answered.value : null, of: preview, profile, unit }),
    );
  }, [open, edit, draft, preview, profile, unit]);
  const fits = known?.profile === profile && known.unit === unit;
  return { answer: fits ? known.answer : null, old: known?.of !== preview };
}
