import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fault } from '../base/fault.ts';
import type { Job } from './calls.ts';
import { createHost } from './client.ts';
import { decodeFrame, encodeFrame } from './codec.ts';
import { type Handlers, type Service, serveWire } from './server.ts';
import { memoryPair, type Wire } from './wire.ts';

const job = (id: string, seq: number): Job => ({
  id,
  spec: { kind: 'evaluate', modelId: 'm', data: 'digits' },
  title: 't',
  state: 'running',
  seq,
  progress: { share: 0.5, what: 'x', secondsLeft: null },
  curve: [],
  log: [],
  createdAt: 1,
});

/** A service whose handlers all refuse, but for those given. */
function service(handlers: Partial<Handlers>): { service: Service; tell(job: Job): void; listeners: Set<unknown> } {
  const listeners = new Set<(job: Job) => void>();
  const refuse = async (): Promise<never> => {
    throw new Fault('unsupported', 'not in this test');
  };
  const all = new Proxy(handlers, { get: (target, key) => Reflect.get(target, key) ?? refuse }) as Handlers;
  return {
    service: {
      handlers: all,
      onJob: (l) => {
        listeners.add(l);
        return () => listeners.delete(l);
      },
    },
    tell: (j) => {
      for (const l of listeners) l(j);
    },
    listeners,
  };
}

const later = (run: () => void): void => void setTimeout(run, 1);
const tick = (): Promise<void> => new Promise((r) => setTimeout(r, 5));

/** Client and service in memory; `cut` breaks the wire, the client connects again by itself. */
function joined(s: Service) {
  let current: Wire | undefined;
  let refusing = 0;
  const host = createHost(
    async () => {
      if (refusing-- > 0) throw new Error('refused');
      const [near, far] = memoryPair();
      current = far;
      serveWire(far, s);
      return near;
    },
    { later, retryMs: 1 },
  );
  return {
    host,
    cut: (refusals = 0) => {
      refusing = refusals;
      current?.close();
    },
  };
}

const message: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => (Object.is(x, -0) ? 0 : x)),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 40 }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      fc.string().filter((k) => k !== '__proto__'),
      tie('value'),
      { maxKeys: 4, noNullPrototype: true },
    ),
  ),
})).value;

describe('frames', () => {
  it('come back as they went, bytes as bytes', () => {
    fc.assert(
      fc.property(message, (m) => {
        expect(decodeFrame(encodeFrame(m))).toEqual(m);
      }),
    );
  });
  it('are read from a view at any offset', () => {
    const frame = encodeFrame({ a: Uint8Array.of(1, 2, 3), b: 'x' });
    const shifted = new Uint8Array(frame.length + 5).subarray(5);
    shifted.set(frame);
    expect(decodeFrame(shifted)).toEqual({ a: Uint8Array.of(1, 2, 3), b: 'x' });
  });
  it('that are broken are refused with a fault, never anything else', () => {
    fc.assert(
      fc.property(message, fc.nat(), fc.integer({ min: 0, max: 255 }), fc.boolean(), (m, at, byte, cut) => {
        const frame = encodeFrame(m);
        const broken = cut ? frame.slice(0, at % frame.length) : frame.slice();
        if (!cut) broken[at % frame.length] = byte;
        try {
          decodeFrame(broken);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(Fault);
        }
      }),
    );
  });
  it('cannot reach a prototype', () => {
    const text = JSON.stringify({ message: {}, attachments: [{ at: ['__proto__', 'x'], bytes: 0 }] });
    const json = new TextEncoder().encode(text);
    const frame = new Uint8Array(4 + json.length);
    new DataView(frame.buffer).setUint32(0, json.length, true);
    frame.set(json, 4);
    expect(() => decodeFrame(frame)).toThrow(Fault);
    expect(({} as { x?: unknown }).x).toBeUndefined();
  });
});

