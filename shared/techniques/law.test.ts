/** The law of every technique, with each of its cases, on every small net: preview = file, the file runs, promises hold. */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { nets } from '../testing/nets.ts';
import { techniqueLaw } from '../testing/technique-law.ts';
import { techniques } from './index.ts';

const runtime = nodeRuntime(1);

describe.each(techniques.map((t) => [t.id, t] as const))('%s', (_id, technique) => {
  it('has a case', () => expect(technique.cases.length).toBeGreaterThan(0));

  it.each(technique.cases.map((c) => [JSON.stringify(c.params), c] as const))('%s', async (_name, one) => {
    const results = await Promise.all(
      Object.entries(nets).map(async ([net, make]) => ({
        net,
        ...(await techniqueLaw(technique, one, make(), { runtime })),
      })),
    );
    expect(results.flatMap((r) => r.broken.map((b) => `${r.net}: ${b}`))).toEqual([]);
    expect(results.some((r) => r.layersTaken > 0)).toBe(true);
  });
});
