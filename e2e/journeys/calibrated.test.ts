/** A computer that has been calibrated: its latency is estimated with every change, and the measured figure then stands beside. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { machineName } from '../../electron/host/machine-file.ts';
import { runtimeName } from '../../electron/host/runtime-name.ts';
import { browserPath, drawn, root, shot } from '../browser.ts';
import { addStep, slide } from '../panel.ts';
import { stage } from '../stage.ts';

const chrome = await browserPath();

/** The profile of another machine, under the name of this one: what matters is that there is one. */
function calibrated(home: string): void {
  const kept = JSON.parse(readFileSync(join(root, 'shared/testing/machines/two-cores-avx2.json'), 'utf8'));
  const here = { machine: machineName(), runtime: runtimeName(root), threads: availableParallelism() };
  mkdirSync(join(home, 'machine'), { recursive: true });
  writeFileSync(join(home, 'machine/profile.json'), JSON.stringify({ ...kept, ...here }));
}

describe.skipIf(chrome === undefined)('a calibrated computer', () => {
  const { open } = stage(chrome, 'all', calibrated);

  it('estimates its latency with every move of a slider, and says the measured figure beside it', async () => {
    const { page, errors } = await open();
    await drawn(page);
    const latency = page.locator('[data-figure=latency]');
    const milliseconds = async (): Promise<number> => {
      const [value = '', unit] = ((await latency.locator('strong').textContent()) ?? '').split(/\s/);
      return Number(value) * (unit === 'µs' ? 1e-3 : 1);
    };
    await latency.locator('strong.estimated').waitFor();
    expect(await latency.textContent()).toMatch(/estimated ±\d+/);
    const before = await milliseconds();
    expect(before).toBeGreaterThan(0);

    await slide(page, 'prune-channels', 40);
    await latency.locator('.figure-now > .muted').waitFor();
    await latency.locator('strong.estimated:not(.stale)').waitFor();
    expect(await milliseconds()).toBeLessThan(before);
    expect(await latency.textContent()).toMatch(/faster · estimated ±/);
    await shot(page, 'calibrated-estimate');

    await addStep(page, 'prune-channels');
    await page.locator('.recipe').getByRole('button', { name: 'Run recipe' }).click();
    await page.locator('.job.done').first().waitFor({ timeout: 120_000 });
    await latency.locator('.badge', { hasText: 'measured' }).waitFor();
    expect(await latency.locator('strong.estimated').count()).toBe(0);
    await latency.locator('strong').hover();
    await page
      .getByText(/Estimated before it ran: .*±\d+/)
      .first()
      .waitFor();
    await shot(page, 'calibrated-measured');
    expect(errors).toEqual([]);
    await page.close();
  });
});
