/** Owns ValueType -> TypeProto. */
import { create } from '@bufbuild/protobuf';
import {
  type TensorShapeProto,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  type TypeProto,
  TypeProto_MapSchema,
  TypeProto_OptionalSchema,
  TypeProto_SequenceSchema,
  TypeProto_SparseTensorSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
} from 'onnx-buf';
import { type ElementType, elementTypes } from '../ir/element-type.ts';
import type { Dim, ValueType } from '../ir/model.ts';
import { carried, sourceOf } from './proto.ts';

const code = (type: ElementType | null): number => (type === null ? 0 : elementTypes[type].code);

const dimToProto = (dim: Dim) =>
  create(TensorShapeProto_DimensionSchema, {
    value:
      typeof dim === 'number'
        ? { case: 'dimValue', value: BigInt(dim) }
        : dim === null
          ? { case: undefined }
          : { case: 'dimParam', value: dim },
  });

const shapeToProto = (shape: readonly Dim[] | null): { shape?: TensorShapeProto } =>
  shape === null ? {} : { shape: create(TensorShapeProtoSchema, { dim: shape.map(dimToProto) }) };

function typeValue(type: ValueType): TypeProto['value'] {
  switch (type.kind) {
    case 'tensor':
      return {
        case: 'tensorType',
        value: create(TypeProto_TensorSchema, { elemType: code(type.elem), ...shapeToProto(type.shape) }),
      };
    case 'sparseTensor':
      return {
        case: 'sparseTensorType',
        value: create(TypeProto_SparseTensorSchema, { elemType: code(type.elem), ...shapeToProto(type.shape) }),
      };
    case 'sequence':
      return {
        case: 'sequenceType',
        value: create(TypeProto_SequenceSchema, type.elem === null ? {} : { elemType: typeToProto(type.elem) }),
      };
    case 'optional':
      return {
        case: 'optionalType',
        value: create(TypeProto_OptionalSchema, type.elem === null ? {} : { elemType: typeToProto(type.elem) }),
      };
    case 'map':
      return {
        case: 'mapType',
        value: create(TypeProto_MapSchema, {
          keyType: code(type.key),
          ...(type.value === null ? {} : { valueType: typeToProto(type.value) }),
        }),
      };
    case 'opaque':
    case 'unknown':
      return { case: undefined };
  }
}

/** The type as it came where nobody changed it; a changed one keeps the denotation it had. */
export function typeToProto(type: ValueType): TypeProto {
  const source = sourceOf<TypeProto>(type);
  if (source !== undefined) return source;
  const base = carried<TypeProto>(type.rest);
  const message = create(TypeProtoSchema, { value: typeValue(type) });
  if (base !== undefined && base.denotation !== '') message.denotation = base.denotation;
  return message;
}
