/**
 * Owns the benchmark of the preview: a slider of prune-channels moved over full-size nets, time until the figures stand; and beside
 * it, as the studio works it out in a worker, the latency on a calibrated computer of each position.
 * Aim: 16 ms at p95 on ResNet-50, 50 ms on DenseNet-121. Both wall and processor time, since a busy machine shows only
 * in the first.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { estimateLatency } from '#shared/analysis/latency/estimate-latency.ts';
import { machineProfileSchema } from '#shared/devices/machine/machine-profile.ts';
import { readModel } from '#shared/onnx/read.ts';
import { previewRecipe } from '#shared/recipes/preview.ts';
import { parseRecipe } from '#shared/recipes/recipe.ts';

const folder = process.env.BANTAM_CORPUS ?? resolve(import.meta.dirname, '../../../shared/corpus');
/** A calibration of another machine does: how long an estimate takes hangs on the kernels, not on their times. */
const profile = machineProfileSchema.parse(
  JSON.parse(readFileSync(resolve(import.meta.dirname, '../../shared/testing/machines/two-cores-avx2.json'), 'utf8')),
);
const aims: Readonly<Record<string, number>> = { light_resnet50: 16, light_densenet121: 50, light_inception_v1: 50 };

const at = (sorted: readonly number[], share: number): string =>
  (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(1).padStart(7);

for (const [name, aim] of Object.entries(aims)) {
  const path = join(folder, 'models/1-light', `${name}.onnx`);
  if (!existsSync(path)) {
    console.log(`${name}: skipped, no corpus at ${folder}`);
    continue;
  }
  const model = readModel(Uint8Array.from(readFileSync(path)));
  const wall: number[] = [];
  const processor: number[] = [];
  const estimate: number[] = [];
  let first = 0;
  for (let i = 0; i < 100; i++) {
    const ratio = 0.1 + ((i * 37) % 80) / 100;
    const recipe = parseRecipe({ bantam: 1, steps: [{ technique: 'prune-channels', params: { ratio } }] });
    const busy = process.cpuUsage();
    const start = performance.now();
    const preview = previewRecipe(model, recipe);
    const took = performance.now() - start;
    const used = process.cpuUsage(busy);
    const idle = process.cpuUsage();
    estimateLatency(preview.model, profile);
    const spent = process.cpuUsage(idle);
    if (i === 0) first = took;
    if (i < 20 || took < 0.5) continue; // warm-up, and positions the preview remembers
    wall.push(took);
    processor.push((used.user + used.system) / 1000);
    estimate.push((spent.user + spent.system) / 1000);
  }
  estimate.sort((a, b) => a - b);
  wall.sort((a, b) => a - b);
  processor.sort((a, b) => a - b);
  console.log(
    `${name.padEnd(20)} first ${first.toFixed(0).padStart(5)} ms | wall median ${at(wall, 0.5)} p95 ${at(wall, 0.95)} ms` +
      ` | processor median ${at(processor, 0.5)} p95 ${at(processor, 0.95)} ms | latency: processor median ${at(estimate, 0.5)} p95 ${at(estimate, 0.95)} ms | aim ${aim} ms p95`,
  );
}
