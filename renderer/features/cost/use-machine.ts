/** Owns this computer's calibration on the screen: its profile, asked of the host, and the estimates that follow the recipe. */
import { useEffect, useState } from 'react';
import { create } from 'zustand';
import type { MachineProfile } from '#shared/devices/machine/machine-profile.ts';
import { useHost, useJobs } from '../../host/use-host.tsx';
import { modelAsker } from '../../state/ask-model.ts';
import { usePreview } from '../../state/preview.ts';
import { startJob } from '../../state/run-plan.ts';
import { useDocument } from '../../state/store.ts';
import type { MachineAnswer, MachineRequest } from './machine-answer.ts';

/** undefined: not asked yet; null: this computer has not been calibrated. */
const useProfile = create<{ readonly profile: MachineProfile | null | undefined }>(() => ({ profile: undefined }));

const ask = modelAsker<MachineRequest, MachineAnswer | null>(
  () => new Worker(new URL('./machine.worker.ts', import.meta.url), { type: 'module' }),
  { newestOnly: true },
);

export interface MachineEstimate {
  /** true: calibrated; false: not; null: not known yet. */
  readonly calibrated: boolean | null;
  readonly calibrating: boolean;
  readonly calibrate: () => void;
  /** null: not worked out yet, or it cannot be. */
  readonly answer: MachineAnswer | null;
  /** The recipe has changed since. */
  readonly old: boolean;
}

/** The estimate for this computer, following the recipe and the step under a slider. */
export function useMachine(): MachineEstimate {
  const host = useHost();
  const jobs = useJobs();
  const open = useDocument((d) => d.open);
  const edit = useDocument((d) => d.edit);
  const draft = useDocument((d) => d.draft);
  const preview = usePreview((p) => p.preview);
  const profile = useProfile((s) => s.profile);
  const [known, setKnown] = useState<{ readonly answer: MachineAnswer | null; readonly of: unknown } | null>(null);
  const mine = jobs.filter((j) => j.spec.kind === 'calibrate-machine');
  const done = mine.filter((j) => j.state === 'done').length;
  useEffect(() => {
    // `done` is what changes when a calibration has ended: then the profile is another.
    void done;
    let wanted = true;
    host
      .call('machineProfile', {})
      .then((found) => wanted && useProfile.setState({ profile: found }))
      .catch(() => wanted && useProfile.setState({ profile: null }));
    return () => {
      wanted = false;
    };
  }, [host, done]);
  useEffect(() => {
    if (open === null || preview === null || !profile) return;
    return ask(open, { edit, draft, profile }, (answered) =>
      setKnown({ answer: answered.ok ? answered.value : null, of: preview }),
    );
  }, [open, edit, draft, preview, profile]);
  return {
    calibrated: profile === undefined ? null : profile !== null,
    calibrating: mine.some((j) => j.state === 'running' || j.state === 'waiting'),
    calibrate: () => void startJob(host, { kind: 'calibrate-machine', seconds: 50 }),
    answer: known?.answer ?? null,
    old: known?.of !== preview,
  };
}
