/** Owns TypeProto -> ValueType and the shapes in it. */
import type { TensorShapeProto, TypeProto } from 'onnx-buf';
import { elementTypeOfCode } from '../ir/element-type.ts';
import type { Dim, ValueType } from '../ir/model.ts';
import { cameFrom, restOf } from './proto.ts';

function readShape(proto: TensorShapeProto | undefined): readonly Dim[] | null {
  if (proto === undefined) return null;
  return proto.dim.map((d): Dim => {
    if (d.value.case === 'dimValue') return d.value.value < 0n ? null : Number(d.value.value);
    return d.value.case === 'dimParam' && d.value.value !== '' ? d.value.value : null;
  });
}

/** Nesting (sequence of maps of ...) is bounded by checkWire. */
export function readType(proto: TypeProto): ValueType {
  const rest = restOf(proto);
  const v = proto.value;
  const from = (type: ValueType): ValueType => cameFrom(type, proto);
  switch (v.case) {
    case 'tensorType':
      return from({
        kind: 'tensor',
        elem: elementTypeOfCode(v.value.elemType) ?? null,
        shape: readShape(v.value.shape),
        rest,
      });
    case 'sparseTensorType':
      return from({
        kind: 'sparseTensor',
        elem: elementTypeOfCode(v.value.elemType) ?? null,
        shape: readShape(v.value.shape),
        rest,
      });
    case 'sequenceType':
      return from({ kind: 'sequence', elem: v.value.elemType === undefined ? null : readType(v.value.elemType), rest });
    case 'optionalType':
      return from({ kind: 'optional', elem: v.value.elemType === undefined ? null : readType(v.value.elemType), rest });
    case 'mapType':
      return from({
        kind: 'map',
        key: elementTypeOfCode(v.value.keyType) ?? null,
        value: v.value.valueType === undefined ? null : readType(v.value.valueType),
        rest,
      });
    default:
      return from({ kind: 'unknown', rest });
  }
}
