/** A written file in the browser's runtime: what loads there agrees with native; what does not is said, in the runtime's words. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { neverCancelled } from '#shared/base/cancel.ts';
import { readModel } from '#shared/onnx/read.ts';
import { writeModel } from '#shared/onnx/write.ts';
import { previewRecipe } from '#shared/recipes/preview.ts';
import { parseRecipe } from '#shared/recipes/recipe.ts';
import { model, node, value } from '#shared/testing/build.ts';
import { nets } from '#shared/testing/nets.ts';
import { nodeRuntime } from '../runtime/node-runtime.ts';
import { applyRecipe } from './apply-recipe.ts';
import { checkInBrowser } from './check-in-browser.ts';

const folder = mkdtempSync(join(tmpdir(), 'bantam-browser-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const native = nodeRuntime(1);
const parts = {
  runtime: native,
  cancel: neverCancelled,
  report: { progress: () => {}, log: () => {}, training: () => {}, curve: () => {} },
};

it('apply for the browser: preview = file, loaded there, both timed, outputs as native', async () => {
  writeFileSync(at('net.onnx'), writeModel(nets.leNetLike!()));
  const recipe = parseRecipe({
    bantam: 1,
    target: { runtime: 'onnxruntime-web' },
    steps: [
      { technique: 'prune-channels', params: { ratio: 0.5 } },
      { technique: 'share-weights', params: { bits: 4 } },
    ],
  });
  const done = await applyRecipe(parts, { model: at('net.onnx'), recipe, out: at('light.onnx'), evaluate: false });
  expect(done.after).toEqual(done.predicted);
  expect(done.browser?.runtime).toMatch(/^onnxruntime-web \d/);
  expect(done.browser?.loads).toBe(true);
  expect(done.browser?.maxAbsError).toBeLessThan(1e-4);
  expect(done.browser?.latencyMs?.after).toBeGreaterThan(0);
  expect(done.browser?.latencyMs?.before).toBeGreaterThan(0);
});

it.each(['residual', 'fire', 'channelsLast'])('%s: preview = file under either target', (name) => {
  const m = nets[name]!();
  for (const runtime of ['onnxruntime', 'onnxruntime-web'])
    for (const step of [
      { technique: 'share-weights', params: { bits: 3 } },
      { technique: 'prune-weights', params: { ratio: 0.8 } },
      { technique: 'quantize', params: { mode: 'weight-only', bits: 4 } },
    ]) {
      const recipe = parseRecipe({ bantam: 1, target: { runtime }, steps: [step] });
      const { figures, model: after } = previewRecipe(readModel(writeModel(m)), recipe);
      expect(figures.fileBytes).toBe(writeModel(after).length);
    }
});

it('what the runtime does not know is said in its words', async () => {
  const strange = node('Frobnicate', ['x'], ['y'], [], { domain: 'nowhere' });
  const m = model({ inputs: [value('x', [1])], outputs: [value('y', [1])], nodes: [strange] });
  writeFileSync(at('strange.onnx'), writeModel(m));
  const check = await checkInBrowser(native, { written: at('strange.onnx') });
  expect(check?.loads).toBe(false);
  expect(check?.why).toContain('nowhere');
});
