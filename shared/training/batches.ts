/** Owns running many samples through a session in batches as large as the model takes. */
import { type Cancel, checkCancel, neverCancelled } from '../base/cancel.ts';
import type { Feeds, RunTensor, Session } from '../ports/runtime.ts';
import type { ModelInput } from './model-input.ts';

/** Feeds `count` samples, `make(indices)` giving the input tensor of some; calls `take` with each batch's outputs. */
export interface BatchRun {
  readonly session: Session;
  readonly input: ModelInput;
  readonly count: number;
  readonly make: (indices: readonly number[]) => Promise<RunTensor>;
  readonly fetch?: readonly string[];
  readonly cancel?: Cancel;
}

export type Outputs = Readonly<Record<string, RunTensor>>;

const freeBatch = 64;

/** Samples per run: the model's fixed batch, or 64 where it proves to take that, or 1. */
export async function batchSize(run: BatchRun): Promise<number> {
  if (run.input.batch !== null) return run.input.batch;
  const size = Math.min(freeBatch, run.count);
  if (size <= 1) return 1;
  const [name] = run.fetch ?? run.session.outputNames;
  try {
    const feeds: Feeds = { [run.input.name]: await run.make(Array.from({ length: size }, (_, i) => i)) };
    const out = await run.session.run(feeds, run.fetch);
    return name !== undefined && out[name]?.dims[0] === size ? size : 1;
  } catch {
    // A batch written into a Reshape refuses any other; one at a time still works, or says why it does not.
    return 1;
  }
}

/** Rows of a tensor along its first axis, the first `keep` of them. */
function head(tensor: RunTensor, size: number, keep: number): RunTensor {
  if (keep === size || tensor.dims[0] !== size) return tensor;
  const each = tensor.dims.slice(1).reduce((a, b) => a * b, 1);
  const data = tensor.data.slice(0, keep * each) as RunTensor['data'];
  return { ...tensor, dims: [keep, ...tensor.dims.slice(1)], data };
}

/** Runs all samples in order. A fixed batch is filled up with the last sample, whose extra outputs are cut off. */
export async function runBatches(
  run: BatchRun,
  take: (outputs: Outputs, indices: readonly number[]) => void,
): Promise<void> {
  const size = await batchSize(run);
  for (let from = 0; from < run.count; from += size) {
    checkCancel(run.cancel ?? neverCancelled);
    const real = Math.min(size, run.count - from);
    const fill = run.input.batch === null ? real : size;
    const indices = Array.from({ length: fill }, (_, i) => Math.min(from + i, run.count - 1));
    const out = await run.session.run({ [run.input.name]: await run.make(indices) }, run.fetch);
    const kept = Object.fromEntries(Object.entries(out).map(([k, t]) => [k, head(t, fill, real)]));
    take(kept, indices.slice(0, real));
  }
}
