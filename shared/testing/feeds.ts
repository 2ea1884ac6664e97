/** Owns seeded inputs for any model, and the distance between two runs of the same outputs. */
import { type Rng, rng } from '../base/random.ts';
import { type ElementType, elementCount } from '../ir/element-type.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Dim, Model } from '../ir/model.ts';
import { numberToHalf } from '../ir/values.ts';
import { writeModel } from '../onnx/write.ts';
import type { Feeds, RunTensor, Runtime } from '../ports/runtime.ts';

/** Sizes that the corpus's symbols need for a run; others are 1. */
const symbols: Readonly<Record<string, number>> = {
  'p2o.DynamicDimension.1': 48,
  'p2o.DynamicDimension.2': 192,
  unk__31: 2,
  unk__32: 5,
  unk__33: 4,
  seq_len: 3,
  Sequence: 4,
  Symbolic: 3,
};

export const dimOf = (dim: Dim): number => (typeof dim === 'number' ? dim : (symbols[dim ?? ''] ?? 1));

function values(elem: ElementType, count: number, random: Rng): RunTensor['data'] {
  switch (elem) {
    case 'float':
      return Float32Array.from({ length: count }, () => random.normal());
    case 'double':
      return Float64Array.from({ length: count }, () => random.normal());
    case 'float16':
      return Uint16Array.from({ length: count }, () => numberToHalf(random.normal()));
    case 'int64':
      return BigInt64Array.from({ length: count }, () => BigInt(random.below(2)));
    case 'int32':
      return Int32Array.from({ length: count }, () => random.below(2));
    case 'int8':
      return Int8Array.from({ length: count }, () => random.below(3));
    case 'bool':
    case 'uint8':
      return Uint8Array.from({ length: count }, () => random.below(2));
    default:
      throw new Error(`no random ${elem}`);
  }
}

/** Random values for every input that must be fed; the same seed gives the same. */
export function randomFeeds(model: Model, seed = 1): Feeds {
  return Object.fromEntries(
    graphIndex(model.graph).requiredInputs.map((i) => {
      if (i.type.kind !== 'tensor' || i.type.elem === null) throw new Error(`no random ${i.type.kind}`);
      const dims = (i.type.shape ?? []).map(dimOf);
      const data = values(i.type.elem, elementCount(dims), rng(seed).fork(i.name));
      return [i.name, { type: i.type.elem, dims, data }];
    }),
  );
}

/** Writes the model, runs it once and frees it. */
export async function runModel(
  runtime: Runtime,
  model: Model,
  feeds: Feeds,
): Promise<Readonly<Record<string, RunTensor>>> {
  const session = await runtime.open({ bytes: writeModel(model) }, { threads: 1 });
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

/** Largest |a - b| over all outputs, relative to the largest |a| where that is above 1; Infinity where forms differ. */
export function maxError(a: Readonly<Record<string, RunTensor>>, b: Readonly<Record<string, RunTensor>>): number {
  let worst = Object.keys(a).join() === Object.keys(b).join() ? 0 : Number.POSITIVE_INFINITY;
  for (const [name, x] of Object.entries(a)) {
    const y = b[name];
    if (y === undefined || x.type !== y.type || x.dims.join() !== y.dims.join()) return Number.POSITIVE_INFINITY;
    let scale = 1;
    for (const v of x.data) if (Number.isFinite(Number(v))) scale = Math.max(scale, Math.abs(Number(v)));
    for (let i = 0; i < x.data.length; i++) {
      const [p, q] = [x.data[i], y.data[i]];
      if (Object.is(p, q) || p === q) continue;
      const gap = Math.abs(Number(p) - Number(q)) / scale;
      worst = Math.max(worst, Number.isNaN(gap) ? Number.POSITIVE_INFINITY : gap);
    }
  }
  return worst;
}

/** 10 log10(signal / noise) over one output, in dB. */
export function sqnrDb(signal: RunTensor, other: RunTensor): number {
  let power = 0;
  let noise = 0;
  for (let i = 0; i < signal.data.length; i++) {
    const x = Number(signal.data[i]);
    power += x * x;
    noise += (x - Number(other.data[i])) ** 2;
  }
  return noise === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(power / noise);
}
