/** Owns the worker that estimates on this computer, so that a slider never waits for it. */
import type { MachineProfile } from '#shared/devices/machine/machine-profile.ts';
import type { Model } from '#shared/ir/model.ts';
import { readSkeleton } from '#shared/onnx/skeleton.ts';
import type { Summaries } from '#shared/techniques/declare.ts';
import { type MachineAnswer, type MachineRequest, machineAnswer } from './machine-answer.ts';

/** Profile, model and summaries are sent once; asks follow. */
export type ToMachineWorker =
  | { readonly kind: 'profile'; readonly profile: MachineProfile }
  | { readonly kind: 'open'; readonly skeleton: Uint8Array }
  | { readonly kind: 'summaries'; readonly of: Summaries | undefined }
  | { readonly kind: 'ask'; readonly id: number; readonly request: MachineRequest };

export interface FromMachineWorker {
  readonly id: number;
  readonly answer: MachineAnswer | null;
}

let profile: MachineProfile | undefined;
let model: Model | undefined;
let summaries: Summaries | undefined;

addEventListener('message', ({ data }: MessageEvent<ToMachineWorker>) => {
  if (data.kind === 'profile') profile = data.profile;
  else if (data.kind === 'open') {
    model = readSkeleton(data.skeleton);
    summaries = undefined;
  } else if (data.kind === 'summaries') summaries = data.of;
  else {
    const answer =
      model === undefined || profile === undefined ? null : machineAnswer(model, profile, data.request, summaries);
    postMessage({ id: data.id, answer } satisfies FromMachineWorker);
  }
});
