import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeModel } from '../../shared/onnx/write.ts';
import { model, node, randomTensor, value } from '../../shared/testing/build.ts';
import { browserPath, drawn, shot } from '../browser.ts';
import { stage } from '../stage.ts';

const chrome = await browserPath();
const folder = mkdtempSync(join(tmpdir(), 'bantam-journey-'));

/** conv - relu - conv - add with a shortcut: 4x3x3x3 + 4x4x3x3 parameters. */
const residual = writeModel(
  model({
    inputs: [value('image', [1, 3, 16, 16])],
    outputs: [value('scores', [1, 4, 16, 16])],
    initializers: [randomTensor('w0', [4, 3, 1, 1]), randomTensor('w1', [4, 4, 1, 1])],
    nodes: [
      node('Conv', ['image', 'w0'], ['a']),
      node('Relu', ['a'], ['b']),
      node('Conv', ['b', 'w1'], ['c']),
      node('Add', ['b', 'c'], ['scores']),
    ],
  }),
);

describe.skipIf(chrome === undefined)('opening', () => {
  const { open } = stage(chrome);
  beforeAll(() => {
    writeFileSync(join(folder, 'residual.onnx'), residual);
    writeFileSync(join(folder, 'broken.onnx'), residual.subarray(0, 40));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('draws a file, shows its figures, selects by mouse and keys', async () => {
    const { page, errors } = await open();
    await page.setInputFiles('#open-file', join(folder, 'residual.onnx'));
    await page.locator('.node-title', { hasText: 'image' }).waitFor();
    await drawn(page);
    expect(await page.locator('.node.layer .node-title').allTextContents()).toEqual([
      'Conv 1×1 · Relu',
      'Conv 1×1',
      'Add',
    ]);
    expect(await page.locator('[data-figure=parameters]').textContent()).toContain('28');
    await page.locator('.node', { hasText: 'Conv 1×1 · Relu' }).click();
    await page.keyboard.press('ArrowDown');
    expect(await page.locator('.node.selected .node-title').allTextContents()).toEqual(['Conv 1×1']);
    await page.getByRole('button', { name: 'Select all like this' }).click();
    await page.locator('.node.selected').nth(1).waitFor();
    expect(await page.locator('.node.selected').count()).toBe(2);
    await shot(page, 'open-selected');
    expect(errors).toEqual([]);
    await page.close();
  });

  it('says in one line what is wrong with a broken file, and lives on', async () => {
    const { page } = await open({ theme: 'dark', language: 'ko', width: 1280, height: 800 });
    await page.setInputFiles('#open-file', join(folder, 'broken.onnx'));
    const said = (await page.getByRole('alert').textContent()) ?? '';
    expect(said).toContain('읽을 수 있는 ONNX 파일이 아닙니다');
    // names of fields and operators are not words of a sentence
    expect(said).not.toMatch(/\b(the|is|of|not|that)\b/);
    await shot(page, 'open-broken');
    await page.setInputFiles('#open-file', join(folder, 'residual.onnx'));
    await page.locator('.node-title', { hasText: 'image' }).waitFor();
    await page.close();
  });

  it('finds layers and selects by a query in the palette', async () => {
    const { page } = await open();
    await page.setInputFiles('#open-file', join(folder, 'residual.onnx'));
    await page.locator('.node-title', { hasText: 'image' }).waitFor();
    await drawn(page);
    await page.locator('[data-figure=macs]', { hasText: 'K' }).waitFor();
    await page.keyboard.press('Control+k');
    await page.locator('.palette-input').fill('conv 1x1 over 1% of MACs');
    await page.getByRole('option', { name: 'Select 2 layers that match' }).waitFor();
    await shot(page, 'palette-query');
    await page.keyboard.press('Enter');
    await page.locator('.node.selected').nth(1).waitFor();
    await page.close();
  });
});
