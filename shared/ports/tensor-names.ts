/** Owns the names that onnxruntime's JavaScript interface gives the element types that cross it. */
import type { ElementType } from '../ir/element-type.ts';

/** The same in onnxruntime-node and onnxruntime-web; other types do not cross. */
export const tensorNames = {
  float: 'float32',
  double: 'float64',
  float16: 'float16',
  int8: 'int8',
  uint8: 'uint8',
  int16: 'int16',
  uint16: 'uint16',
  int32: 'int32',
  uint32: 'uint32',
  int64: 'int64',
  uint64: 'uint64',
  bool: 'bool',
  string: 'string',
} as const satisfies Partial<Record<ElementType, string>>;

export type TensorName = (typeof tensorNames)[keyof typeof tensorNames];

const byName = new Map<string, ElementType>(
  Object.entries(tensorNames).map(([ours, theirs]) => [theirs, ours as ElementType]),
);

/** undefined: the interface takes no such tensor. */
export const tensorNameOf = (type: ElementType): TensorName | undefined =>
  (tensorNames as Partial<Record<ElementType, TensorName>>)[type];

export const elementTypeNamed = (name: string): ElementType | undefined => byName.get(name);
