/** Owns bakeMessage: fills in the raw_data of pending tensors deep inside a message (Constant nodes, subgraphs). */
import type { DescMessage, Message } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import type { TensorProto } from 'onnx-buf';
import { overlay } from './proto.ts';
import { pendingTensor } from './to-proto.ts';

/** The same message where nothing inside was pending, else a copy along the path. Nesting is bounded by the reader. */
export function bakeMessage<M extends Message>(desc: DescMessage, message: M): M {
  if (desc.name === 'TensorProto') {
    const tensor = pendingTensor(message as unknown as TensorProto);
    if (tensor === undefined) return message;
    const bytes = tensor.bytes();
    // Written like an initializer: no values, no field.
    const values = bytes.length === 0 ? {} : { rawData: bytes };
    return overlay(() => create(desc) as M, message, values as unknown as Partial<M>);
  }
  const changed: Record<string, unknown> = {};
  for (const field of desc.fields) {
    if (field.oneof !== undefined || !Object.hasOwn(message, field.localName)) continue;
    const value = (message as unknown as Record<string, unknown>)[field.localName];
    if (field.fieldKind === 'message') {
      const baked = bakeMessage(field.message, value as Message);
      if (baked !== value) changed[field.localName] = baked;
    } else if (field.fieldKind === 'list' && field.listKind === 'message') {
      const inner = field.message;
      const list = value as readonly Message[];
      const baked = list.map((m) => bakeMessage(inner, m));
      if (baked.some((m, i) => m !== list[i])) changed[field.localName] = baked;
    }
  }
  if (Object.keys(changed).length === 0) return message;
  return overlay(() => create(desc) as M, message, changed as Partial<M>);
}
