/**
 * Owns the bench of the screen, in a real browser: each light file of the corpus to its first drawn graph, the longest
 * stretch in which the page could not answer afterwards, and a slider's input event to the frame that shows its figures.
 */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { browserPath, drawn, launch, openPage, root, startStudio } from '../../e2e/browser.ts';
import { writeModel } from '../../shared/onnx/write.ts';
import { residualChain } from '../../shared/testing/residual-chain.ts';
import { buildPage } from '../build.mjs';

const runs = 5;
const moves = 40;
/** Milliseconds from file to drawn graph. */
const drawAims: Readonly<Record<string, number>> = {
  'light_densenet121.onnx': 1000,
  'keras2onnx-tiny-tfbert.onnx': 1500,
  '300 nodes': 250,
  '1000 nodes': 500,
  '3000 nodes': 1200,
  '10000 nodes': 3000,
};
/** Milliseconds from a slider's input event to the painted figures, p95. */
const slideAims: Readonly<Record<string, number>> = { 'light_resnet50.onnx': 50, 'light_densenet121.onnx': 50 };

/** Narrows the files to those whose names hold this. */
const only = process.env.BENCH_FILES ?? '';
const corpus = process.env.BANTAM_CORPUS ?? join(root, '../shared/corpus');
const light = join(corpus, 'models/1-light');
const bert = join(corpus, 'models/3-exporter/keras2onnx-tiny-tfbert.onnx');
const files: readonly (readonly [string, string])[] = [
  ...[300, 1000, 3000, 10000].map((n) => [`${n} nodes`, saved(n)] as const),
  ...(existsSync(light)
    ? readdirSync(light)
        .filter((n) => n.endsWith('.onnx'))
        .map((n) => [n, join(light, n)] as const)
    : []),
  ...(existsSync(bert) ? [['keras2onnx-tiny-tfbert.onnx', bert] as const] : []),
];

function saved(count: number): string {
  const path = join(tmpdir(), `bantam-chain-${count}.onnx`);
  writeFileSync(path, writeModel(residualChain(count)));
  return path;
}

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
const ascending = (all: readonly number[]): readonly number[] => [...all].sort((a, b) => a - b);
const verdict = (ms: number, aim: number | undefined): string =>
  aim === undefined ? '' : `aim ${aim} ms: ${ms <= aim ? 'met' : 'MISSED'}`;

/** Opens a file `runs` times, each after the page has come to rest. Milliseconds, and the longest block after drawing. */
async function opening(page: Page, file: string): Promise<{ readonly ms: readonly number[]; readonly block: number }> {
  const ms: number[] = [];
  let block = 0;
  for (let i = 0; i < runs; i++) {
    const before = await page.evaluate(() => {
      performance.clearMeasures('bantam:draw');
      return performance.now();
    });
    await page.setInputFiles('#open-file', file);
    ms.push((await drawn(page)).at(-1) ?? Number.NaN);
    await atRest(page);
    const from = (await page.evaluate(() => performance.now())) - 1e6;
    block = Math.max(block, await longest(page, Math.max(before, from)));
  }
  return { ms: ascending(ms), block };
}

/** Waits until the figures stand and nothing has blocked the page for half a second (at most ten). */
const atRest = (page: Page): Promise<void> =>
  page.evaluate(async () => {
    const until = performance.now() + 10_000;
    let quiet = performance.now();
    while (performance.now() < until && performance.now() - quiet < 500) {
      const asked = performance.now();
      await new Promise((done) => setTimeout(done, 20));
      if (performance.now() - asked > 70) quiet = performance.now();
    }
  });

/** Longest task that began after the last drawing, among those since `from`. */
const longest = (page: Page, from: number): Promise<number> =>
  page.evaluate((since) => {
    const seen = (globalThis as unknown as { longTasks: { startTime: number; duration: number }[] }).longTasks;
    const draw = performance.getEntriesByName('bantam:draw').at(-1);
    const start = Math.max(since, draw === undefined ? 0 : draw.startTime + draw.duration);
    return seen.filter((t) => t.startTime >= start - 1).reduce((most, t) => Math.max(most, t.duration), 0);
  }, from);

/** Input event to painted frame, `moves` times over the first slider of the panel. */
async function sliding(page: Page, file: string): Promise<readonly number[]> {
  await page.evaluate(() => performance.clearMeasures('bantam:draw'));
  await page.setInputFiles('#open-file', file);
  await drawn(page);
  await atRest(page);
  const all = await page.evaluate(async (count) => {
    const took: number[] = [];
    for (let i = 0; i < count; i++) {
      const slider = document.querySelector<HTMLInputElement>('aside.right input[type=range]');
      if (slider === null) return [];
      const [low, high] = [Number(slider.min), Number(slider.max)];
      const value = low + (high - low) * (0.1 + ((i * 37) % 80) / 100);
      const start = performance.now();
      Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set?.call(slider, String(value));
      slider.dispatchEvent(new Event('input', { bubbles: true }));
      // the next frame holds the change; a message after it arrives when it has been painted
      await new Promise<void>((done) =>
        requestAnimationFrame(() => {
          const channel = new MessageChannel();
          channel.port1.onmessage = () => done();
          channel.port2.postMessage(0);
        }),
      );
      took.push(performance.now() - start);
      await new Promise((done) => setTimeout(done, 30));
    }
    return took;
  }, moves);
  return ascending(all.slice(8));
}

const chrome = await browserPath();
if (chrome !== undefined) {
  await buildPage();
  const studio = await startStudio();
  const browser = await launch(chrome);
  const { page } = await openPage(browser, studio.url);
  await page.evaluate(() => {
    const seen: { startTime: number; duration: number }[] = [];
    Object.assign(globalThis, { longTasks: seen });
    new PerformanceObserver((list) => seen.push(...list.getEntries())).observe({ type: 'longtask' });
  });
  await drawn(page);
  console.log(
    `load ${loadavg()[0]?.toFixed(1)}; file -> drawn graph, median of ${runs}; longest block while figures come`,
  );
  for (const [name, file] of files.filter(([n]) => n.includes(only))) {
    const { ms, block } = await opening(page, file);
    const median = at(ms, 0.5);
    console.log(
      `${name.padEnd(28)} ${median.toFixed(0).padStart(5)} ms  worst ${at(ms, 1).toFixed(0).padStart(5)}` +
        `  block ${block.toFixed(0).padStart(4)}  ${verdict(median, drawAims[name])}`,
    );
  }
  console.log(`load ${loadavg()[0]?.toFixed(1)}; slider -> painted figures, ${moves - 8} moves after 8 to warm up`);
  for (const [name, aim] of Object.entries(slideAims).filter(([n]) => n.includes(only))) {
    const file = join(light, name);
    if (!existsSync(file)) continue;
    const ms = await sliding(page, file);
    const p95 = at(ms, 0.95);
    console.log(
      `${name.padEnd(28)} median ${at(ms, 0.5).toFixed(0)} ms  p95 ${p95.toFixed(0)} ms  ${verdict(p95, aim)}`,
    );
  }
  await browser.close();
  await studio.stop();
}
