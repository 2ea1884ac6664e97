/**
 * Owns integersBehind: the whole numbers at the end of a decoder (as bytes, 4-bit or 2-bit tensors, or in packed planes; see
 * packed-indices), read as numbers and written back in the form in which they stand.
 */
import { elementCount } from '../ir/element-type.ts';
import { type GraphIndex, graphIndex } from '../ir/graph-index.ts';
import type { Graph, Node } from '../ir/model.ts';
import { lazyTensor, type Tensor } from '../ir/tensor.ts';
import { packNumbers, toNumbers } from '../ir/values.ts';
import { constantValue } from '../transforms/constant-values.ts';
import { packedPlane } from './packed-indices.ts';

export interface StoredIntegers {
  readonly count: number;
  /** Smallest and largest that the form holds. */
  readonly low: number;
  readonly high: number;
  readonly read: () => Float64Array;
  /** The stored tensors with other numbers in them: same names, types, dims and bytes. */
  readonly write: (values: () => ArrayLike<number>) => readonly Tensor[];
}

const ranges: Readonly<Partial<Record<Tensor['type'], readonly [number, number]>>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int4: [-8, 7],
  uint4: [0, 15],
  int2: [-2, 1],
  uint2: [0, 3],
  int16: [-32768, 32767],
  uint16: [0, 65535],
  int32: [-(2 ** 30), 2 ** 30],
};

function plain(index: GraphIndex, tensor: Tensor): StoredIntegers | undefined {
  const range = ranges[tensor.type];
  // Another reader would see other numbers.
  if (range === undefined || index.uses.get(tensor.name)?.length !== 1 || index.outputNames.has(tensor.name))
    return undefined;
  return {
    count: elementCount(tensor.dims),
    low: range[0],
    high: range[1],
    read: () => toNumbers(tensor),
    write: (values) => [
      lazyTensor(tensor.name, tensor.type, tensor.dims, () => packNumbers(tensor.type, Float64Array.from(values()))),
    ],
  };
}

/** A plane of a few bits at a place: where it is stored. */
interface Plane {
  readonly tensor: Tensor;
  readonly width: number;
  readonly place: number;
}

/** One number of a constant; undefined where there are more, or none. */
function single(graph: Graph, name: string): number | undefined {
  const tensor = constantValue(graph, name)?.tensor;
  return tensor === undefined || elementCount(tensor.dims) !== 1 ? undefined : toNumbers(tensor)[0];
}

const carries = new Set(['Slice', 'Reshape', 'Cast']);

/** BitShift -> Mod -> Cast -> Reshape (-> Slice) (-> Mul by the place value). */
function planeAt(graph: Graph, name: string): Plane | undefined {
  const index = graphIndex(graph);
  let at = index.producer.get(name);
  let factor = 1;
  if (at?.op === 'Mul') {
    factor = single(graph, at.inputs[1] ?? '') ?? 0;
    at = index.producer.get(at.inputs[0] ?? '');
  }
  while (at !== undefined && carries.has(at.op)) at = index.producer.get(at.inputs[0] ?? '');
  if (at?.op !== 'Mod') return undefined;
  const width = Math.log2(single(graph, at.inputs[1] ?? '') ?? 0);
  const place = Math.log2(factor);
  const shift = index.producer.get(at.inputs[0] ?? '');
  const tensor = shift?.op === 'BitShift' ? index.initializer.get(shift.inputs[0] ?? '') : undefined;
  if (tensor?.type !== 'uint8' || ![1, 2, 4].includes(width) || !Number.isInteger(place)) return undefined;
  if (index.uses.get(tensor.name)?.length !== 1) return undefined;
  return { tensor, width, place };
}

function unpacked(planes: readonly Plane[], count: number): Float64Array {
  const out = new Float64Array(count);
  for (const { tensor, width, place } of planes) {
    const bytes = tensor.bytes();
    const per = 8 / width;
    for (let k = 0; k < count; k++)
      out[k] =
        (out[k] ?? 0) + ((((bytes[Math.floor(k / per)] ?? 0) >> ((k % per) * width)) & ((1 << width) - 1)) << place);
  }
  return out;
}

function planesBehind(graph: Graph, node: Node, count: number): StoredIntegers | undefined {
  const index = graphIndex(graph);
  const planes: Plane[] = [];
  // Add(Add(plane, plane), plane): at most eight.
  let at: string | undefined = node.outputs[0];
  while (at !== undefined) {
    const maker: Node | undefined = index.producer.get(at);
    const found = planeAt(graph, maker?.op === 'Add' ? (maker.inputs[1] ?? '') : at);
    if (found === undefined || planes.length > 8) return undefined;
    planes.push(found);
    at = maker?.op === 'Add' ? maker.inputs[0] : undefined;
  }
  const bits = Math.max(...planes.map((p) => p.place + p.width));
  return {
    count,
    low: 0,
    high: 2 ** bits - 1,
    read: () => unpacked(planes, count),
    write: (values) =>
      planes.map(({ tensor, width, place }) =>
        lazyTensor(tensor.name, 'uint8', tensor.dims, () =>
          packedPlane({ count, bits, values: () => Uint8Array.from(values()) }, width, place),
        ),
      ),
  };
}

/** The integers that an integer value of `count` numbers is decoded from; undefined where they stand in another form. */
export function integersBehind(graph: Graph, name: string, count: number): StoredIntegers | undefined {
  const index = graphIndex(graph);
  let at = name;
  for (;;) {
    const tensor = index.initializer.get(at);
    if (tensor !== undefined) return elementCount(tensor.dims) === count ? plain(index, tensor) : undefined;
    const maker = index.producer.get(at);
    if (maker === undefined || index.outputNames.has(at)) return undefined;
    const packed = planesBehind(graph, maker, count);
    if (packed !== undefined) return packed;
    if (maker.op !== 'Cast' && maker.op !== 'Reshape') return undefined;
    at = maker.inputs[0] ?? '';
  }
}
