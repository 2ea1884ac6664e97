/** The ground: faults, lazy values, seeded randomness, declared fields. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Cancelled, cancelSource, checkCancel, neverCancelled } from './cancel.ts';
import { Fault, faultIn, faultLine, faultMessage, toFault } from './fault.ts';
import { type Fields, fieldDefaults, fieldsSchema } from './fields.ts';
import { lazy } from './lazy.ts';
import { rng } from './random.ts';
import { parseWith } from './schema.ts';
import { text, textAround } from './text.ts';

describe('Fault', () => {
  it('reads as one line with what, where and what to do', () => {
    const fault = new Fault('bad-file', 'the file\nis truncated.', { where: 'a.onnx', hint: 'Download it again.' });
    expect(faultLine(fault)).toBe('the file is truncated (a.onnx). Download it again.');
  });
  it('keeps itself and wraps anything else', () => {
    const fault = new Fault('denied', 'no');
    expect(toFault(fault)).toBe(fault);
    expect(toFault(new TypeError('x')).toData()).toEqual({ code: 'internal', message: 'x' });
    expect(toFault('text', 'runtime', 'node').toData()).toEqual({ code: 'runtime', message: 'text', where: 'node' });
  });

  it('says what it says in both languages, also when it is made anew from its data', () => {
    const fault = new Fault('bad-file', text('the file is empty', '파일이 비어 있습니다'), {
      where: 'a.onnx',
      hint: text('Choose another.', '다른 파일을 고르세요.'),
    });
    expect(faultIn(fault, 'en')).toEqual({ message: 'the file is empty', where: 'a.onnx', hint: 'Choose another.' });
    expect(faultIn(fault, 'ko')).toEqual({
      message: '파일이 비어 있습니다',
      where: 'a.onnx',
      hint: '다른 파일을 고르세요.',
    });
    const data = fault.toData();
    expect(new Fault(data.code, data.message, data).toData()).toEqual(data);
    const elsewhere = new Fault(data.code, data.message, { ...data, where: text('step 2', '단계 2') });
    expect(faultIn(elsewhere, 'ko').where).toBe('단계 2');
    const around = textAround(
      faultMessage(fault),
      (m) => `not read: ${m}`,
      (m) => `읽지 못함: ${m}`,
    );
    expect(around).toEqual({ en: 'not read: the file is empty', ko: '읽지 못함: 파일이 비어 있습니다' });
    // What has no Korean reads as it is.
    expect(faultIn(new Fault('runtime', 'ENOENT'), 'ko')).toEqual({ message: 'ENOENT' });
  });
});

describe('lazy', () => {
  it('computes once, and does not remember a throw', () => {
    let calls = 0;
    const value = lazy(() => {
      calls++;
      if (calls === 1) throw new Error('first');
      return calls;
    });
    expect(value).toThrow('first');
    expect([value(), value()]).toEqual([2, 2]);
  });
});

describe('rng', () => {
  it('gives the same stream for the same seed and another for another', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 40 }), (seed) => {
        const draw = (s: number): number[] => {
          const r = rng(s);
          return Array.from({ length: 8 }, () => r.next());
        };
        expect(draw(seed)).toEqual(draw(seed));
        expect(draw(seed)).not.toEqual(draw(seed + 1));
      }),
    );
  });
  it('forks independently of draws already made', () => {
    const a = rng(5);
    const b = rng(5);
    b.next();
    expect(a.fork('x').next()).toBe(b.fork('x').next());
    expect(a.fork('x').next()).not.toBe(a.fork('y').next());
  });
  it('shuffles into a permutation and draws a standard normal', () => {
    const r = rng(1);
    const items = Array.from({ length: 100 }, (_, i) => i);
    const shuffled = r.shuffle(items);
    expect(shuffled).not.toEqual(items);
    expect([...shuffled].sort((x, y) => x - y)).toEqual(items);
    const normals = Array.from({ length: 20_000 }, () => r.normal());
    const mean = normals.reduce((s, x) => s + x, 0) / normals.length;
    const variance = normals.reduce((s, x) => s + (x - mean) ** 2, 0) / normals.length;
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(Math.abs(variance - 1)).toBeLessThan(0.05);
  });
});

describe('fields', () => {
  const fields: Fields = {
    ratio: { kind: 'number', label: text('Ratio', '비율'), min: 0, max: 1, step: 0.01, default: 0.3 },
    count: {
      kind: 'number',
      label: text('Count', '개수'),
      min: 1,
      max: 9,
      step: 1,
      default: 1,
      integer: true,
      optional: true,
    },
    scope: {
      kind: 'choice',
      label: text('Scope', '범위'),
      options: [
        { value: 'layer', label: text('layer', '층') },
        { value: 4, label: text('four', '넷') },
      ],
      default: 'layer',
    },
    on: { kind: 'switch', label: text('On', '켬'), default: true },
  };
  it('fills defaults, leaves optional ones out, and agrees with the form', () => {
    expect(parseWith(fieldsSchema(fields), {}, 'params')).toEqual({ ratio: 0.3, scope: 'layer', on: true });
    expect(fieldDefaults(fields)).toEqual({ ratio: 0.3, scope: 'layer', on: true });
  });
  it.each([
    [{ ratio: 2 }, 'params: ratio'],
    [{ ratio: Number.NaN }, 'params: ratio'],
    [{ count: 1.5 }, 'params: count'],
    [{ scope: 'all' }, 'params: scope'],
    [{ scope: '4' }, 'params: scope'],
    [{ on: 1 }, 'params: on'],
    [{ more: 1 }, 'params'],
  ])('refuses %j, naming the field', (given, where) => {
    try {
      parseWith(fieldsSchema(fields), given, 'params');
      expect.unreachable();
    } catch (thrown) {
      expect(toFault(thrown).where).toBe(where);
    }
  });
});

describe('cancel', () => {
  it('throws only once pulled', () => {
    const { token, cancel } = cancelSource();
    checkCancel(token);
    checkCancel(neverCancelled);
    cancel();
    expect(() => checkCancel(token)).toThrow(Cancelled);
  });
});
