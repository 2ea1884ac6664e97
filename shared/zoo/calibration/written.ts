/** Owns Written: the writer of calibration chains, whose weights cost nothing to make. */
import type { Rng } from '../../base/random.ts';
import type { ElementType } from '../../ir/element-type.ts';
import { elementCount, elementTypes } from '../../ir/element-type.ts';
import type { Model } from '../../ir/model.ts';
import { lazyTensor } from '../../ir/tensor.ts';
import { int64Tensor, numbersTensor } from '../../ir/values.ts';
import { NetWriter, type Tap } from '../write-net.ts';

/** One way to draw a chain; `count` of them make a full calibration. */
export interface ChainFamily {
  readonly id: string;
  readonly count: number;
  readonly build: (random: Rng) => Model;
}

export function pick<T>(random: Rng, list: readonly [T, ...T[]]): T {
  return list[random.below(list.length)] ?? list[0];
}

/** A number of channels, uniform in its logarithm, a multiple of `multiple`. */
export function channelsBetween(random: Rng, low: number, high: number, multiple: number): number {
  const value = low * (high / low) ** random.next();
  return Math.max(multiple, Math.round(value / multiple) * multiple);
}

/** Weights are one small number: values change no time, as long as none is denormal. */
export class Written extends NetWriter {
  override weight(name: string, dims: readonly number[], _fanIn: number): string {
    return this.filled(name, dims, 0.01);
  }

  ints(values: readonly number[]): string {
    return this.constant(`ints ${values.join(' ')}`, (as) => int64Tensor(as, [values.length], values));
  }

  scalar(value: number): string {
    return this.constant(`scalar ${value}`, (as) => numbersTensor(as, 'float', [], [value]));
  }

  zero(type: ElementType): string {
    return this.constant(`zero ${type}`, (as) => numbersTensor(as, type, [], [0]));
  }

  /** Scales of a Resize to twice the height and width. */
  doubling(): string {
    return this.constant('doubling', (as) => numbersTensor(as, 'float', [4], [1, 1, 2, 2]));
  }

  /** A stored weight of all ones. */
  ones(name: string, type: ElementType, dims: readonly number[]): string {
    const count = elementCount(dims);
    const width = elementTypes[type].bits / 8;
    return this.constant(name, (as) =>
      lazyTensor(as, type, dims, () => {
        const bytes = new Uint8Array(count * width);
        for (let k = 0; k < count; k++) bytes[k * width] = 1;
        return bytes;
      }),
    );
  }

  whole(input: Tap, output: Tap): Model {
    return this.wholeOf(input, [output]);
  }

  /** Outputs of any rank. */
  wholeOf(input: Tap, outputs: readonly Tap[], more: readonly string[] = []): Model {
    const model = this.model('calibration', input, outputs[0] ?? input);
    const names = [...new Set([...outputs.map((o) => o.value), ...more])];
    const info = (name: string) => ({ name, type: { kind: 'tensor', elem: 'float', shape: null } }) as const;
    const shape = [1, input.channels, input.height ?? 1, input.width ?? 1];
    const first = { name: 'input', type: { kind: 'tensor', elem: 'float', shape } } as const;
    return { ...model, graph: { ...model.graph, inputs: [first], outputs: names.map(info) } };
  }
}
