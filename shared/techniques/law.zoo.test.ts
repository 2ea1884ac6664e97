/**
 * The law of every technique, with its first case, on one small network of each kind of block, at width 0.25 and small inputs: preview = file; each
 * network also runs under three of them, another three for the next. At full size: `npm run law -- --full`.
 */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { techniqueLaw } from '../testing/technique-law.ts';
import { heldInCi, smallFromZoo } from '../testing/zoo-law.ts';
import { zoo } from '../zoo/index.ts';
import { techniques } from './index.ts';

const runtime = nodeRuntime(1);
const held = zoo.filter(heldInCi);

describe.each(held.map((e, k) => [e.id, e, k] as const))('%s', (_, entry, k) => {
  const model = smallFromZoo(entry);
  const runs = (t: number): boolean => (t + 3 * k) % techniques.length < 3;
  it.for(techniques.map((t, at) => [t.id, t, at] as const))('%s', async ([, technique, at], { skip }) => {
    const [one] = technique.cases;
    if (one === undefined) return; // law.test.ts wants a case of every technique
    if (!runs(at) && technique.needs.calibration !== undefined) return skip('calibration needs a run');
    const law = await techniqueLaw(technique, one, model, { runtime, run: runs(at) });
    expect(law.broken).toEqual([]);
    if (law.layersTaken === 0) expect(law.refused?.length ?? 0).toBeGreaterThan(20);
  });
});

it('every technique runs on some network, and none is missing', () => {
  expect(held.length * 3).toBeGreaterThan(techniques.length);
  expect(held.length).toBe(9);
});