describe('calls', () => {
  it('carry input with defaults and output, many at once in any order', async () => {
    const s = service({
      openHeld: async ({ modelId }) => {
        if (modelId === 'slow') await tick();
        return { modelId, name: 'n', fileBytes: 3, skeleton: Uint8Array.of(1, 2, 3) };
      },
      tensorSummary: async (input) => {
        expect(input.bins).toBe(60);
        const quiet = {
          zeros: 0,
          nonFinite: 0,
          min: 0,
          max: 0,
          mean: 0,
          std: 0,
          histogram: [],
          magnitudeQuantiles: [],
        };
        return { count: 7, ...quiet };
      },
    });
    const { host } = joined(s.service);
    const [slow, fast, summary] = await Promise.all([
      host.call('openHeld', { modelId: 'slow' }),
      host.call('openHeld', { modelId: 'fast' }),
      host.call('tensorSummary', { modelId: 'm', nodeId: 'n', input: 1 }),
    ]);
    expect(slow.modelId).toBe('slow');
    expect(fast.skeleton).toEqual(Uint8Array.of(1, 2, 3));
    expect(summary.count).toBe(7);
    host.close();
  });

  it('are validated on the way in and on the way out', async () => {
    const s = service({ jobs: async () => [{ nonsense: true }] as unknown as Job[] });
    const { host } = joined(s.service);
    await expect(host.call('openHeld', { modelId: '../etc' })).rejects.toMatchObject({ code: 'bad-input' });
    await expect(host.call('openSample', { id: 1 } as unknown as { id: string })).rejects.toMatchObject({
      code: 'bad-input',
      where: 'openSample: id',
    });
    await expect(host.call('jobs', {})).rejects.toMatchObject({ code: 'internal' });
    await expect(host.call('toString' as 'jobs', {})).rejects.toMatchObject({ code: 'bad-input' });
    host.close();
  });

  it('bring a fault as it was thrown, and a bug as internal without its stack', async () => {
    const s = service({
      openSample: async () => {
        throw new Fault('not-found', 'no such sample', { where: 'x', hint: 'Take y.' });
      },
      cancelJob: async () => {
        throw new TypeError('boom');
      },
    });
    const { host } = joined(s.service);
    const refused = host.call('openSample', { id: 'x' });
    await expect(refused).rejects.toMatchObject({ code: 'not-found', where: 'x', hint: 'Take y.' });
    await expect(host.call('cancelJob', { id: 'x' })).rejects.toMatchObject({ code: 'internal', message: 'boom' });
    host.close();
  });

  it('leave the wire open after a frame that is no call', async () => {
    const s = service({ jobs: async () => [] });
    const [near, far] = memoryPair();
    serveWire(far, s.service);
    const replies: unknown[] = [];
    near.onFrame((f) => replies.push(decodeFrame(f)));
    near.send(Uint8Array.of(1, 2, 3));
    near.send(encodeFrame({ kind: 'call', id: 4, name: 'jobs', input: {} }));
    await tick();
    expect(replies).toMatchObject([
      { kind: 'fault', id: null },
      { kind: 'result', id: 4, output: [] },
    ]);
  });
});

describe('connection', () => {
  it('tells jobs, and drops what is older than what was told', async () => {
    const s = service({});
    const { host } = joined(s.service);
    const seen: number[] = [];
    host.onJob((j) => seen.push(j.seq));
    await tick();
    for (const seq of [1, 3, 2]) s.tell(job('a', seq));
    await tick();
    expect(seen).toEqual([1, 3]);
    host.close();
  });

  it('comes back by itself, reads the jobs, and unsubscribes the old wire', async () => {
    const s = service({ jobs: async () => [job('a', 9)] });
    const link = joined(s.service);
    const states: boolean[] = [];
    const seen: number[] = [];
    link.host.onConnection((c) => states.push(c));
    link.host.onJob((j) => seen.push(j.seq));
    await tick();
    link.cut(2);
    await Promise.resolve();
    const waited = await link.host.call('jobs', {});
    expect(waited).toHaveLength(1);
    await tick();
    expect(states).toEqual([false, true, false, true]);
    expect(seen).toEqual([9]);
    expect(s.listeners.size).toBe(1);
    link.host.close();
  });

  it('refuses a call that was under way when it broke: it may have been done', async () => {
    const s = service({ jobs: () => new Promise(() => {}) });
    const link = joined(s.service);
    await tick();
    const pending = link.host.call('jobs', {});
    link.cut();
    await expect(pending).rejects.toMatchObject({ code: 'unsupported' });
    link.host.close();
  });
});
