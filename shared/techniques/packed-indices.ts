/**
 * Owns how cluster indices of 1 to 8 bits are stored and read back by nodes that the runtime folds when it loads the model:
 * as bytes, as UINT4 or UINT2 where opset and IR version have them, or in planes of 4, 2 and 1 bits packed into bytes:
 *   plane [M, 1] uint8 -> BitShift by 0, w, 2w .. -> Mod 2^w -> Cast int32 -> times its place value, added up -> [n]
 */
import { lazy } from '../base/lazy.ts';
import { attr } from '../ir/attribute.ts';
import { type ElementType, elementTypes } from '../ir/element-type.ts';
import type { NewNode } from '../ir/graph-edit.ts';
import { lazyTensor, type Tensor } from '../ir/tensor.ts';
import { int64Tensor, numbersTensor, packNumbers } from '../ir/values.ts';
import { type StorageTarget, storable } from './storage-target.ts';

/** Nodes and stored tensors that make one value. */
export interface Parts {
  readonly nodes: readonly NewNode[];
  readonly initializers: readonly Tensor[];
  /** Names of initializers that other tensors may share: the same name is the same value. */
  readonly output: string;
}

/** Names for one tensor's decoding. `own`: of this tensor alone; `shared`: one constant for all tensors of the model. */
export interface Names {
  own(part: string): string;
  shared(part: string): string;
}

export interface Indices {
  /** How many. */
  readonly count: number;
  /** 1 to 8 */
  readonly bits: number;
  readonly values: () => Uint8Array;
}

const castTo = (type: ElementType) => [attr.int('to', elementTypes[type].code)];

/** One integer tensor, int32 after its cast. */
function plain(i: Indices, names: Names, type: 'uint8' | 'uint4' | 'uint2'): Parts {
  const stored = names.own('indices');
  const output = names.own('index');
  return {
    nodes: [{ op: 'Cast', inputs: [stored], outputs: [output], attributes: castTo('int32') }],
    initializers: [lazyTensor(stored, type, [i.count], () => packNumbers(type, i.values()))],
    output,
  };
}

/** Widths of the planes that make up `bits`, highest place first: 7 = 4 + 2 + 1. */
export const planeWidths = (bits: number): readonly number[] => [4, 2, 1].filter((w) => (bits & w) !== 0);

/** Bits `place` to `place + width` of every index, packed into bytes, lowest bits first. */
export function packedPlane(i: Indices, width: number, place: number): Uint8Array {
  const per = 8 / width;
  const out = new Uint8Array(Math.ceil(i.count / per));
  const mask = (1 << width) - 1;
  i.values().forEach((v, k) => {
    const at = Math.floor(k / per);
    out[at] = (out[at] ?? 0) | (((v >> place) & mask) << ((k % per) * width));
  });
  return out;
}

/** The constants that planes of one width share. */
function planeConstants(names: Names, width: number): readonly Tensor[] {
  const per = 8 / width;
  const shifts = Array.from({ length: per }, (_, k) => k * width);
  return [
    numbersTensor(names.shared(`shifts${width}`), 'uint8', [1, per], shifts),
    numbersTensor(names.shared(`mod${width}`), 'uint8', [], [1 << width]),
  ];
}

/** A plane as int32 numbers [count rounded up]. */
function plane(i: Indices, names: Names, width: number, place: number): Parts {
  const name = (part: string): string => names.own(`${part}${width}`);
  const rows = Math.ceil((i.count * width) / 8);
  const stored = lazyTensor(name('bits'), 'uint8', [rows, 1], () => packedPlane(i, width, place));
  const [shifts, mod] = planeConstants(names, width);
  const flat = int64Tensor(names.shared('flat'), [1], [-1]);
  const constants = [shifts, mod].flatMap((t) => t ?? []);
  const nodes: NewNode[] = [
    {
      op: 'BitShift',
      inputs: [stored.name, shifts?.name ?? ''],
      outputs: [name('shifted')],
      attributes: [attr.string('direction', 'RIGHT')],
    },
    { op: 'Mod', inputs: [name('shifted'), mod?.name ?? ''], outputs: [name('digit')] },
    { op: 'Cast', inputs: [name('digit')], outputs: [name('int')], attributes: castTo('int32') },
    { op: 'Reshape', inputs: [name('int'), flat.name], outputs: [name('row')] },
  ];
  const padded = (rows * 8) / width !== i.count;
  if (padded)
    nodes.push({
      op: 'Slice',
      inputs: [name('row'), names.shared('start'), names.own('end'), names.shared('start')],
      outputs: [name('kept')],
    });
  const ends = padded
    ? [int64Tensor(names.shared('start'), [1], [0]), int64Tensor(names.own('end'), [1], [i.count])]
    : [];
  const last = padded ? name('kept') : name('row');
  if (place === 0) return { nodes, initializers: [stored, ...constants, flat, ...ends], output: last };
  const factor = numbersTensor(names.shared(`times${1 << place}`), 'int32', [], [1 << place]);
  nodes.push({ op: 'Mul', inputs: [last, factor.name], outputs: [name('placed')] });
  return { nodes, initializers: [stored, ...constants, flat, ...ends, factor], output: name('placed') };
}

function planes(i: Indices, names: Names): Parts {
  const nodes: NewNode[] = [];
  const initializers = new Map<string, Tensor>();
  let place = i.bits;
  let sum: string | undefined;
  for (const width of planeWidths(i.bits)) {
    place -= width;
    const part = plane(i, names, width, place);
    nodes.push(...part.nodes);
    for (const t of part.initializers) initializers.set(t.name, t);
    if (sum === undefined) sum = part.output;
    else {
      const output = names.own(`sum${width}`);
      nodes.push({ op: 'Add', inputs: [sum, part.output], outputs: [output] });
      sum = output;
    }
  }
  return { nodes, initializers: [...initializers.values()], output: sum ?? '' };
}

/** Every form in which these indices can be stored for a target; each gives int32 [count]. */
export function indexForms(i: Indices, names: Names, target: StorageTarget): readonly Parts[] {
  const once: Indices = { ...i, values: lazy(i.values) };
  const forms = [plain(once, names, 'uint8')];
  if (i.bits <= 4 && storable('uint4-index', target)) forms.push(plain(once, names, 'uint4'));
  if (i.bits <= 2 && storable('uint2-index', target)) forms.push(plain(once, names, 'uint2'));
  if (!storable('bit-planes', target)) return forms;
  if (i.bits < 8) forms.push(planes(once, names));
  // Fewer bits in a plane than clusters need would lose some; more only pad: 3 bits as a plane of 4, 5 to 7 as a byte.
  if (i.bits === 3) forms.push(planes({ ...once, bits: 4 }, names));
  return forms;
}
