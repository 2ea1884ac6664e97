/** The law of every technique, with its first case, on every file of the corpus: preview = file, and small files run. */
import { describe, expect, it } from 'vitest';
import { openModelFile } from '../../electron/host/model-files.ts';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { embedded } from '../onnx/embedded.ts';
import { corpusEntries, corpusPath } from '../testing/corpus.ts';
import { techniqueLaw } from '../testing/technique-law.ts';
import { techniques } from './index.ts';

const runtime = nodeRuntime(1);
const readable = corpusEntries.filter((e) => e.parse_error === null && !e.file.startsWith('5-edge/'));

/** Full-size nets are predicted and written, not run: their weights are fillers, and a run says nothing about a form. */
const runs = (file: string, said: string): boolean => said.startsWith('ok') && !file.startsWith('1-light/');

describe.each(readable.map((e) => [e.file, e.ort_run] as const))('%s', (file, said) => {
  it.for(techniques.map((t) => [t.id, t] as const))('%s', async ([, technique], { skip }) => {
    const [one] = technique.cases;
    if (one === undefined) return; // law.test.ts wants a case of every technique
    const run = runs(file, said);
    if (!run && technique.needs.calibration !== undefined) return skip('calibration needs a run');
    const law = await techniqueLaw(technique, one, embedded(openModelFile(corpusPath(file))), { runtime, run });
    expect(law.broken).toEqual([]);
    if (law.layersTaken === 0) expect(law.refused?.length ?? 0).toBeGreaterThan(20);
  });
});

// Without the corpus nothing above stands; with it, a list that shrank would pass unseen.
it.skipIf(corpusEntries.length === 0)('is held on all but the hostile files', () => {
  expect(readable.length).toBeGreaterThanOrEqual(60);
});
