/** Owns the worker that works out what cards would give, so that no technique blocks the page. */
import type { Model } from '#shared/ir/model.ts';
import { readSkeleton } from '#shared/onnx/skeleton.ts';
import type { Summaries } from '#shared/techniques/declare.ts';
import { type Gain, type GainRequest, gainOf } from './gain.ts';

/** A model and its summaries are sent once; asks follow. */
export type ToGainWorker =
  | { readonly kind: 'open'; readonly skeleton: Uint8Array }
  | { readonly kind: 'summaries'; readonly of: Summaries | undefined }
  | { readonly kind: 'ask'; readonly id: number; readonly request: GainRequest };

export interface FromGainWorker {
  readonly id: number;
  readonly gain: Gain;
}

let model: Model | undefined;
let summaries: Summaries | undefined;

addEventListener('message', ({ data }: MessageEvent<ToGainWorker>) => {
  if (data.kind === 'open') {
    model = readSkeleton(data.skeleton);
    summaries = undefined;
  } else if (data.kind === 'summaries') summaries = data.of;
  else if (model !== undefined)
    postMessage({ id: data.id, gain: gainOf(model, data.request, summaries) } satisfies FromGainWorker);
});
