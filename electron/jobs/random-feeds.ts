/** Owns seeded random inputs for a model, for checks that need some input and no data. */
import { Fault } from '#shared/base/fault.ts';
import { rng } from '#shared/base/random.ts';
import { text } from '#shared/base/text.ts';
import { elementCount, isFloat } from '#shared/ir/element-type.ts';
import type { Model, ValueInfo } from '#shared/ir/model.ts';
import { lazyTensor } from '#shared/ir/tensor.ts';
import { packNumbers, toTyped } from '#shared/ir/values.ts';
import type { Feeds, RunTensor } from '#shared/ports/runtime.ts';

function randomInput(info: ValueInfo, seed: number, shape: readonly number[] | undefined): RunTensor {
  const type = info.type;
  if (type.kind !== 'tensor' || type.elem === null || (type.shape === null && shape === undefined))
    throw new Fault(
      'unsupported',
      text('no random value can be made for this input', '이 입력에 넣을 무작위 값을 만들 수 없습니다'),
      { where: info.name },
    );
  const dims = shape ?? (type.shape ?? []).map((d) => (typeof d === 'number' && d > 0 ? d : 1));
  const count = elementCount(dims);
  if (type.elem === 'string') return { type: 'string', dims, data: new Array<string>(count).fill('') };
  const random = rng(seed).fork(info.name);
  // Integers stay 0 or 1: they may be indices.
  const draw = isFloat(type.elem) ? random.normal : (): number => random.below(2);
  const elem = type.elem;
  const values = Float64Array.from({ length: count }, draw);
  return { type: elem, dims, data: toTyped(lazyTensor('', elem, dims, () => packNumbers(elem, values))) };
}

/**
 * One tensor for every input that is no initializer: standard normal numbers, or 0 and 1. Unknown dimensions are 1 unless
 * `shapes` says otherwise. Faults: `unsupported` for sequences, maps and unknown ranks.
 */
export function randomFeeds(
  model: Model,
  seed: number,
  shapes: Readonly<Record<string, readonly number[]>> = {},
): Feeds {
  const given = new Set(model.graph.initializers.map((t) => t.name));
  const inputs = model.graph.inputs.filter((i) => !given.has(i.name));
  return Object.fromEntries(inputs.map((i) => [i.name, randomInput(i, seed, shapes[i.name])]));
}
