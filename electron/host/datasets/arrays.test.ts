/** NPY and NPZ: every element type and order reads back, names are understood, hostile files get one clear fault. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { Fault } from '#shared/base/fault.ts';
import { numberToHalf } from '#shared/ir/values.ts';
import type { Dataset, Sample } from '#shared/ports/dataset.ts';
import { nameOf } from './arrays.ts';
import { bytesSource, fileSource } from './byte-source.ts';
import { openNpy } from './npy.ts';
import { openDataset } from './open-dataset.ts';
import { f4, i8, npyBytes, zipBytes } from './testing/write-arrays.ts';
import { openZip } from './zip.ts';

const folder = mkdtempSync(join(tmpdir(), 'bantam-arrays-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const put = (bytes: Uint8Array, end = '.npy'): string => {
  const path = join(folder, `${files++}${end}`);
  writeFileSync(path, bytes);
  return path;
};
const npy = (bytes: Uint8Array) => openNpy(bytesSource('x.npy', bytes));
const up = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
async function every(d: Dataset): Promise<Sample[]> {
  const parts = (['train', 'validation', 'test'] as const).map((s) => d.read(s, up(d.info.counts[s])));
  return (await Promise.all(parts)).flat();
}

describe('NPY', () => {
  const raw: Readonly<Record<string, (v: readonly number[]) => ArrayBufferView>> = {
    '|b1': (v) => Uint8Array.from(v, (x) => x % 2),
    '|u1': (v) => Uint8Array.from(v),
    '|i1': (v) => Int8Array.from(v, (x) => -x),
    '<u2': (v) => Uint16Array.from(v, (x) => x * 300),
    '<i2': (v) => Int16Array.from(v, (x) => -x * 300),
    '<u4': (v) => Uint32Array.from(v, (x) => x * 70_000),
    '<i4': (v) => Int32Array.from(v, (x) => -x * 70_000),
    '<u8': (v) => BigUint64Array.from(v, BigInt),
    '<i8': (v) => BigInt64Array.from(v, (x) => BigInt(-x)),
    '<f2': (v) => Uint16Array.from(v, (x) => numberToHalf(x / 4)),
    '<f4': (v) => Float32Array.from(v, (x) => x / 3),
    '<f8': (v) => Float64Array.from(v, (x) => x / 3),
  };
  it.each(Object.entries(raw))('reads %s', (descr, make) => {
    const data = make(up(6));
    const a = npy(npyBytes([3, 2], new Uint8Array(data.buffer), { descr }));
    expect(a.shape).toEqual([3, 2]);
    const wanted = descr === '<f2' ? up(6).map((x) => x / 4) : Array.from(data as unknown as Iterable<number>, Number);
    expect(up(3).flatMap((i) => [...a.row(i)])).toEqual(wanted);
  });

  it('reads Fortran order as C order, at any shape and version', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
        fc.constantFrom(1, 2, 3),
        (shape, version) => {
          const count = shape.reduce((a, b) => a * b, 1);
          // Element at C position k, written to its place in Fortran order.
          const strewn = new Array<number>(count).fill(0);
          for (let k = 0; k < count; k++) {
            const index = shape.map((d, i) => Math.floor(k / shape.slice(i + 1).reduce((a, b) => a * b, 1)) % d);
            const at = index.reduce((sum, x, i) => sum + x * shape.slice(0, i).reduce((a, b) => a * b, 1), 0);
            strewn[at] = k;
          }
          const a = npy(npyBytes(shape, f4(strewn), { fortran: true, version: version as 1 | 2 | 3 }));
          expect(up(shape[0] ?? 1).flatMap((i) => [...a.row(i)])).toEqual(up(count));
        },
      ),
    );
  });

  it('refuses what it must not or cannot read, in one line', () => {
    const data = f4(up(6));
    expect(() => npy(npyBytes([3, 2], data, { descr: '|O' }))).toThrow('pickle');
    expect(() => npy(npyBytes([3, 2], data, { descr: '>f4' }))).toThrow('big-endian');
    expect(() => npy(npyBytes([3, 2], data, { descr: '<c8' }))).toThrow('elements of type <c8');
    expect(() => npy(npyBytes([3, 3], data))).toThrow('the header says 3 x 3 of f4, 36 bytes; there are 24');
    expect(() => npy(npyBytes([2 ** 40, 2 ** 40], data))).toThrow('the header says');
    expect(() => npy(Uint8Array.from([0x80, 0x04, 0x95, 1, 2, 3, 4, 5, 6, 7, 8]))).toThrow('not an NPY file');
    const structured = new TextDecoder('latin1').decode(npyBytes([3], data)).replace("'<f4'", "[('a', '<f4')]");
    expect(() => npy(Uint8Array.from(structured, (c) => c.charCodeAt(0)))).toThrow('structured');
  });

  it('cut off or changed anywhere, is a fault or a reading, never anything else', () => {
    const whole = npyBytes([3, 2], f4(up(6)));
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.boolean(), (at, byte, cut) => {
        const bytes = cut ? whole.slice(0, at) : whole.slice();
        if (!cut) bytes[at] = byte;
        try {
          const a = npy(bytes);
          if (a.type !== 'U' && a.type !== 'S') a.row(0);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(Fault);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('of gigabytes is read row by row: a sparse file of 3 GB opens at once', async () => {
    const { openSync, ftruncateSync, writeSync, closeSync } = await import('node:fs');
    const rows = 1_000_000;
    const head = npyBytes([rows, 28, 28], new Uint8Array(), { descr: '<f4' });
    const path = put(head);
    const file = openSync(path, 'r+');
    ftruncateSync(file, head.length + rows * 784 * 4);
    writeSync(file, f4([7]), 0, 4, head.length + (rows - 1) * 784 * 4);
    closeSync(file);
    const before = process.memoryUsage.rss();
    const a = openNpy(fileSource(path));
    expect(a.row(rows - 1)[0]).toBe(7);
    expect(process.memoryUsage.rss() - before).toBeLessThan(200e6);
  });
});

describe('array data sets', () => {
  const pictures = (n: number, scale: number) => f4(up(n * 48).map((i) => ((i * 7) % 256) / scale));

  it('understands the names in use', () => {
    const known = {
      x_train: 'x train',
      trainLabels: 'y train',
      'test-images': 'x test',
      Xval: 'x validation',
      y: 'y train',
    };
    for (const [key, wanted] of Object.entries(known)) {
      const n = nameOf(key);
      expect(`${n?.role} ${n?.part}`).toBe(wanted);
    }
    expect(nameOf('arr_0')).toBeUndefined();
  });

  it.each([false, true])('NPZ with parts of its own, deflated: %s; pictures by plane', async (deflate) => {
    const entry = (name: string, bytes: Uint8Array) => ({ name: `${name}.npy`, bytes, deflate });
    const path = put(
      zipBytes([
        entry('x_train', npyBytes([10, 3, 4, 4], pictures(10, 1))),
        entry('y_train', npyBytes([10, 1], i8(up(10).map((i) => i % 2)), { descr: '<i8' })),
        entry('x_test', npyBytes([4, 3, 4, 4], pictures(4, 1))),
        entry('y_test', npyBytes([4], i8([0, 2, 1, 0]), { descr: '<i8' })),
      ]),
      '.npz',
    );
    const d = await openDataset(path);
    expect(d.info).toMatchObject({
      labelled: true,
      classes: ['0', '1', '2'],
      sample: { kind: 'image', height: 4, width: 4, channels: 3 },
      counts: { train: 9, validation: 1, test: 4 },
    });
    const first = (await d.read('test', [0]))[0];
    expect(first?.label).toBe(0);
    // pixel 0 is red 0, green 16, blue 32 of the planes
    expect([...(first?.values.slice(0, 3) ?? [])]).toEqual([0, (16 * 7) % 256, (32 * 7) % 256]);
  });

  it('takes 0..1 pictures as 0..255 and says so, and other numbers as they stand', async () => {
    const unit = await openDataset(put(npyBytes([5, 4, 4, 3], pictures(5, 255))));
    expect(unit.info.sample).toEqual({ kind: 'image', height: 4, width: 4, channels: 3 });
    expect(unit.info.source).toContain('0..1 taken as 0..255');
    expect(unit.info.labelled).toBe(false);
    for (const s of await every(unit)) for (const v of s.values) expect(Math.abs(v - Math.round(v))).toBeLessThan(1e-4);
    const other = await openDataset(put(npyBytes([5, 4, 12], f4(up(240).map((i) => i - 100)))));
    expect(other.info.sample).toEqual({ kind: 'vector', length: 48, dims: [4, 12] });
  });

  it('takes arrays by name, one-hot and word labels, and pairs of files', async () => {
    const x = npyBytes([3, 2], f4(up(6)));
    const words = npyBytes([3], new Uint8Array(Uint32Array.from('dogcatdog', (c) => c.charCodeAt(0)).buffer), {
      descr: '<U3',
    });
    const path = put(
      zipBytes(
        [
          { name: 'first.npy', bytes: x },
          { name: 'second.npy', bytes: npyBytes([3, 2], f4([0, 1, 1, 0, 0, 1])) },
          { name: 'third.npy', bytes: words },
        ],
        true,
      ),
      '.npz',
    );
    await expect(openDataset(path)).rejects.toThrow('which array holds the samples? There are: first, second, third');
    const hot = await every(await openDataset(`${path}#x=first,y=second`));
    expect(hot.map((s) => [s.values[0], s.label]).sort()).toEqual([
      [0, 1],
      [2, 0],
      [4, 1],
    ]);
    const named = await openDataset(`${path}#x=first,y=third`);
    expect(named.info.classes).toEqual(['cat', 'dog']);
    await expect(openDataset(`${path}#x=none`)).rejects.toThrow('there is no array "none"');
    await expect(openDataset(`${path}#z=first`)).rejects.toThrow('no option "z"');
    const [a, b] = [put(x), put(npyBytes([3], i8([4, 5, 6]), { descr: '<i8' }))];
    for (const pair of [`${a},${b}`, `${b},${a}`]) {
      const d = await openDataset(pair);
      expect((await every(d)).map((s) => s.label).sort()).toEqual([4, 5, 6]);
    }
    mkdirSync(join(folder, 'named'));
    writeFileSync(join(folder, 'named', 'X_train.npy'), x);
    writeFileSync(join(folder, 'named', 'y_train.npy'), words);
    expect((await openDataset(join(folder, 'named'))).info.classes).toEqual(['cat', 'dog']);
  });

  it('names the sample that is wrong', async () => {
    const x = put(npyBytes([3, 2], f4([1, 2, 3, Number.NaN, 5, 6])));
    await expect(openDataset(x)).rejects.toThrow('sample 1 holds NaN');
    const good = put(npyBytes([3, 2], f4(up(6))));
    const labels = async (bytes: Uint8Array) => openDataset(`${good},${put(bytes)}`);
    await expect(labels(npyBytes([3], i8([0, -1, 2]), { descr: '<i8' }))).rejects.toThrow('label -1 of sample 1');
    await expect(labels(npyBytes([3], f4([0, 1, 0.5])))).rejects.toThrow('label 0.5 of sample 2');
    await expect(labels(npyBytes([2], i8([0, 1]), { descr: '<i8' }))).rejects.toThrow('3 samples but 2 labels');
    await expect(labels(npyBytes([3, 2], f4([0, 1, 1, 1, 0, 1])))).rejects.toThrow('sample 1 are no one-hot row');
    await expect(openDataset(put(npyBytes([0, 2], new Uint8Array())))).rejects.toThrow('no samples');
  });
});

describe('ZIP', () => {
  const x = npyBytes([3, 2], f4(up(6)));
  const open = (bytes: Uint8Array) => openZip(bytesSource('a.npz', bytes)).map((e) => e.open());

  it('refuses bombs, damage, encryption and what is cut off', () => {
    const zeros = new Uint8Array(1_000_000);
    expect(() => open(zipBytes([{ name: 'b.npy', bytes: zeros, deflate: true, says: 100 }]))).toThrow(
      'larger than it says',
    );
    expect(() => open(zipBytes([{ name: 'b.npy', bytes: zeros, deflate: true, says: 2 ** 33 }], true))).toThrow(
      'would take 8.0 GB',
    );
    expect(() => open(zipBytes([{ name: 'x.npy', bytes: x, deflate: true, crc: 1 }]))).toThrow('checksum');
    expect(() => open(zipBytes([{ name: 'x.npy', bytes: x, flags: 1 }]))).toThrow('encrypted');
    expect(() => open(zipBytes([{ name: 'x.npy', bytes: x }]).slice(0, -30))).toThrow('cut off');
  });

  it('changed anywhere, is a fault or a reading', () => {
    const whole = zipBytes([{ name: 'x.npy', bytes: x, deflate: true }], true);
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, byte) => {
        const bytes = whole.slice();
        bytes[at] = byte;
        try {
          open(bytes);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(Fault);
        }
      }),
      { numRuns: 500 },
    );
  });
});
