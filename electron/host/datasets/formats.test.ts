/** CIFAR's binary files, CSV columns, and the kinds of pictures that folders hold. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { afterAll, describe, expect, it } from 'vitest';
import { openDataset } from './open-dataset.ts';

const folder = mkdtempSync(join(tmpdir(), 'bantam-formats-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (...path: string[]): string => join(folder, ...path);
const put = (path: string, content: string | Uint8Array): string => {
  writeFileSync(at(path), content);
  return at(path);
};

/** Records with label bytes; pixel p of colour c is (p + 50 c) mod 256. */
const records = (labels: readonly (readonly number[])[]): Uint8Array =>
  Uint8Array.from(
    labels.flatMap((l) => [
      ...l,
      ...Array.from({ length: 3072 }, (_, i) => ((i % 1024) + 50 * Math.floor(i / 1024)) % 256),
    ]),
  );

describe('CIFAR', () => {
  it('10: batches, their test batch and the names of classes', async () => {
    mkdirSync(at('c10'));
    put('c10/data_batch_1.bin', records(Array.from({ length: 10 }, (_, i) => [i])));
    put('c10/data_batch_2.bin', records(Array.from({ length: 10 }, (_, i) => [i])));
    put('c10/test_batch.bin', records([[3], [7]]));
    put('c10/batches.meta.txt', `${'abcdefghij'.split('').join('\n')}\n\n`);
    const d = await openDataset(at('c10'));
    expect(d.info.counts).toEqual({ train: 18, validation: 2, test: 2 });
    expect(d.info.classes[3]).toBe('d');
    const [, second] = await d.read('test', [0, 1]);
    expect(second?.label).toBe(7);
    expect([...(second?.values.slice(3, 6) ?? [])]).toEqual([1, 51, 101]);
    expect((await openDataset(at('c10', 'data_batch_1.bin'))).info.source).toContain('CIFAR-10:');
  });

  it('100: fine or coarse labels; wrong lengths and labels are named', async () => {
    mkdirSync(at('c100'));
    put('c100/train.bin', records(Array.from({ length: 10 }, (_, i) => [i, 90 + i])));
    put('c100/test.bin', records([[5, 42]]));
    const test = async (id: string) => (await (await openDataset(id)).read('test', [0]))[0]?.label;
    expect(await test(at('c100'))).toBe(42);
    expect(await test(`${at('c100')}#label=coarse`)).toBe(5);
    await expect(openDataset(`${at('c100')}#label=super`)).rejects.toThrow('no label "super"');
    await expect(openDataset(put('cut.bin', records([[1]]).slice(0, -1)))).rejects.toThrow('no whole number');
    await expect(openDataset(put('odd.bin', records([[1], [11]])))).rejects.toThrow('label 11 of record 1');
  });
});

