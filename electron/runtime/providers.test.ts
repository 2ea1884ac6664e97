/** Checks what is told of execution providers: the one that works, those that fail here, and one that nobody has. */
import { describe, expect, it } from 'vitest';
import { providerSchema } from '#shared/contract/runtimes.ts';
import { nodeRuntime } from './node-runtime.ts';
import { providerReason } from './provider-reason.ts';
import { listProviders } from './providers.ts';

describe('listProviders', () => {
  it('runs a model on each that is listed, and says why one does not work', async () => {
    const found = await listProviders(nodeRuntime(1), ['cpu', 'nowhere']);
    for (const p of found) expect(providerSchema.parse(p)).toEqual(p);
    const by = new Map(found.map((p) => [p.id, p]));
    expect(by.get('cpu')).toMatchObject({ title: 'CPU', inBuild: true, works: true, reason: null });
    expect(by.get('nowhere')).toMatchObject({
      inBuild: true,
      works: false,
      reason: expect.stringContaining('nowhere'),
    });
    expect(by.get('coreml')).toMatchObject({ title: 'CoreML', inBuild: false, works: false });
    expect(found.every((p) => p.works === (p.reason === null))).toBe(true);
  });

  it('says no provider works where the runtime opens nothing', async () => {
    const broken = { ...nodeRuntime(1), open: () => Promise.reject(new Error('no driver')) };
    expect((await listProviders(broken, ['cpu', 'cuda'])).filter((p) => p.inBuild).map((p) => p.reason)).toEqual([
      'no driver',
      'no driver',
    ]);
  });
});

describe('providerReason', () => {
  it('is one line in the runtime’s own words, without its source', () => {
    const words =
      'the runtime cannot load the model: /onnxruntime_src/a/b.cc:136 onnxruntime::Context::Init(x)::<lambda()> ok == true was false. Failed to get\n an adapter';
    expect(providerReason(words)).toBe('Failed to get an adapter');
    expect(providerReason('x'.repeat(900)).length).toBe(300);
  });
});
