/** Profiles of devices: every shipped one is whole and every number says where it comes from; a bad one is refused by field. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { publishedLatencies } from '../zoo/published-latency.ts';
import { deviceOf, devices } from './catalogue.ts';
import { deviceKinds, originOf, parseDeviceProfile, quantitiesOf } from './profile.ts';

const plain = (): Record<string, unknown> =>
  structuredClone(deviceOf('kirin-970')) as unknown as Record<string, unknown>;

/** The profile with one field replaced. */
function withField(path: readonly (string | number)[], value: unknown): unknown {
  const profile = plain();
  let at: Record<string | number, unknown> = profile;
  for (const key of path.slice(0, -1)) at = at[key] as Record<string | number, unknown>;
  at[path.at(-1)!] = value;
  return profile;
}

describe('shipped profiles', () => {
  it('are all those of the folder, each under its own name', () => {
    const files = readdirSync(join(import.meta.dirname, '../../assets/devices')).filter((f) => f.endsWith('.json'));
    expect(
      devices()
        .map((d) => `${d.id}.json`)
        .sort(),
    ).toEqual(files.sort());
  });

  it.each(devices().map((d) => [d.id, d] as const))('%s: every number has an origin, every source is used', (_, d) => {
    const quantities = quantitiesOf(d);
    expect(quantities.length).toBeGreaterThan(10);
    for (const { quantity } of quantities) if (quantity !== null) expect(originOf(d, quantity)).not.toBe('unknown');
    // A source backs a number, an operator list, a formula that names its key, or a published latency.
    const said = new Set(JSON.stringify({ ...d, sources: {} }).match(/[\w-]+/g));
    for (const row of publishedLatencies) if (row.device === d.id) said.add(row.source);
    expect(Object.keys(d.sources).filter((key) => !said.has(key))).toEqual([]);
  });

  it('cover the survey and today: a stick, boards, phones, an accelerator, a microcontroller', () => {
    const kinds = new Set(devices().map((d) => d.kind));
    for (const kind of deviceKinds) if (kind !== 'computer') expect(kinds.has(kind)).toBe(true);
  });

  it('are found by id, and near misses are named', () => {
    expect(deviceOf('edge-tpu').name).toContain('Coral');
    expect(() => deviceOf('orin')).toThrow(expect.objectContaining({ hint: 'Did you mean jetson-orin-nano?' }));
  });
});

describe('a bad profile is refused by field', () => {
  const cases: readonly (readonly [string, readonly (string | number)[], unknown, string])[] = [
    ['zero is no unknown', ['memory', 'bandwidth'], { value: 0, assumed: 'x' }, 'memory.bandwidth'],
    ['a bare number', ['memory', 'bandwidth'], 29.8e9, 'memory.bandwidth'],
    ['a number without a date', ['memory', 'bandwidth'], { value: 1, source: 'wiki970' }, 'memory.bandwidth'],
    ['a bad date', ['memory', 'bandwidth'], { value: 1, source: 'wiki970', date: 'May' }, 'memory.bandwidth'],
    ['an unknown source', ['memory', 'bandwidth'], { value: 1, source: 'hearsay', date: '2018' }, 'memory.bandwidth'],
    ['a share above 1', ['units', 0, 'classes', 'default', 'utilisation', 'any'], { value: 1.2, assumed: 'x' }, 'any'],
    ['no such fallback', ['units', 2, 'fallback'], 'dsp', 'units.2.fallback'],
    ['two units of one name', ['units', 1, 'id'], 'cpu', 'units.1.id'],
    ['an unknown field', ['memory', 'speed'], 1, 'memory'],
    ['another version', ['bantam'], 2, 'bantam'],
  ];
  it.each(cases)('%s', (_, path, value, where) => {
    expect(() => parseDeviceProfile(withField(path, value))).toThrow(
      expect.objectContaining({ code: 'bad-input', where: expect.stringContaining(where) }),
    );
  });

  it('and the profile itself is taken', () => {
    expect(parseDeviceProfile(plain()).id).toBe('kirin-970');
  });
});
