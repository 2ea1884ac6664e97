/** The archive: bit for bit back, whatever the file; sizes against entropy; hostile bytes give a fault and nothing else. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeDeflate } from '../../electron/host/node-deflate.ts';
import { Fault } from '../base/fault.ts';
import { rng } from '../base/random.ts';
import type { ElementType } from '../ir/element-type.ts';
import type { Model } from '../ir/model.ts';
import { lazyTensor } from '../ir/tensor.ts';
import { numbersTensor } from '../ir/values.ts';
import { readModel } from '../onnx/read.ts';
import { writeModel } from '../onnx/write.ts';
import { model, node, randomTensor, value } from '../testing/build.ts';
import { corpusBytes, corpusEntries } from '../testing/corpus.ts';
import { isArchive, pack, unpack } from './archive.ts';
import { Reader, Writer } from './bytes.ts';
import { decodePart, encodePart } from './coders.ts';
import { codeLengths, countsOf, huffmanBytes, readHuffman, writeHuffman } from './huffman.ts';
import { planSymbols, readSymbols } from './symbols.ts';
import '../testing/seed.ts';

/** Compared at once: a deep comparison of a million numbers takes a minute. */
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
const packed = (bytes: Uint8Array) => pack(bytes, readModel(bytes), nodeDeflate);

describe('Huffman', () => {
  const symbols = fc.array(fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 63 })), {
    maxLength: 300,
  });
  it('gives symbols back, in as many bytes as it said, within a bit of the entropy', () => {
    fc.assert(
      fc.property(symbols, (s) => {
        const out = new Writer();
        writeHuffman(out, s, 64);
        const bytes = out.done();
        expect(bytes.length).toBe(huffmanBytes(countsOf(s, 64)));
        expect(Array.from(readHuffman(new Reader(bytes), s.length, 64))).toEqual(s);
        const counts = countsOf(s, 64);
        const lengths = codeLengths(counts);
        let entropy = 0;
        let bits = 0;
        counts.forEach((c, k) => {
          if (c > 0) entropy += c * Math.log2(s.length / c);
          bits += c * lengths[k]!;
        });
        expect(bits).toBeGreaterThanOrEqual(entropy - 1e-6);
        expect(bits).toBeLessThanOrEqual(entropy + s.length);
      }),
    );
  });
  it('never needs more than 15 bits, and stays a prefix code (Kraft)', () => {
    const fibonacci = [1, 1];
    while (fibonacci.length < 40) fibonacci.push(fibonacci.at(-1)! + fibonacci.at(-2)!);
    const lengths = codeLengths(fibonacci);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(15);
    expect(lengths.reduce((n, l) => n + 2 ** -l, 0)).toBeLessThanOrEqual(1);
  });
});

describe('symbols', () => {
  it('come back, relative where one is common', () => {
    const rare = fc.array(fc.tuple(fc.integer({ min: 0, max: 900 }), fc.integer({ min: 0, max: 15 })), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(rare, fc.integer({ min: 0, max: 700 }), (runs, tail) => {
        const s = Uint8Array.from([
          ...runs.flatMap(([zeros, symbol]) => [...new Array<number>(zeros).fill(5), symbol]),
          ...new Array<number>(tail).fill(5),
        ]);
        const out = new Writer();
        planSymbols(s, 16).write(out);
        expect(Uint8Array.from(readSymbols(new Reader(out.done()), s.length, 16))).toEqual(s);
      }),
    );
  });
  it('a mask of one in twenty costs no more than a tenth above its entropy', () => {
    const random = rng(1);
    const mask = Uint8Array.from({ length: 200_000 }, () => (random.next() < 0.05 ? 1 : 0));
    const ones = mask.reduce((n, b) => n + b, 0) / mask.length;
    const entropy = (-(ones * Math.log2(ones) + (1 - ones) * Math.log2(1 - ones)) * mask.length) / 8;
    const plan = planSymbols(mask, 2);
    expect(plan.how).toBe('relative');
    expect(plan.bytes).toBeLessThan(entropy * 1.1);
  });
});

describe('parts', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 400 }),
    fc.array(fc.constantFrom(0, 0, 0, 1, 200), { minLength: 1, maxLength: 400 }).map((a) => Uint8Array.from(a)),
  );
  it('come back whatever their elements', () => {
    fc.assert(
      fc.property(bytes, fc.constantFrom(1, 2, 4, 8), (b, unit) => {
        const { payload } = encodePart(b, unit, nodeDeflate);
        expect(decodePart(payload, b.length, nodeDeflate)).toEqual(b);
      }),
    );
  });
});

