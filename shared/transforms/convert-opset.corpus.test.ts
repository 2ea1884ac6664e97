/** The law of opset conversion on the corpus: the runtime's outputs before and after are equal. */
import { describe, expect, it } from 'vitest';
import { openModelFile } from '../../electron/host/model-files.ts';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { opsetVersion } from '../ir/model.ts';
import { embedded } from '../onnx/embedded.ts';
import { corpusEntries, corpusPath } from '../testing/corpus.ts';
import { maxError, randomFeeds, runModel } from '../testing/feeds.ts';
import { convertOpset } from './convert-opset.ts';

const runtime = nodeRuntime(1);
const runs = corpusEntries.filter((e) => e.ort_run.startsWith('ok'));
const only = process.env.BANTAM_ONLY;

describe.runIf(runs.length > 0)('outputs stay', () => {
  it.each(runs.map((e) => e.file).filter((f) => only === undefined || f.includes(only)))('%s', async (file) => {
    const model = embedded(openModelFile(corpusPath(file)));
    const from = opsetVersion(model) ?? 0;
    const feeds = randomFeeds(model);
    const before = await runModel(runtime, model, feeds);
    // The full-size nets take a second a run: they go the whole way at once.
    for (const to of file.startsWith('1-light/') ? [21] : [13, 21]) {
      if (from >= to) continue;
      const raised = convertOpset(model, to);
      expect(opsetVersion(raised)).toBe(to);
      expect(maxError(before, await runModel(runtime, raised, feeds)), `opset ${to}`).toBeLessThanOrEqual(1e-6);
    }
  });
});
