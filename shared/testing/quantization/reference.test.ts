/** Static 8 bit is no worse than what the ONNX Runtime Python tool gave on the same model, samples and inputs. */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../../electron/runtime/node-runtime.ts';
import type { Model } from '../../ir/model.ts';
import { writeModel } from '../../onnx/write.ts';
import type { Feeds } from '../../ports/runtime.ts';
import { wilson95 } from '../../training/class-scores.ts';
import { quantizedModel } from '../quantized.ts';
import { runAll, scoreOf } from './score.ts';
import { better, recordedReference, subjects } from './subjects.ts';

const runtime = nodeRuntime(1);
const { models } = recordedReference();

async function outputsOf(model: Model, feeds: readonly Feeds[]) {
  const session = await runtime.open({ bytes: writeModel(model) }, { threads: 1 });
  try {
    return await runAll(session, feeds);
  } finally {
    await session.release();
  }
}

/** Stands in the table alone: 720 x 720 pixels take longer than all the rest. */
const large = new Set(['style-candy-convtranspose']);

const judged = subjects().flatMap((subject) => {
  const recorded = large.has(subject.name) ? undefined : models[subject.name];
  return recorded === undefined || 'fault' in recorded ? [] : [{ name: subject.name, subject, recorded }];
});

describe('against the recorded reference', () => {
  it.each(judged)('$name', async ({ subject, recorded }) => {
    const reference = better(recorded, 'some');
    const inputs = await subject.inputs(500);
    const model = subject.model();
    const shapes = { inputs: Object.fromEntries(Object.entries(inputs.judged[0] ?? {}).map(([k, t]) => [k, t.dims])) };
    const done = await quantizedModel(model, {}, inputs.calibration, shapes);
    const expected = await outputsOf(model, inputs.judged);
    const score = scoreOf(expected, await outputsOf(done.model, inputs.judged), inputs.labels);
    expect(score.of).toBe(reference.of);
    expect(score.sqnrDb).toBeGreaterThan(reference.sqnrDb - 1);
    if (score.correct === null || reference.correct === null) return;
    const [low] = wilson95(reference.correct, reference.of);
    expect(score.correct / score.of).toBeGreaterThanOrEqual(low);
  });
});
