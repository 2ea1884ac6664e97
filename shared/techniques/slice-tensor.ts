/** Owns sliceTensor: a tensor without some indices along its axes, its bytes computed when asked. */
import { Fault } from '../base/fault.ts';
import { text } from '../base/text.ts';
import { elementCount, elementTypes } from '../ir/element-type.ts';
import { lazyTensor, type Tensor } from '../ir/tensor.ts';

/** What stays along one axis: how many indices (known at once) and which (computed when bytes are asked). */
export interface Kept {
  readonly size: number;
  readonly indices: () => ArrayLike<number>;
}

/** Copies the kept indices of one axis: bytes [outer, n, inner] -> [outer, kept, inner], `unit` bytes an element. */
function takeBytes(
  bytes: Uint8Array,
  outer: number,
  n: number,
  innerBytes: number,
  kept: ArrayLike<number>,
): Uint8Array {
  const out = new Uint8Array(outer * kept.length * innerBytes);
  let to = 0;
  for (let o = 0; o < outer; o++)
    for (let k = 0; k < kept.length; k++) {
      const from = (o * n + (kept[k] ?? 0)) * innerBytes;
      out.set(bytes.subarray(from, from + innerBytes), to);
      to += innerBytes;
    }
  return out;
}

const unpackBits = (bytes: Uint8Array, bits: number, count: number): Uint8Array => {
  const per = 8 / bits;
  const mask = (1 << bits) - 1;
  return Uint8Array.from({ length: count }, (_, i) => ((bytes[Math.floor(i / per)] ?? 0) >> ((i % per) * bits)) & mask);
};

const packBits = (codes: Uint8Array, bits: number): Uint8Array => {
  const per = 8 / bits;
  const out = new Uint8Array(Math.ceil(codes.length / per));
  codes.forEach((code, i) => {
    const at = Math.floor(i / per);
    out[at] = (out[at] ?? 0) | (code << ((i % per) * bits));
  });
  return out;
};

/**
 * The tensor with only the kept indices along each axis given. Name and type stay; storage becomes raw_data, so the
 * file size follows from the new shape. Works for every element type but strings (throws `unsupported`).
 */
export function sliceTensor(tensor: Tensor, kept: ReadonlyMap<number, Kept>): Tensor {
  const bits: number = elementTypes[tensor.type].bits;
  if (bits === 0)
    throw new Fault('unsupported', text('a tensor of strings cannot be sliced', '문자열 텐서는 자를 수 없습니다'), {
      where: tensor.name,
    });
  const dims = tensor.dims.map((d, axis) => kept.get(axis)?.size ?? d);
  const sliced = lazyTensor(tensor.name, tensor.type, dims, () => {
    const count = elementCount(tensor.dims);
    const packed = bits < 8;
    const unit = packed ? 1 : bits / 8;
    let bytes = packed ? unpackBits(tensor.bytes(), bits, count) : tensor.bytes();
    const shape = [...tensor.dims];
    for (const [axis, keep] of kept) {
      const n = shape[axis] ?? 0;
      const outer = elementCount(shape.slice(0, axis));
      const inner = elementCount(shape.slice(axis + 1));
      const indices = keep.indices();
      if (indices.length !== keep.size)
        throw new Fault(
          'internal',
          text(
            `${indices.length} indices kept, ${keep.size} foretold`,
            `인덱스 ${indices.length}개가 남았는데 예고는 ${keep.size}개였습니다`,
          ),
          { where: tensor.name },
        );
      bytes = takeBytes(bytes, outer, n, inner * unit, indices);
      shape[axis] = keep.size;
    }
    return packed ? packBits(bytes, bits) : bytes;
  });
  return tensor.doc === undefined ? sliced : { ...sliced, doc: tensor.doc };
}
