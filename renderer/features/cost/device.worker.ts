/** Owns the worker that estimates on a device, so that a slider never waits for it. */
import type { Model } from '#shared/ir/model.ts';
import { readSkeleton } from '#shared/onnx/skeleton.ts';
import type { Summaries } from '#shared/techniques/declare.ts';
import { type DeviceAnswer, type DeviceRequest, deviceAnswer } from './device-answer.ts';

/** A model and its summaries are sent once; asks follow. */
export type ToDeviceWorker =
  | { readonly kind: 'open'; readonly skeleton: Uint8Array }
  | { readonly kind: 'summaries'; readonly of: Summaries | undefined }
  | { readonly kind: 'ask'; readonly id: number; readonly request: DeviceRequest };

export interface FromDeviceWorker {
  readonly id: number;
  readonly answer: DeviceAnswer | null;
}

let model: Model | undefined;
let summaries: Summaries | undefined;

addEventListener('message', ({ data }: MessageEvent<ToDeviceWorker>) => {
  if (data.kind === 'open') {
    model = readSkeleton(data.skeleton);
    summaries = undefined;
  } else if (data.kind === 'summaries') summaries = data.of;
  else if (model !== undefined)
    postMessage({ id: data.id, answer: deviceAnswer(model, data.request, summaries) } satisfies FromDeviceWorker);
});
