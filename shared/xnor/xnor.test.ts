/** Both WebAssembly kernels against the plain loop, for every shape; a module that the engine takes. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { rng } from '../base/random.ts';
import { xnorModule } from './kernels.ts';
import { type ConvShape, plainConv, prepareConv, type XnorExports } from './xnor-conv.ts';
import '../testing/seed.ts';

/** shared/ knows no WebAssembly of its own: hosts bring it. */
const { WebAssembly } = globalThis as unknown as {
  readonly WebAssembly: {
    readonly Module: new (bytes: Uint8Array) => object;
    readonly Instance: new (module: object) => { readonly exports: unknown };
  };
};
const wasm = new WebAssembly.Instance(new WebAssembly.Module(xnorModule())).exports as XnorExports;

const shapes: fc.Arbitrary<ConvShape> = fc
  .record({
    more: fc.nat(4),
    wider: fc.nat(5),
    channels: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 120, max: 300 })),
    filters: fc.integer({ min: 1, max: 9 }),
    k: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ more, wider, ...s }) => ({ ...s, height: s.k + more, width: s.k + wider }));

const filled = (n: number, name: string): Float32Array => {
  const random = rng(5).fork(name);
  return Float32Array.from({ length: n }, () => random.normal());
};

it.each(['xnor', 'float'] as const)('%s equals the plain loop', (kind) => {
  fc.assert(
    fc.property(shapes, (s) => {
      const data = filled(s.height * s.width * s.channels, 'data');
      const weights = filled(s.filters * s.k * s.k * s.channels, 'weights');
      const conv = prepareConv(wasm, kind, s, data, weights);
      conv.run();
      const got = conv.result();
      const expected = plainConv(s, data, weights, kind === 'xnor');
      expect(got.length).toBe(expected.length);
      const worst = expected.reduce((m, v, i) => Math.max(m, Math.abs(v - got[i]!)), 0);
      if (kind === 'xnor') expect(worst).toBe(0);
      else expect(worst).toBeLessThan(1e-3);
    }),
    { numRuns: 60 },
  );
});

it('packs 32 times as many channels into as many bytes', () => {
  const s = { height: 8, width: 8, channels: 256, filters: 64, k: 3 };
  const data = filled(8 * 8 * 256, 'data');
  const weights = filled(64 * 9 * 256, 'weights');
  const bytes = (kind: 'xnor' | 'float'): number => prepareConv(wasm, kind, s, data, weights).bytes;
  expect(bytes('float')).toBe(32 * bytes('xnor'));
});
