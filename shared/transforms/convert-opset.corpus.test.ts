/** The law of opset conversion on the corpus: the runtime's outputs before and after are equal. */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { opsetVersion } from '../ir/model.ts';
import { readModel } from '../onnx/read.ts';
import { corpusBytes, corpusEntries } from '../testing/corpus.ts';
import { maxError, randomFeeds, runModel } from '../testing/feeds.ts';
import { convertOpset } from './convert-opset.ts';

const runtime = nodeRuntime(1);
/** Files whose weights lie beside them need a folder; the forms are the same as in the others. */
const runs = corpusEntries.filter((e) => e.ort_run.startsWith('ok') && !/^4-external|dynamo/.test(e.file));
const only = process.env.BANTAM_ONLY;

describe.runIf(runs.length > 0)('outputs stay', () => {
  it.each(runs.map((e) => e.file).filter((f) => only === undefined || f.includes(only)))('%s', async (file) => {
    const model = readModel(corpusBytes(file));
    const from = opsetVersion(model) ?? 0;
    const feeds = randomFeeds(model);
    const before = await runModel(runtime, model, feeds);
    for (const to of [13, 21]) {
      if (from >= to) continue;
      const raised = convertOpset(model, to);
      expect(opsetVersion(raised)).toBe(to);
      expect(maxError(before, await runModel(runtime, raised, feeds)), `opset ${to}`).toBeLessThanOrEqual(1e-6);
    }
  });
});
