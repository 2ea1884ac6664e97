/** Owns serveModel: a worker's side of answering about the opened model, so that the page never waits for it. */
import { type FaultData, toFault } from '#shared/base/fault.ts';
import type { Model } from '#shared/ir/model.ts';
import { readSkeleton } from '#shared/onnx/skeleton.ts';
import type { Summaries } from '#shared/techniques/declare.ts';

/** A model and its summaries are sent once; asks follow. */
export type ToModelWorker<Request> =
  | { readonly kind: 'open'; readonly skeleton: Uint8Array }
  | { readonly kind: 'summaries'; readonly of: Summaries | undefined }
  | { readonly kind: 'ask'; readonly id: number; readonly request: Request };

export type FromModelWorker<Answer> =
  | { readonly id: number; readonly value: Answer }
  | { readonly id: number; readonly fault: FaultData };

/** Answers every question that comes to this worker; what `answer` throws goes back as a fault. */
export function serveModel<Request, Answer>(
  answer: (model: Model, request: Request, summaries: Summaries | undefined) => Answer,
): void {
  let model: Model | undefined;
  let summaries: Summaries | undefined;
  const answered = (id: number, request: Request): FromModelWorker<Answer> => {
    if (model === undefined) throw new Error('asked before a model was sent');
    try {
      return { id, value: answer(model, request, summaries) };
    } catch (thrown) {
      return { id, fault: toFault(thrown).toData() };
    }
  };
  addEventListener('message', ({ data }: MessageEvent<ToModelWorker<Request>>) => {
    if (data.kind === 'open') {
      model = readSkeleton(data.skeleton);
      summaries = undefined;
    } else if (data.kind === 'summaries') summaries = data.of;
    else postMessage(answered(data.id, data.request));
  });
}
