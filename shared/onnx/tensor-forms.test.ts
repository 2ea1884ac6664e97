/** Every element type in every storage form goes through reading and writing with its bits unchanged. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { GraphProtoSchema, ModelProtoSchema, type TensorProto, TensorProtoSchema } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { Fault } from '../base/fault.ts';
import { type ElementType, elementCount, elementTypes, rawByteLength } from '../ir/element-type.ts';
import { lazyTensor, renameTensor, type Tensor } from '../ir/tensor.ts';
import { readModel } from './read.ts';
import { onnxFileBytes } from './size.ts';
import { readSkeleton, skeletonOf } from './skeleton.ts';
import { writeModel } from './write.ts';

const types = Object.keys(elementTypes) as ElementType[];
const numeric = types.filter((t) => t !== 'string');
const dims = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 3 });
const seed = { seed: 41, numRuns: 30 };

/** A file with this one tensor, written by protobuf itself. */
const fileWith = (tensor: TensorProto): Uint8Array =>
  toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, { irVersion: 10n, graph: create(GraphProtoSchema, { name: 'g', initializer: [tensor] }) }),
  );
const first = (bytes: Uint8Array): Tensor => readModel(bytes).graph.initializers[0]!;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** The typed field that onnx.proto gives this type, filled from raw bytes: written here a second time, as the oracle. */
function typedForm(type: ElementType, raw: Uint8Array): Partial<TensorProto> {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const every = <T>(unit: number, f: (at: number) => T): T[] =>
    Array.from({ length: raw.byteLength / unit }, (_, i) => f(i * unit));
  switch (type) {
    case 'float':
    case 'complex64':
      return { floatData: every(4, (at) => view.getFloat32(at, true)) };
    case 'double':
    case 'complex128':
      return { doubleData: every(8, (at) => view.getFloat64(at, true)) };
    case 'int64':
      return { int64Data: every(8, (at) => view.getBigInt64(at, true)) };
    case 'uint64':
      return { uint64Data: every(8, (at) => view.getBigUint64(at, true)) };
    case 'uint32':
      return { uint64Data: every(4, (at) => BigInt(view.getUint32(at, true))) };
    case 'int32':
      return { int32Data: every(4, (at) => view.getInt32(at, true)) };
    case 'int16':
      return { int32Data: every(2, (at) => view.getInt16(at, true)) };
    case 'int8':
      return { int32Data: every(1, (at) => view.getInt8(at)) };
    default:
      return elementTypes[type].bits === 16
        ? { int32Data: every(2, (at) => view.getUint16(at, true)) }
        : { int32Data: every(1, (at) => view.getUint8(at)) };
  }
}

/** Signalling NaNs need not survive a float held as a number: keep exponents below all ones. */
function quiet(type: ElementType, raw: Uint8Array): Uint8Array {
  if (!['float', 'complex64', 'double', 'complex128'].includes(type)) return raw;
  return raw.map((b, i) => (i % (type === 'float' || type === 'complex64' ? 4 : 8) >= 6 || i % 4 === 3 ? b & 0xbf : b));
}

const filled = fc.tuple(dims, fc.infiniteStream(fc.integer({ min: 0, max: 255 })));
function rawOf(type: ElementType, shape: readonly number[], stream: Iterator<number>): Uint8Array {
  const length = rawByteLength(type, elementCount(shape));
  return quiet(
    type,
    Uint8Array.from({ length }, () => stream.next().value as number),
  );
}

describe.each(numeric)('%s', (type) => {
  const proto = (shape: readonly number[], data: Partial<TensorProto>): TensorProto =>
    Object.assign(
      create(TensorProtoSchema, { name: 'w', dims: shape.map(BigInt), dataType: elementTypes[type].code }),
      data,
    );
  const forms = [
    ['raw', (raw: Uint8Array): Partial<TensorProto> => ({ rawData: raw.slice() })],
    ['typed', (raw: Uint8Array): Partial<TensorProto> => typedForm(type, raw)],
  ] as const;
  it.each(forms)('as %s data: values, file, size and skeleton', (_name, form) => {
    fc.assert(
      fc.property(filled, ([shape, stream]) => {
        const raw = rawOf(type, shape, stream[Symbol.iterator]());
        const file = fileWith(proto(shape, form(raw)));
        const model = readModel(file);
        const tensor = model.graph.initializers[0]!;
        expect(hex(tensor.bytes())).toBe(hex(raw));
        expect(hex(writeModel(model))).toBe(hex(file));
        expect(onnxFileBytes(readSkeleton(skeletonOf(model)))).toBe(file.length);
        const renamed = { ...model, graph: { ...model.graph, initializers: [renameTensor(tensor, 'other name')] } };
        const back = writeModel(renamed);
        expect(back.length).toBe(onnxFileBytes(renamed));
        expect([first(back).name, hex(first(back).bytes())]).toEqual(['other name', hex(raw)]);
      }),
      seed,
    );
  });
  it('new values never lose to the ones in the file', () => {
    fc.assert(
      fc.property(filled, ([shape, stream]) => {
        const values = stream[Symbol.iterator]();
        const model = readModel(fileWith(proto(shape, typedForm(type, rawOf(type, shape, values)))));
        const fresh = rawOf(type, shape, values);
        const next = {
          ...model,
          graph: { ...model.graph, initializers: [{ ...model.graph.initializers[0]!, bytes: () => fresh }] },
        };
        const written = writeModel(next);
        expect(written.length).toBe(onnxFileBytes(next));
        expect(hex(first(written).bytes())).toBe(hex(fresh));
      }),
      seed,
    );
  });
  it('made new, is raw data that protobuf reads', () => {
    fc.assert(
      fc.property(filled, ([shape, stream]) => {
        const raw = rawOf(type, shape, stream[Symbol.iterator]());
        const model = readModel(fileWith(create(TensorProtoSchema, { name: 'w', dims: [0n], dataType: 1 })));
        const next = { ...model, graph: { ...model.graph, initializers: [lazyTensor('w', type, shape, () => raw)] } };
        const written = writeModel(next);
        expect(written.length).toBe(onnxFileBytes(next));
        const tensor = fromBinary(ModelProtoSchema, written).graph!.initializer[0]!;
        expect([tensor.dataType, tensor.dims.map(Number), hex(tensor.rawData)]).toEqual([
          elementTypes[type].code,
          shape,
          hex(raw),
        ]);
      }),
      seed,
    );
  });
  it('with one byte too many or too few is refused, the tensor named', () => {
    const raw = new Uint8Array(rawByteLength(type, 6) + 1);
    for (const length of [raw.length, raw.length - 2]) {
      const file = fileWith(proto([2, 3], { rawData: raw.slice(0, length) }));
      expect(() => readModel(file)).toThrow(Fault);
      try {
        readModel(file);
      } catch (thrown) {
        expect(thrown).toMatchObject({ code: 'bad-file', where: expect.stringContaining('w') });
      }
    }
  });
});

describe('strings', () => {
  it('keep any bytes, valid UTF-8 or not', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 6 }), (strings) => {
        const tensor = create(TensorProtoSchema, { name: 's', dims: [BigInt(strings.length)], dataType: 8 });
        tensor.stringData = strings.map((s) => s.slice());
        const file = fileWith(tensor);
        const model = readModel(file);
        expect(model.graph.initializers[0]!.strings!().map(hex)).toEqual(strings.map(hex));
        expect(hex(writeModel(model))).toBe(hex(file));
        expect(onnxFileBytes(readSkeleton(skeletonOf(model)))).toBe(file.length);
      }),
      seed,
    );
  });
});