/** A model with one stored tensor of each kind. */
function mixed(): Model {
  const random = rng(3);
  const numbers = (n: number, make: () => number): number[] => Array.from({ length: n }, make);
  const tensor = (name: string, type: ElementType, n: number, make: () => number) =>
    numbersTensor(name, type, [n], numbers(n, make));
  const initializers = [
    randomTensor('floats', [2000]),
    tensor('shared', 'float', 4000, () => [-0.5, 0.25, 0.75, 1.5][random.below(4)] ?? 0),
    tensor('sparse', 'float', 6000, () => (random.next() < 0.04 ? 1 + random.below(6) : 0)),
    tensor('indices', 'uint4', 5001, () => Math.min(15, Math.abs(Math.round(random.normal() * 2)))),
    tensor('bytes', 'uint8', 3000, () => Math.round(128 + random.normal() * 4)),
    tensor('mask', 'uint8', 2000, () => (random.next() < 0.1 ? 1 << random.below(8) : 0)),
    tensor('small', 'float', 3, () => 1),
  ];
  return model({
    nodes: [node('Identity', ['x'], ['y'])],
    initializers,
    inputs: [value('x', [1])],
    outputs: [value('y', [1])],
  });
}

describe('archive', () => {
  it('restores every kind of tensor, each smaller by its own coder', () => {
    const file = writeModel(mixed());
    const p = packed(file);
    expect(same(unpack(p.bytes, nodeDeflate), file)).toBe(true);
    expect(isArchive(p.bytes) && !isArchive(file)).toBe(true);
    const by = new Map(p.parts.map((x) => [x.name, x]));
    expect(by.get('shared')?.coder).toBe('codebook');
    expect(by.get('sparse')?.coder).toBe('relative codebook');
    expect(by.get('indices')?.coder).toBe('huffman');
    expect(by.get('mask')?.coder).toBe('relative');
    expect(by.has('small')).toBe(false);
    for (const x of p.parts) expect(x.codedBytes).toBeLessThan(x.plainBytes);
    expect(p.parts.reduce((n, x) => n + x.plainBytes, p.rest.plainBytes)).toBe(file.length);
    expect(p.bytes.length).toBeLessThan(p.parts.reduce((n, x) => n + x.codedBytes + 12, p.rest.codedBytes + 30));
  });
  it('restores a file of one repeated number, within what a reader believes', () => {
    const zeros = lazyTensor('w', 'float', [1_000_000], () => new Uint8Array(4_000_000));
    const file = writeModel({ ...mixed(), graph: { ...mixed().graph, initializers: [zeros] } });
    expect(same(unpack(packed(file).bytes, nodeDeflate), file)).toBe(true);
  });
  it('restores bytes that are no model, whole', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(unpack(pack(bytes, undefined, nodeDeflate).bytes, nodeDeflate)).toEqual(bytes);
      }),
    );
  });
  it.each(corpusEntries.filter((e) => e.parse_error === null && !e.file.startsWith('1-light/')).map((e) => e.file))(
    '%s comes back bit for bit',
    (name) => {
      const file = corpusBytes(name);
      expect(same(unpack(packed(file).bytes, nodeDeflate), file)).toBe(true);
    },
  );
});

describe('hostile archives', () => {
  const archive = packed(writeModel(mixed())).bytes;
  /** Runs to an end: the file, or a fault for a person. */
  const opened = (bytes: Uint8Array): Uint8Array | Fault => {
    try {
      return unpack(bytes, nodeDeflate);
    } catch (thrown) {
      if (thrown instanceof Fault && ['bad-file', 'unsupported'].includes(thrown.code)) return thrown;
      throw thrown;
    }
  };
  it('a changed byte never passes for the file', () => {
    const change = fc.record({ at: fc.nat(archive.length - 1), to: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const bytes = archive.slice();
        for (const { at, to } of changes) bytes[at] = to;
        if (changes.every(({ at, to }) => archive[at] === to)) return;
        expect(bytes.every((b, k) => b === archive[k]) || opened(bytes) instanceof Fault || sameFile(bytes)).toBe(true);
      }),
      { numRuns: 400 },
    );
  });
  /** A change in bits that stand for nothing (the last byte of a stream) gives the file all the same. */
  const sameFile = (bytes: Uint8Array): boolean => {
    const got = opened(bytes);
    return !(got instanceof Fault) && same(got, unpack(archive, nodeDeflate));
  };
  it('cut short or followed by more, it faults', () => {
    fc.assert(
      fc.property(fc.nat(archive.length - 1), (n) => {
        expect(opened(archive.subarray(0, n))).toBeInstanceOf(Fault);
      }),
    );
    expect(opened(Uint8Array.from([...archive, 0]))).toBeInstanceOf(Fault);
  });
  it('random bytes behind the magic fault, without filling the memory', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (tail) => {
        expect(opened(Uint8Array.from([...archive.subarray(0, 5), ...tail]))).toBeInstanceOf(Fault);
      }),
      { numRuns: 400 },
    );
  });
  it('a newer version says so', () => {
    const bytes = archive.slice();
    bytes[4] = 9;
    expect(() => unpack(bytes, nodeDeflate)).toThrow('has version 9');
  });
});
