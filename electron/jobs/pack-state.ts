/** Owns the file form of a training's state: a header of JSON, then the numbers of every tensor as they lie in memory. */
import type { RunTensor } from '#shared/ports/runtime.ts';
import type { TrainState, Values } from '#shared/training/train-state.ts';

export interface HeldTraining {
  /** Which piece of work, and which of its steps. */
  readonly key: string;
  readonly step: number;
  readonly state: TrainState;
}

const magic = Buffer.from('bantam training 1\n', 'latin1');

type Names = Readonly<Record<string, number>>;
interface Header {
  readonly key: string;
  readonly step: number;
  /** The state, with the number of a tensor in place of each tensor. */
  readonly state: Omit<TrainState, 'values' | 'best' | 'earlier'> & {
    readonly values: Names;
    readonly earlier?: Omit<NonNullable<TrainState['earlier']>, 'values'> & { readonly values: Names };
    readonly best: Omit<TrainState['best'], 'values'> & { readonly values: Names };
  };
  readonly tensors: readonly { readonly dims: readonly number[]; readonly length: number }[];
}

const bytesOf = (data: Float32Array): Buffer => Buffer.from(data.buffer, data.byteOffset, data.byteLength);

/** Tensors that stand in two places are written once. */
export function packState(held: HeldTraining): Buffer {
  const numbers = new Map<unknown, number>();
  const tensors: { readonly dims: readonly number[]; readonly data: Float32Array }[] = [];
  const namesOf = (values: Values): Names =>
    Object.fromEntries(
      Object.entries(values).map(([name, t]) => {
        const known = numbers.get(t.data);
        if (known !== undefined) return [name, known];
        numbers.set(t.data, tensors.length);
        tensors.push({ dims: t.dims, data: t.data as Float32Array });
        return [name, tensors.length - 1];
      }),
    );
  const { state } = held;
  const { earlier, ...own } = state;
  const header: Header = {
    key: held.key,
    step: held.step,
    state: {
      ...own,
      ...(earlier === undefined ? {} : { earlier: { ...earlier, values: namesOf(earlier.values) } }),
      values: namesOf(state.values),
      best: { ...state.best, values: namesOf(state.best.values) },
    },
    tensors: tensors.map((t) => ({ dims: t.dims, length: t.data.length })),
  };
  const text = Buffer.from(JSON.stringify(header), 'utf8');
  const size = Buffer.alloc(4);
  size.writeUInt32LE(text.length);
  return Buffer.concat([magic, size, text, ...tensors.map((t) => bytesOf(t.data))]);
}

/** Throws where the file is not whole. */
export function unpackState(bytes: Buffer): HeldTraining {
  if (!bytes.subarray(0, magic.length).equals(magic)) throw new Error('no state of a training');
  const from = magic.length + 4;
  const length = bytes.readUInt32LE(magic.length);
  const header = JSON.parse(bytes.subarray(from, from + length).toString('utf8')) as Header;
  let at = from + length;
  const tensors = header.tensors.map(({ dims, length: count }): RunTensor => {
    const data = new Float32Array(count);
    if (at + count * 4 > bytes.length) throw new Error('the state of a training ends early');
    bytesOf(data).set(bytes.subarray(at, at + count * 4));
    at += count * 4;
    return { type: 'float', dims, data };
  });
  const valuesOf = (names: Names): Values =>
    Object.fromEntries(Object.entries(names).flatMap(([name, k]) => (tensors[k] ? [[name, tensors[k]]] : [])));
  const { earlier, ...own } = header.state;
  return {
    key: header.key,
    step: header.step,
    state: {
      ...own,
      ...(earlier === undefined ? {} : { earlier: { ...earlier, values: valuesOf(earlier.values) } }),
      values: valuesOf(own.values),
      best: { ...own.best, values: valuesOf(own.best.values) },
    },
  };
}
