/** Owns takeTaylor: gradients and gradient x activation over training samples, from labels or from the model's own answers. */
import { axisKey, type ParameterGradient, type TaylorRequest } from '../analysis/evidence.ts';
import { inferFacts } from '../analysis/infer-facts.ts';
import { taylorGraph } from '../autodiff/taylor-graph.ts';
import { type Cancel, checkCancel } from '../base/cancel.ts';
import type { Model } from '../ir/model.ts';
import { writeModel } from '../onnx/write.ts';
import type { RunTensor, Runtime } from '../ports/runtime.ts';
import { argmax } from './class-scores.ts';
import { checkSeen, type EvidenceSource } from './evidence-source.ts';
import { modelInput } from './model-input.ts';

export interface TaylorParts {
  readonly runtime: Runtime;
  readonly model: Model;
  readonly request: TaylorRequest;
  readonly source: EvidenceSource;
  readonly samples: number;
  readonly cancel: Cancel;
  readonly report: (share: number) => void;
}

/** Samples a step: a mean gradient per batch, as in training. */
const batchOf = (samples: number): number => Math.max(1, Math.min(32, samples));

/** One row per sample: 1 at its label, else at what the model itself answers; rows that only fill the batch stay zero. */
function targets(labels: readonly (number | null)[], real: number, scores: Float32Array, classes: number): RunTensor {
  const data = new Float32Array(labels.length * classes);
  for (let n = 0; n < real; n++) {
    const label = labels[n] ?? null;
    const at = label === null ? argmax(scores, n, classes) : label;
    if (at < classes) data[n * classes + at] = 1;
  }
  return { type: 'float', dims: [labels.length, classes], data };
}

function addScaled(to: Float32Array, from: Float32Array, scale: number, absolute: boolean): void {
  for (let i = 0; i < to.length; i++) {
    const v = from[i] ?? 0;
    to[i] = (to[i] ?? 0) + scale * (absolute ? Math.abs(v) : v);
  }
}

/** Taylor terms by axis key, gradients by parameter. A parameter or value that the scores do not depend on gets zeros. */
export async function takeTaylor(parts: TaylorParts): Promise<{
  readonly gradients: ReadonlyMap<string, ParameterGradient>;
  readonly taylor: ReadonlyMap<string, Float64Array>;
}> {
  const { runtime, model, request, source, samples, cancel, report } = parts;
  const batch = batchOf(samples);
  const graph = taylorGraph(model, modelInput(model).name, batch, request);
  const fed: Model = { ...graph.model, graph: { ...graph.model.graph, inputs: graph.model.graph.inputs.slice(0, -1) } };
  const sums = new Map<string, { readonly gradient: Float32Array; readonly meanAbs: Float32Array }>();
  const terms = (request.channels ?? []).map(() => ({ sum: undefined as Float64Array | undefined }));
  const session = await runtime.open({ bytes: writeModel(graph.model) });
  try {
    let batches = 0;
    let seen = 0;
    for await (const { feeds, labels, real } of source(fed, 'train', samples)) {
      checkCancel(cancel);
      const zero = targets(labels, 0, new Float32Array(0), graph.classes);
      const own = labels.slice(0, real).includes(null);
      const scores = own ? (await session.run({ ...feeds, [graph.target]: zero }, [graph.scores]))[graph.scores] : zero;
      const target = targets(labels, real, scores?.data as Float32Array, graph.classes);
      const out = await session.run({ ...feeds, [graph.target]: target });
      for (const [name, output] of graph.gradients) {
        const now = out[output]?.data as Float32Array;
        const sum = sums.get(name) ?? { gradient: new Float32Array(now.length), meanAbs: new Float32Array(now.length) };
        sums.set(name, sum);
        addScaled(sum.gradient, now, 1, false);
        addScaled(sum.meanAbs, now, 1, true);
      }
      graph.terms.forEach((output, k) => {
        const tensor = output === undefined ? undefined : out[output];
        const into = terms[k];
        if (tensor === undefined || into === undefined) return;
        const channels = tensor.dims[1] ?? 1;
        into.sum ??= new Float64Array(channels);
        const data = tensor.data as Float32Array;
        // The loss is a mean over the batch; times the batch, it is each sample's own gradient.
        for (let n = 0; n < real; n++)
          for (let c = 0; c < channels; c++)
            into.sum[c] = (into.sum[c] ?? 0) + batch * Math.abs(data[n * channels + c] ?? 0);
      });
      batches++;
      seen += real;
      report(Math.min(1, seen / Math.max(1, samples)));
    }
    checkSeen(batches);
    for (const sum of sums.values())
      for (const part of [sum.gradient, sum.meanAbs])
        for (let i = 0; i < part.length; i++) part[i] = (part[i] ?? 0) / batches;
    const facts = inferFacts(model);
    for (const name of request.parameters ?? []) {
      const size = (facts.get(name)?.shape ?? []).reduce<number>((n, d) => n * (typeof d === 'number' ? d : 1), 1);
      if (!sums.has(name)) sums.set(name, { gradient: new Float32Array(size), meanAbs: new Float32Array(size) });
    }
    return {
      gradients: sums,
      taylor: new Map(
        (request.channels ?? []).map((c, k) => [
          axisKey(c),
          (terms[k]?.sum ?? new Float64Array(0)).map((v) => v / Math.max(1, seen)),
        ]),
      ),
    };
  } finally {
    await session.release();
  }
}