describe('CSV', () => {
  it('finds the label by name, wherever it stands', async () => {
    const path = put('iris.csv', 'length,width,species\n5.1,3.5,setosa\n6.2,2.9,virginica\n4.9,3.0,setosa\n');
    const d = await openDataset(path);
    expect(d.info.classes).toEqual(['setosa', 'virginica']);
    expect(d.info.sample).toEqual({ kind: 'vector', length: 2 });
    const other = await openDataset(`${put('b.csv', 'a,kind,b\n1,x,2\n3,y,4\n')}#label=kind`);
    expect(other.info.classes).toEqual(['x', 'y']);
    expect((await openDataset(`${put('c.csv', '1,2,0\n3,4,1\n')}#label=3`)).info.classes).toEqual(['0', '1']);
    const none = await openDataset(`${put('d.csv', '1,2\n3,4\n5,6\n')}#label=none`);
    expect([none.info.labelled, none.info.sample]).toEqual([false, { kind: 'vector', length: 2 }]);
    await expect(openDataset(`${path}#label=colour`)).rejects.toThrow('no column "colour"');
  });

  it('reads quotes, semicolons with decimal commas, tabs and a byte order mark', async () => {
    const all = async (text: string) => {
      const d = await openDataset(put('q.csv', text));
      const parts = await Promise.all(
        (['train', 'validation', 'test'] as const).map((s) =>
          d.read(
            s,
            Array.from({ length: d.info.counts[s] }, (_, i) => i),
          ),
        ),
      );
      return [
        d.info.classes,
        parts
          .flat()
          .map((s) => [...s.values])
          .sort(),
      ];
    };
    const wanted = [
      ['a "b", c', 'd'],
      [
        [1.5, 2],
        [3, 4],
      ],
    ];
    expect(await all('label,x,y\n"a ""b"", c",1.5,2\nd,"3",4\n')).toEqual(wanted);
    expect(await all('\uFEFFlabel;x;y\r\n"a ""b"", c";1,5;2\r\nd;3;4')).toEqual(wanted);
    expect(await all('"a ""b"", c"\t1.5\t2\nd\t3\t4\n')).toEqual(wanted);
  });

  it('names the line of an empty or non-finite cell', async () => {
    await expect(openDataset(put('e.csv', 'label,x,y\n1,2,3\n1,,3\n'))).rejects.toMatchObject({
      where: `${at('e.csv')}:3`,
    });
    await expect(openDataset(put('f.csv', 'label,x\n1,2\n1,NaN\n'))).rejects.toThrow(
      '"NaN" in column 2 is not a number',
    );
    await expect(openDataset(put('g.csv', 'label,x\n1,2\n,3\n'))).rejects.toThrow('sample 2 has no label');
  });
});

describe('picture folders', () => {
  const png = (colorType: 0 | 2 | 4 | 6, size: [number, number], rgba: readonly number[]): Uint8Array => {
    const [width, height] = size;
    const p = new PNG({ width, height });
    for (let i = 0; i < width * height; i++) p.data.set(rgba, 4 * i);
    return PNG.sync.write(p, { colorType });
  };

  it('respect train, val and test, whatever kind each picture is', async () => {
    for (const part of ['train', 'val', 'test'])
      for (const name of ['a', 'b']) mkdirSync(at('p', part, name), { recursive: true });
    put('p/train/a/grey.png', png(0, [4, 4], [90, 90, 90, 255]));
    put('p/train/a/rgb.png', png(2, [5, 4], [10, 20, 30, 255]));
    put('p/train/b/alpha.png', png(6, [4, 6], [100, 0, 0, 0]));
    put('p/train/b/._note.png', 'a resource fork, no picture');
    put('p/val/a/1.png', png(2, [4, 4], [1, 2, 3, 255]));
    put('p/test/b/1.png', png(4, [4, 4], [50, 50, 50, 255]));
    const d = await openDataset(at('p'));
    expect(d.info.counts).toEqual({ train: 3, validation: 1, test: 1 });
    expect(d.info.splitRule).toBe("the data's own train, validation and test parts");
    expect(d.info.sample).toMatchObject({ channels: 3 });
    const train = await d.read('train', [0, 1, 2]);
    const colours = train.map((s) => [...s.values.slice(0, 3)].join()).sort();
    expect(colours).toEqual(['10,20,30', '255,255,255', '90,90,90']);
    expect(train.find((s) => s.values[0] === 255)).toMatchObject({ height: 6, width: 4, label: 1 });
    expect((await d.read('validation', [0]))[0]?.label).toBe(0);
  });

  it('refuse a picture that promises more pixels than can be', async () => {
    mkdirSync(at('bomb'));
    const file = png(0, [4, 4], [1, 1, 1, 255]);
    new DataView(file.buffer, file.byteOffset).setUint32(16, 2_000_000);
    new DataView(file.buffer, file.byteOffset).setUint32(20, 2_000_000);
    put('bomb/a.png', file);
    await expect(openDataset(at('bomb'))).rejects.toThrow('too many');
  });
});
