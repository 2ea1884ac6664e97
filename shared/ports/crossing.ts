/** Owns what crosses onnxruntime's JavaScript interface, alike for Node and the browser: tensors in and out, and its refusals. */
import { Fault, toFault } from '../base/fault.ts';
import { both, type Text, text } from '../base/text.ts';
import type { ElementType } from '../ir/element-type.ts';
import type { RunTensor } from './runtime.ts';
import { elementTypeNamed, type TensorName, tensorNameOf } from './tensor-names.ts';

/** What the interface calls the type of a value. Faults: `unsupported`, naming the value. */
export function crossingType(value: string, type: ElementType): TensorName {
  const name = tensorNameOf(type);
  if (name === undefined)
    throw new Fault(
      'unsupported',
      text(`the runtime's interface takes no ${type} tensors`, `런타임 인터페이스는 ${type} 텐서를 받지 않습니다`),
      { where: value },
    );
  return name;
}

/** A tensor as the interface gives it back. */
export interface CrossedTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: unknown;
}

/** Faults: `unsupported`, naming the value. */
export function fromRuntime(value: string, tensor: CrossedTensor): RunTensor {
  const type = elementTypeNamed(tensor.type);
  if (type === undefined)
    throw new Fault(
      'unsupported',
      text(`output type ${tensor.type}`, `출력 형식 ${tensor.type}은(는) 지원하지 않습니다`),
      { where: value },
    );
  return { type, dims: tensor.dims, data: tensor.data as RunTensor['data'] };
}

/** What the runtime threw, behind what it was asked to do; a fault of ours stays itself. */
export const refusedByRuntime = (thrown: unknown, what: Text): Fault =>
  thrown instanceof Fault
    ? thrown
    : new Fault(
        'runtime',
        both((say) => `${say(what)}: ${toFault(thrown).message}`),
        { cause: thrown },
      );
