/**
 * The law on every network of the zoo at width 0.25 and small inputs. Each technique, with its first case, on each: preview = written graph, or a
 * reason. On each network two techniques are also run to the end, values and all, by the runtime, the next two on the next
 * network, so that each technique runs on four or more. At full size: `npm run law -- --full`.
 */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { fullLaw } from '../testing/full-law.ts';
import { techniqueLaw } from '../testing/technique-law.ts';
import { smallFromZoo } from '../testing/zoo-law.ts';
import { zoo } from '../zoo/index.ts';
import { techniques } from './index.ts';

const runtime = nodeRuntime(1);
const atOnce = 2;
const runOn = (net: number): readonly (typeof techniques)[number][] =>
  techniques.filter((_, t) => (t + atOnce * net) % techniques.length < atOnce);

describe.each(zoo.map((e, k) => [e.id, e, k] as const))('%s', (_, entry, k) => {
  const model = smallFromZoo(entry);

  it('every technique: preview = file, or a reason', async () => {
    const laws = await Promise.all(techniques.map(async (t) => ({ id: t.id, ...(await fullLaw(t, model)) })));
    expect(laws.flatMap((l) => l.broken.map((line) => `${l.id}: ${line}`))).toEqual([]);
    for (const l of laws) if (l.layersTaken === 0) expect(l.refused?.length ?? 0, l.id).toBeGreaterThan(20);
  });

  it.each(runOn(k).map((t) => [t.id, t] as const))('%s runs', async (_id, technique) => {
    const [one] = technique.cases;
    if (one === undefined) throw new Error(`${technique.id} has no case`);
    const law = await techniqueLaw(technique, one, model, { runtime });
    expect(law.broken).toEqual([]);
    if (law.layersTaken === 0) expect(law.refused?.length ?? 0).toBeGreaterThan(20);
  });
});

it('every technique runs on four networks or more', () => {
  const runs = zoo.flatMap((_, k) => runOn(k).map((t) => t.id));
  for (const { id } of techniques) expect(runs.filter((r) => r === id).length, id).toBeGreaterThanOrEqual(4);
});
