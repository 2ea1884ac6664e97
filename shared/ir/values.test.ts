/** Numbers of every element type: round trips, and the runtime's own Cast as the oracle. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ElementType, elementTypes, rawByteLength } from './element-type.ts';
import { lazyTensor } from './tensor.ts';
import { numbersTensor, packNumbers, roundEven, toBigInts, toFloat32, toNumbers } from './values.ts';

const numeric = (Object.keys(elementTypes) as ElementType[]).filter(
  (t) => !['string', 'complex64', 'complex128'].includes(t),
);

describe('packing', () => {
  it.each(numeric)('%s: what is decoded packs back to the same bytes', (type) => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 64 }), (bytes) => {
        const count = Math.floor((bytes.length * 8) / elementTypes[type].bits);
        const raw = bytes.slice(0, rawByteLength(type, count));
        if (type === 'bool') for (let i = 0; i < raw.length; i++) raw[i] = (raw[i] ?? 0) & 1;
        const values = toNumbers(lazyTensor('t', type, [count], () => raw));
        // int64 as a double rounds beyond 2^53; an infinite fp8 saturates, as the ONNX Cast does by default.
        if (elementTypes[type].bits === 8 && values.some((v) => Math.abs(v) === Number.POSITIVE_INFINITY)) return;
        const again = toNumbers(lazyTensor('t', type, [count], () => packNumbers(type, values)));
        if (type !== 'int64' && type !== 'uint64') expect(again).toEqual(values);
      }),
    );
  });
  it('saturates and rounds half to even', () => {
    expect([0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 2.4].map((x) => roundEven(x) + 0)).toEqual([0, 2, 2, 0, -2, -2, 2]);
    expect(Array.from(packNumbers('uint8', [-3, 300, 2.5, Number.NaN]))).toEqual([0, 255, 2, 0]);
    expect(Array.from(toNumbers(numbersTensor('t', 'int4', [5], [-9, 9, 1, -1, 0])))).toEqual([-8, 7, 1, -1, 0]);
  });
  it('keeps int64 exact as bigint', () => {
    const raw = new Uint8Array(BigInt64Array.from([2n ** 63n - 1n, -(2n ** 63n), -1n]).buffer);
    expect(toBigInts(lazyTensor('t', 'int64', [3], () => raw))).toEqual([2n ** 63n - 1n, -(2n ** 63n), -1n]);
  });
  it('reads unaligned views', () => {
    const whole = new Uint8Array(13);
    whole.set(new Uint8Array(Float32Array.from([1, 2, 3]).buffer), 1);
    expect(Array.from(toFloat32(lazyTensor('t', 'float', [3], () => whole.subarray(1))))).toEqual([1, 2, 3]);
  });
  it('refuses a thunk that makes the wrong number of bytes', () => {
    expect(() => lazyTensor('w', 'float', [3], () => new Uint8Array(4)).bytes()).toThrow('4 bytes for float[3]');
  });
});

describe('half floats against a plain definition', () => {
  const nearest = (x: number, type: 'float16' | 'bfloat16'): number =>
    toNumbers(numbersTensor('t', type, [1], [x]))[0] ?? Number.NaN;
  it('rounds to the nearest of its neighbours', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, min: -65504, max: 65504 }), (x) => {
        const got = nearest(x, 'float16');
        const step = 2 ** (Math.max(Math.floor(Math.log2(Math.abs(x) || 2 ** -24)), -14) - 10);
        expect(Math.abs(got - x)).toBeLessThanOrEqual(step / 2);
        const bf = nearest(x, 'bfloat16');
        expect(Math.abs(bf - x)).toBeLessThanOrEqual(Math.abs(x) * 2 ** -8 + 2 ** -133);
      }),
    );
  });
  it('knows infinities, NaN and the first number that overflows', () => {
    expect([65504, 65519, 65520, 2 ** -24, 2 ** -26].map((x) => nearest(x, 'float16'))).toEqual([
      65504,
      65504,
      Number.POSITIVE_INFINITY,
      2 ** -24,
      0,
    ]);
    expect(nearest(Number.NaN, 'float16')).toBeNaN();
    expect(nearest(Number.NaN, 'bfloat16')).toBeNaN();
  });
});
