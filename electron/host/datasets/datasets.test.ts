/** Data sets: the digits' split, and every format read from files that the test makes. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import { afterAll, describe, expect, it } from 'vitest';
import type { Dataset, Split } from '#shared/ports/dataset.ts';
import { openDataset } from './open-dataset.ts';
import { stratify } from './stratified-split.ts';

const folder = mkdtempSync(join(tmpdir(), 'bantam-data-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (...path: string[]): string => join(folder, ...path);
const count = (d: Dataset, s: Split): number => d.info.counts[s];

const idx = (dims: readonly number[], values: readonly number[]): Uint8Array => {
  const head = new DataView(new ArrayBuffer(4 + 4 * dims.length));
  head.setUint32(0, 0x0800 + dims.length);
  dims.forEach((d, i) => {
    head.setUint32(4 + 4 * i, d);
  });
  return new Uint8Array([...new Uint8Array(head.buffer), ...values]);
};

describe('digits', () => {
  it('split 7,000 / 1,000 / 2,000, disjoint and stratified', async () => {
    const d = await openDataset('digits');
    expect(d.info.counts).toEqual({ train: 7000, validation: 1000, test: 2000 });
    const every = async (s: Split) =>
      d.read(
        s,
        Array.from({ length: count(d, s) }, (_, i) => i),
      );
    const parts = await Promise.all([every('train'), every('validation'), every('test')]);
    const perClass = parts.map((p) => Array.from({ length: 10 }, (_, c) => p.filter((s) => s.label === c).length));
    for (let c = 0; c < 10; c++) {
      const [a = 0, b = 0, t = 0] = perClass.map((p) => p[c] ?? 0);
      expect(Math.abs(b - (a + b + t) / 10)).toBeLessThan(1);
      expect(Math.abs(t - (a + b + t) / 5)).toBeLessThanOrEqual(1);
    }
    const first = parts[0]?.[0]?.values ?? new Float32Array();
    expect(first.length).toBe(784);
    expect(first.every((v) => Number.isInteger(v) && v >= 0 && v <= 255)).toBe(true);
    const again = await openDataset('digits');
    expect((await again.read('test', [5]))[0]).toEqual(parts[2]?.[5]);
  });
});

describe('stratify', () => {
  it('gives exact sizes and leaves nothing out', () => {
    const labels = Array.from({ length: 103 }, (_, i) => (i % 7 === 0 ? 0 : i % 3));
    const parts = stratify(
      labels.map((_, i) => i),
      labels,
      [72, 10, 21],
    );
    expect(parts.map((p) => p.length)).toEqual([72, 10, 21]);
    expect(new Set(parts.flat()).size).toBe(103);
  });
});

describe('IDX', () => {
  it('opens a folder with its own test part, gzipped or not, and a pair', async () => {
    mkdirSync(at('idx'));
    const images = Array.from({ length: 20 * 4 }, (_, i) => i);
    writeFileSync(at('idx', 'train-images-idx3-ubyte.gz'), gzipSync(idx([20, 2, 2], images)));
    writeFileSync(
      at('idx', 'train-labels-idx1-ubyte'),
      idx(
        [20],
        images.slice(0, 20).map((i) => i % 2),
      ),
    );
    writeFileSync(at('idx', 't10k-images-idx3-ubyte'), idx([3, 2, 2], images.slice(0, 12)));
    writeFileSync(at('idx', 't10k-labels-idx1-ubyte'), idx([3], [1, 0, 1]));
    const d = await openDataset(at('idx'));
    expect(d.info.counts).toEqual({ train: 18, validation: 2, test: 3 });
    expect(d.info.sample).toEqual({ kind: 'image', height: 2, width: 2, channels: 1 });
    expect((await d.read('test', [1]))[0]).toEqual({ values: Float32Array.from([4, 5, 6, 7]), label: 0 });
    const pair = await openDataset(
      `${at('idx', 'train-labels-idx1-ubyte')},${at('idx', 'train-images-idx3-ubyte.gz')}`,
    );
    expect(count(pair, 'train') + count(pair, 'validation') + count(pair, 'test')).toBe(20);
  });

  it('refuses what is cut off or does not match, naming the file', async () => {
    mkdirSync(at('bad'));
    writeFileSync(at('bad', 'images-idx3-ubyte'), idx([2, 2, 2], [1, 2, 3]));
    writeFileSync(at('bad', 'labels-idx1-ubyte'), idx([2], [0, 1]));
    await expect(openDataset(at('bad'))).rejects.toMatchObject({
      code: 'bad-file',
      where: at('bad', 'images-idx3-ubyte'),
      message: 'IDX header says 2 x 2 x 2 = 8 bytes, the file holds 3',
    });
    writeFileSync(at('bad', 'images-idx3-ubyte'), idx([3, 1, 1], [1, 2, 3]));
    await expect(openDataset(at('bad'))).rejects.toThrow('3 images but 2 labels');
    writeFileSync(at('bad', 'images-idx3-ubyte'), gzipSync(idx([2, 1, 1], [1, 2])).subarray(0, 15));
    await expect(openDataset(at('bad'))).rejects.toThrow('gzip');
  });
});

describe('CSV', () => {
  it('takes a header or none, numbers or names as labels', async () => {
    const row = (label: string) => [label, ...Array.from({ length: 16 }, (_, i) => i)].join(',');
    writeFileSync(
      at('a.csv'),
      `label,${Array.from({ length: 16 }, (_, i) => `p${i}`)}\n${[row('cat'), row('ant')].join('\n')}\n`,
    );
    const a = await openDataset(at('a.csv'));
    expect(a.info.classes).toEqual(['ant', 'cat']);
    expect(a.info.sample).toEqual({ kind: 'image', height: 4, width: 4, channels: 1 });
    writeFileSync(at('b.csv.gz'), gzipSync(`${['1,0.5,2', '0,1,-1'].join('\r\n')}\r\n`));
    const b = await openDataset(at('b.csv.gz'));
    expect(b.info.sample).toEqual({ kind: 'vector', length: 2 });
    expect(b.info.classes).toEqual(['0', '1']);
  });

  it('reads RGB by pixel and by plane into the same pictures', async () => {
    // a smooth picture: three ramps far apart, so that neighbours of one colour are alike
    const pixel = (i: number): number[] => [20 + i, 120 + i, 220 - i];
    const pixels = Array.from({ length: 16 }, (_, i) => pixel(i));
    writeFileSync(at('hwc.csv'), ['0', ...pixels.flat()].join(','));
    writeFileSync(at('chw.csv'), ['0', ...[0, 1, 2].flatMap((c) => pixels.map((p) => p[c]))].join(','));
    const [a, b] = [await openDataset(at('hwc.csv')), await openDataset(at('chw.csv'))];
    expect(a.info.sample).toEqual({ kind: 'image', height: 4, width: 4, channels: 3 });
    expect(b.info.sample).toEqual(a.info.sample);
    expect(a.info.source).toContain('by pixel');
    expect(b.info.source).toContain('by plane');
    const only = async (d: typeof a) => {
      const split = (['train', 'validation', 'test'] as const).find((s) => d.info.counts[s] > 0) ?? 'train';
      return (await d.read(split, [0]))[0]?.values;
    };
    expect(await only(b)).toEqual(await only(a));
    expect(Array.from((await only(a)) ?? [])).toEqual(pixels.flat());
  });

  it('names the line that is wrong', async () => {
    writeFileSync(at('c.csv'), '1,2,3\n1,2\n');
    await expect(openDataset(at('c.csv'))).rejects.toMatchObject({ code: 'bad-file', where: `${at('c.csv')}:2` });
    writeFileSync(at('c.csv'), '1,2,3\n1,2,x\n');
    await expect(openDataset(at('c.csv'))).rejects.toThrow('"x" in column 3 is not a number');
  });
});

describe('pictures', () => {
  it('read PNG and JPEG by class folder, test folder respected', async () => {
    const draw = (red: number) => {
      const png = new PNG({ width: 3, height: 2 });
      png.data.forEach((_, i) => {
        png.data[i] = i % 4 === 0 ? red : i % 4 === 3 ? 255 : 10;
      });
      return png;
    };
    for (const part of ['train', 'test'])
      for (const name of ['dog', 'cat']) {
        mkdirSync(at('pics', part, name), { recursive: true });
        for (let i = 0; i < 5; i++) writeFileSync(at('pics', part, name, `${i}.png`), PNG.sync.write(draw(100 + i)));
      }
    const jpg = draw(200);
    writeFileSync(at('pics', 'test', 'dog', '9.jpg'), jpeg.encode(jpg, 95).data);
    const d = await openDataset(at('pics'));
    expect(d.info.classes).toEqual(['cat', 'dog']);
    expect(d.info.counts).toEqual({ train: 9, validation: 1, test: 11 });
    expect(d.info.sample).toEqual({ kind: 'image', height: 2, width: 3, channels: 3 });
    const [png, photo] = await d.read('test', [0, 10]);
    expect([...(png?.values.slice(0, 3) ?? [])]).toEqual([100, 10, 10]);
    expect(Math.abs((photo?.values[0] ?? 0) - 200)).toBeLessThan(12);
    expect(photo?.label).toBe(1);
  });

  it('without class folders have no labels; a broken one is named', async () => {
    mkdirSync(at('loose'));
    writeFileSync(at('loose', 'a.png'), new Uint8Array([0x89, 0x50, 1, 2]));
    await expect(openDataset(at('loose'))).rejects.toMatchObject({ code: 'bad-file', where: at('loose', 'a.png') });
    writeFileSync(at('loose', 'a.png'), PNG.sync.write(new PNG({ width: 2, height: 2 })));
    const d = await openDataset(at('loose'));
    expect(d.info.labelled).toBe(false);
    expect((await d.read('test', [])).length).toBe(0);
  });

  it('and what is not there is a clear fault', async () => {
    await expect(openDataset(at('nothing'))).rejects.toMatchObject({ code: 'bad-path' });
  });
});
