/** The law of lowering on the corpus: down, and up again, the runtime's outputs stay. */
import { describe, expect, it } from 'vitest';
import { openModelFile } from '../../electron/host/model-files.ts';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { measureFigures } from '../analysis/measure-figures.ts';
import { Fault } from '../base/fault.ts';
import { type Model, opsetVersion } from '../ir/model.ts';
import { embedded } from '../onnx/embedded.ts';
import { corpusEntries, corpusPath } from '../testing/corpus.ts';
import { maxError, randomFeeds, runModel } from '../testing/feeds.ts';
import { convertOpset } from './convert-opset.ts';
import { lowerOpset } from './lower-opset.ts';

const runtime = nodeRuntime(1);
const runs = corpusEntries.filter((e) => e.ort_run.startsWith('ok') && !e.file.startsWith('5-edge/'));
const light = (file: string): boolean => file.startsWith('1-light/');
const only = process.env.BANTAM_ONLY;
const refused = new Map<string, string>();
let converted = 0;

const lowered = (model: Model, to: number): Model | Fault => {
  try {
    return lowerOpset(model, to);
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === 'unsupported' && thrown.where !== undefined) return thrown;
    throw thrown;
  }
};

describe.runIf(runs.length > 0)('outputs stay', () => {
  it.each(runs.map((e) => e.file).filter((f) => only === undefined || f.includes(only)))('%s', async (file) => {
    const model = embedded(openModelFile(corpusPath(file)));
    const from = opsetVersion(model) ?? 0;
    const feeds = randomFeeds(model);
    const stops = (light(file) ? [8] : [11, 8]).filter((v) => v < from);
    if (stops.length === 0) return;
    // A full-size net takes a second a run: that it is taken, and counts as before, is told without one.
    const before = light(file) ? undefined : await runModel(runtime, model, feeds);
    for (const to of stops) {
      const older = lowered(model, to);
      if (older instanceof Fault) {
        refused.set(`${file} -> ${to}`, `${older.message} (${older.where})`);
        continue;
      }
      converted++;
      if (before === undefined) {
        expect(measureFigures(older).macs).toBe(measureFigures(model).macs);
        continue;
      }
      expect(maxError(before, await runModel(runtime, older, feeds)), `opset ${to}`).toBeLessThanOrEqual(1e-6);
      const again = convertOpset(older, from);
      expect(maxError(before, await runModel(runtime, again, feeds)), `${to} and back`).toBeLessThanOrEqual(1e-6);
    }
  });

  // What cannot follow says so; a rule that began to refuse everything would pass unseen.
  it.skipIf(only !== undefined)('most can', () => {
    expect(converted).toBeGreaterThanOrEqual(45);
    expect([...refused.values()].every((reason) => /cannot be brought to opset \d+: ./.test(reason))).toBe(true);
  });
});
