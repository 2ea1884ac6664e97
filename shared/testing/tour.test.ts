/** The tour of shared/README.md runs, and the page shows just this code. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { tour } from './tour.ts';

it('builds, prunes, differentiates and runs a net', async () => {
  const t = await tour(nodeRuntime(1));
  expect([t.figures.parameters, t.figures.macs]).toEqual([431_080, 2_293_000]);
  expect(t.exact).toBe(true);
  expect(t.pruned.parameters).toBeLessThan(431_080 / 3);
  expect(t.losses.every(Number.isFinite)).toBe(true);
  expect(t.losses.at(-1)).toBeLessThan((t.losses[0] ?? 0) / 2);
});

it('is what the page shows', () => {
  const page = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8');
  const code = readFileSync(join(import.meta.dirname, 'tour.ts'), 'utf8')
    .split('\n')
    .slice(1)
    .join('\n')
    .trim();
  expect(/```ts\n([\s\S]*?)\n```/.exec(page)?.[1]).toBe(code);
});
