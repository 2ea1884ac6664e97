/** Owns inputs without data: seeded random batches, said as such wherever their results are shown. */
import { Fault } from '../base/fault.ts';
import { rng } from '../base/random.ts';
import { text } from '../base/text.ts';
import { numberToHalf } from '../ir/values.ts';
import type { RunTensor } from '../ports/runtime.ts';
import type { ModelInput } from './model-input.ts';

export const randomDataId = (seed: number): string => `random input, seed ${seed}`;

/** Batch of uniform numbers in 0..1 (integers: 0..255 for bytes, 0 or 1 else); unknown dims are 1, the batch `indices.length`. */
export function randomBatch(input: ModelInput, indices: readonly number[], seed: number): RunTensor {
  const rest = input.shape.slice(1).map((d) => (typeof d === 'number' ? d : 1));
  const each = rest.reduce((a, b) => a * b, 1);
  const values = new Float32Array(indices.length * each);
  for (const [n, index] of indices.entries()) {
    const random = rng(seed).fork(`sample ${index}`);
    for (let k = 0; k < each; k++) values[n * each + k] = random.next();
  }
  const dims = [indices.length, ...rest];
  const data = (): RunTensor['data'] => {
    switch (input.elem) {
      case 'float':
        return values;
      case 'double':
        return Float64Array.from(values);
      case 'float16':
        return Uint16Array.from(values, numberToHalf);
      case 'uint8':
        return Uint8Array.from(values, (v) => Math.floor(v * 256));
      case 'int32':
        return Int32Array.from(values, Math.round);
      case 'int64':
        return BigInt64Array.from(values, (v) => BigInt(Math.round(v)));
      case 'bool':
        return Uint8Array.from(values, Math.round);
      default:
        throw new Fault(
          'unsupported',
          text(`no random input of type ${input.elem}`, `${input.elem} 형식의 무작위 입력은 만들 수 없습니다`),
          { where: input.name },
        );
    }
  };
  return { type: input.elem, dims, data: data() };
}
