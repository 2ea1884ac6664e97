/**
 * Owns the bench of drawing: file to first drawn graph in a real browser, for synthetic residual chains and the light
 * files of the corpus; and a slider's change to the painted figures.
 */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { browserPath, drawn, launch, openPage, root, startStudio } from '../../e2e/browser.ts';
import type { Node } from '../../shared/ir/model.ts';
import { writeModel } from '../../shared/onnx/write.ts';
import { model, node, randomTensor, value } from '../../shared/testing/build.ts';
import { buildPage } from '../build.mjs';

const runs = 5;
const aims: Readonly<Record<number, number>> = { 300: 250, 1000: 500, 3000: 1200, 10000: 3000 };

/** Conv, Relu, Conv, Add, Relu over and over: `count` nodes. */
function chain(count: number): Uint8Array {
  const nodes: Node[] = [];
  let last = 'x';
  for (let i = 0; nodes.length + 5 <= count; i++) {
    nodes.push(
      node('Conv', [last, 'w'], [`a${i}`]),
      node('Relu', [`a${i}`], [`b${i}`]),
      node('Conv', [`b${i}`, 'w'], [`c${i}`]),
      node('Add', [`c${i}`, last], [`d${i}`]),
      node('Relu', [`d${i}`], [`e${i}`]),
    );
    last = `e${i}`;
  }
  const shape = [1, 16, 28, 28];
  return writeModel(
    model({
      nodes,
      inputs: [value('x', shape)],
      outputs: [value(last, shape)],
      initializers: [randomTensor('w', [16, 16, 1, 1])],
    }),
  );
}

async function times(page: Page, file: string): Promise<readonly number[]> {
  const before = (await page.evaluate(() => performance.getEntriesByName('bantam:draw').length)) as number;
  let all: readonly number[] = [];
  for (let i = 1; i <= runs; i++) {
    await page.setInputFiles('#open-file', file);
    all = await drawn(page, before + i);
    await page.waitForTimeout(400); // the figures of this opening must not count as the next one's drawing
  }
  return all.slice(-runs).sort((a, b) => a - b);
}

const chrome = await browserPath();
if (chrome !== undefined) {
  await buildPage();
  const studio = await startStudio();
  const browser = await launch(chrome);
  const { page } = await openPage(browser, studio.url);
  const report = async (name: string, file: string, aim: number | undefined): Promise<void> => {
    const t = await times(page, file);
    const median = t[Math.floor(runs / 2)] ?? Number.NaN;
    const said = aim === undefined ? '' : `  aim ${aim} ms ${median <= aim ? 'met' : 'MISSED'}`;
    console.log(
      `${name.padEnd(28)} file -> drawn: median ${median.toFixed(0)} ms, worst ${(t.at(-1) ?? 0).toFixed(0)} ms${said}`,
    );
  };
  await report('warm-up', saved('warm', chain(50)), undefined);
  for (const [count, aim] of Object.entries(aims))
    await report(`${count} nodes`, saved(count, chain(Number(count))), aim);
  const light = join(process.env.BANTAM_CORPUS ?? join(root, '../shared/corpus'), 'models/1-light');
  if (existsSync(light))
    for (const f of readdirSync(light).filter((n) => n.endsWith('.onnx'))) await report(f, join(light, f), undefined);
  await browser.close();
  await studio.stop();
}

function saved(name: string, bytes: Uint8Array): string {
  const path = join(tmpdir(), `bantam-chain-${name}.onnx`);
  writeFileSync(path, bytes);
  return path;
}
