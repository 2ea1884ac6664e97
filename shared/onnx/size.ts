/** Owns fileBytes: the exact size of the written file, read off the messages without making a single weight. */
import type { DescField, DescMessage, Message } from '@bufbuild/protobuf';
import { GraphProtoSchema, ModelProtoSchema, NodeProtoSchema, type TensorProto, TensorProtoSchema } from 'onnx-buf';
import { elementCount, elementTypes, rawByteLength } from '../ir/element-type.ts';
import type { Graph, Model } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';
import { absentOf } from './absent.ts';
import { externalLayout } from './external.ts';
import { sourceOf } from './proto.ts';
import {
  graphToProto,
  modelToProto,
  nodeToProto,
  pendingBytes,
  tensorToProto,
  withListedInitializers,
} from './to-proto.ts';
import { delimitedLength, varintLength } from './varint.ts';

const sizes = new WeakMap<Message, number>();

/** Serialised length of a message in bytes; cached on the message, pending raw_data counted by its length. */
export function messageBytes(desc: DescMessage, message: Message): number {
  const known = sizes.get(message);
  if (known !== undefined) return known;
  let bytes = 0;
  for (const u of message.$unknown ?? []) bytes += varintLength(u.no * 8) + u.data.length;
  const absent = desc.name === 'TensorProto' ? absentOf(message as TensorProto) : undefined;
  for (const field of desc.fields)
    if (absent === undefined || field.localName !== 'externalData') bytes += fieldBytes(field, message);
  if (absent !== undefined) bytes += absent.field === 9 ? delimitedLength(9, absent.bytes) : absent.bytes;
  else if (desc.name === 'TensorProto') {
    const raw = pendingBytes(message as TensorProto);
    if (raw > 0) bytes += delimitedLength(9, raw);
  }
  sizes.set(message, bytes);
  return bytes;
}

function fieldValue(field: DescField, message: Message): unknown {
  const holder = message as unknown as Record<string, unknown>;
  if (field.oneof === undefined) return Object.hasOwn(holder, field.localName) ? holder[field.localName] : undefined;
  const one = holder[field.oneof.localName] as { readonly case?: string; readonly value?: unknown } | undefined;
  return one?.case === field.localName ? one.value : undefined;
}

function fieldBytes(field: DescField, message: Message): number {
  const value = fieldValue(field, message);
  if (value === undefined) return 0;
  if (field.fieldKind === 'message')
    return delimitedLength(field.number, messageBytes(field.message, value as Message));
  if (field.fieldKind !== 'list') {
    const scalar = field.fieldKind === 'enum' ? 5 : field.fieldKind === 'scalar' ? field.scalar : 0;
    return varintLength(field.number * 8) + scalarBytes(scalar, value);
  }
  const list = value as readonly unknown[];
  if (field.listKind === 'message') {
    let bytes = 0;
    for (const item of list) bytes += delimitedLength(field.number, messageBytes(field.message, item as Message));
    return bytes;
  }
  const scalar = field.listKind === 'enum' ? 5 : field.scalar;
  let payload = 0;
  for (const item of list) payload += scalarBytes(scalar, item);
  if (field.packed) return list.length === 0 ? 0 : delimitedLength(field.number, payload);
  return list.length * varintLength(field.number * 8) + payload;
}

/** Length of one scalar with its own length prefix, without the tag. Numbers are descriptor.proto's types. */
function scalarBytes(scalar: number, value: unknown): number {
  switch (scalar) {
    case 1:
    case 6:
    case 16:
      return 8;
    case 2:
    case 7:
    case 15:
      return 4;
    case 8:
      return 1;
    case 9: {
      const length = utf8Length(value as string);
      return varintLength(length) + length;
    }
    case 12: {
      const length = (value as Uint8Array).length;
      return varintLength(length) + length;
    }
    default:
      return varintLength(value as number | bigint);
  }
}

function utf8Length(text: string): number {
  let n = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 0x80) n += 1;
    else if (c < 0x800) n += 2;
    else if (c >= 0xd800 && c < 0xdc00 && i + 1 < text.length) {
      n += 4;
      i++;
    } else n += 3;
  }
  return n;
}

/** Bytes of external data that the model's files hold beside the .onnx file, up to the last tensor of each, gaps included. */
export function externalBytes(model: Model): number {
  const ends = new Map<string, number>();
  for (const { location, offset, length } of externalLayout(model).tensors)
    ends.set(location, Math.max(ends.get(location) ?? 0, offset + length));
  return [...ends.values()].reduce((a, b) => a + b, 0);
}

/** Length of a tensor's message. One whose values are new has only these fields; no message is made to count them. */
function tensorBytes(tensor: Tensor): number {
  if (tensor.rest !== undefined || tensor.strings !== undefined || sourceOf(tensor) !== undefined)
    return messageBytes(TensorProtoSchema, tensorToProto(tensor));
  let bytes = textBytes(8, tensor.name) + textBytes(12, tensor.doc ?? '');
  for (let k = 0; k < tensor.dims.length; k++) bytes += 1 + varintLength(tensor.dims[k] ?? 0);
  bytes += 1 + varintLength(elementTypes[tensor.type].code);
  const raw = rawByteLength(tensor.type, elementCount(tensor.dims));
  return raw === 0 ? bytes : bytes + delimitedLength(9, raw);
}

const textBytes = (field: number, text: string): number => (text === '' ? 0 : delimitedLength(field, utf8Length(text)));

/** Length of a graph's message: what it holds beside nodes and initializers, then those one by one. */
function graphBytes(graph: Graph): number {
  if (sourceOf(graph) !== undefined) return messageBytes(GraphProtoSchema, graphToProto(graph));
  let bytes = messageBytes(GraphProtoSchema, graphToProto({ ...graph, nodes: [], initializers: [] }));
  for (const n of graph.nodes) bytes += delimitedLength(1, messageBytes(NodeProtoSchema, nodeToProto(n)));
  for (const t of graph.initializers) bytes += delimitedLength(5, tensorBytes(t));
  return bytes;
}

const noGraph: Graph = {
  name: '',
  nodes: [],
  initializers: [],
  sparseInitializers: [],
  inputs: [],
  outputs: [],
  valueInfos: [],
};

/** Bytes of the .onnx file itself, external data not included. */
export function onnxFileBytes(model: Model): number {
  if (sourceOf(model) !== undefined) return messageBytes(ModelProtoSchema, modelToProto(model));
  const around = messageBytes(ModelProtoSchema, modelToProto({ ...model, graph: noGraph })) - delimitedLength(7, 0);
  return around + delimitedLength(7, graphBytes(withListedInitializers(model)));
}

/** Exact size in bytes of the written model: the .onnx file and its external data. */
export const fileBytes = (model: Model): number => onnxFileBytes(model) + externalBytes(model);
