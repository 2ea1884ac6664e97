/** Owns quantized(): one quantize step on a model as a job does it, with the law checked on the way. */
import { expect } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { calibrate } from '../analysis/calibration.ts';
import type { ShapeChoice } from '../analysis/figures.ts';
import { inferFacts } from '../analysis/infer-facts.ts';
import { measureFigures } from '../analysis/measure-figures.ts';
import { neverCancelled } from '../base/cancel.ts';
import { type FieldValues, fieldDefaults } from '../base/fields.ts';
import { type Model, opsetVersion } from '../ir/model.ts';
import { readModel } from '../onnx/read.ts';
import { writeModel } from '../onnx/write.ts';
import type { Feeds } from '../ports/runtime.ts';
import type { Rewrite, StepContext } from '../techniques/declare.ts';
import { brokenPromise } from '../techniques/promises.ts';
import { quantize } from '../techniques/quantize.ts';
import type { EvidenceSource } from '../training/evidence-source.ts';
import { gatherEvidence } from '../training/gather-evidence.ts';
import { convertOpset } from '../transforms/convert-opset.ts';
import { randomFeeds, runModel, sqnrDb } from './feeds.ts';

const runtime = nodeRuntime(1);

/** Inputs and dimensions other than the file's own with random numbers. */
export interface QuantizedOptions {
  /** Calibrated on all, judged on the first. */
  readonly feeds?: readonly Feeds[];
  readonly shapes?: ShapeChoice;
  /** Ids of nodes that are not selected. */
  readonly without?: readonly string[];
}

export function contextOf(m: Model, params: FieldValues, shapes?: ShapeChoice): StepContext {
  const parsed = { ...fieldDefaults(quantize.params), ...params };
  const needed = quantize.needs.opset?.(parsed) ?? 0;
  const raised = convertOpset(m, Math.max(needed, opsetVersion(m) ?? 0));
  const ranges = (): never => {
    throw new Error('a preview asks for no range');
  };
  return {
    model: raised,
    facts: inferFacts(raised, shapes),
    selected: raised.graph.nodes,
    params: parsed,
    seed: 1,
    ranges,
  };
}

/** The context with everything that the step asks of samples. */
async function informed(c: StepContext, feeds: readonly Feeds[]): Promise<StepContext> {
  const request = quantize.needs.calibration?.(c);
  const ranges =
    request === undefined
      ? c.ranges
      : await calibrate(runtime, request.model ?? c.model, request, feeds, neverCancelled);
  const source: EvidenceSource = () => ({
    async *[Symbol.asyncIterator]() {
      for (const f of feeds) yield { feeds: f, labels: [null], real: 1 };
    },
  });
  let ready: StepContext = { ...c, ranges };
  for (let round = 0; ; round++) {
    const asked = quantize.needs.evidence?.(ready, round);
    if (asked === undefined) return ready;
    const parts = { runtime, model: c.model, request: asked, source, seed: c.seed, cancel: neverCancelled };
    ready = { ...ready, evidence: [...(ready.evidence ?? []), await gatherEvidence(parts)] };
  }
}

/** Calibrate and rewrite: the step alone, without the law. */
export async function quantizedModel(
  m: Model,
  params: FieldValues,
  feeds: readonly Feeds[],
  shapes?: ShapeChoice,
): Promise<Rewrite> {
  return quantize.rewrite(await informed(contextOf(m, params, shapes), feeds));
}

/** Preview, calibrate, rewrite, write, read back, run; checks the law on the way. */
export async function quantized(m: Model, params: FieldValues = {}, options: QuantizedOptions = {}) {
  const { shapes } = options;
  const all = contextOf(m, params, shapes);
  const c = { ...all, selected: all.selected.filter((n) => options.without?.includes(n.id) !== true) };
  const predicted = measureFigures(quantize.rewrite(c).model, shapes);
  const feeds = options.feeds ?? [1, 2, 3].map((seed) => randomFeeds(m, seed));
  const done = quantize.rewrite(await informed(c, feeds));
  const bytes = writeModel(done.model);
  const back = readModel(bytes);
  const after = measureFigures(back, shapes);
  const before = measureFigures(c.model, shapes);
  expect(brokenPromise(quantize, c.model, back, { before, after, predicted })).toBeUndefined();
  expect(after.fileBytes).toBe(bytes.length);
  const session = await runtime.open({ bytes }, { threads: 1, profile: true });
  const first = feeds[0] ?? {};
  const got = await session.run(first);
  const kernels = (await session.endProfile()).map((p) => p.op);
  await session.release();
  const expected = await runModel(runtime, m, first);
  const db = Object.entries(expected).flatMap(([k, t]) => (got[k] === undefined ? [] : [sqnrDb(t, got[k])]));
  for (const t of Object.values(got)) for (const x of t.data) expect(Number.isFinite(Number(x))).toBe(true);
  const taken = new Set(done.layers.filter((l) => l.taken).map((l) => l.id));
  const macs = before.layers.reduce((sum, l) => sum + (taken.has(l.id) ? (l.macs ?? 0) : 0), 0);
  /** Share of the MACs in layers that were taken; null where the MACs are not known. */
  const share = before.macs === null ? null : macs / before.macs;
  return {
    ...done,
    share,
    got,
    expected,
    back,
    kernels,
    db: Math.min(...db),
    ids: done.model.graph.nodes.map((n) => n.id),
  };
}
