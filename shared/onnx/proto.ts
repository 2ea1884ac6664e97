/** Owns the bridge to the protobuf messages: which message an ir object came from, and what it carries through. */
import { type DescMessage, isFieldSet, type Message } from '@bufbuild/protobuf';
import { type ReflectMessage, reflect } from '@bufbuild/protobuf/reflect';
import type { Rest } from '../ir/rest.ts';

/** Every message read keeps its source, so that an ir object that nobody changed is written as it came. */
const source = new WeakMap<object, Message>();

export const cameFrom = <T extends object>(ir: T, message: Message): T => {
  source.set(ir, message);
  return ir;
};

/** The message this very object was read from; undefined for a changed copy or a new object. */
export const sourceOf = <M extends Message>(ir: object): M | undefined => source.get(ir) as M | undefined;

const values = new WeakMap<Message, () => unknown>();

/** Notes the function (`bytes`, or `strings`) that reads a message's values: a tensor that has another one has other values. */
export function valuesCameFrom(read: () => unknown, message: Message): void {
  values.set(message, read);
}

/** Whether this function still reads what stands in the message. */
export const hasValuesOf = (read: () => unknown, message: Message): boolean => values.get(message) === read;

/** A Rest that carries the whole message; the writer takes from it whatever ir does not hold. */
export const restOf = (message: Message): Rest => ({ onnx: message });

/** The message that an ir object carries through, if it came from a file. */
export const carried = <M extends Message>(rest: Rest | undefined): M | undefined => rest?.onnx as M | undefined;

/** Whether a tensor's values are still those that its file holds. */
export function standsInFile(tensor: { readonly rest?: Rest; readonly bytes: () => unknown }): boolean {
  const message = carried<Message>(tensor.rest);
  return message !== undefined && hasValuesOf(tensor.bytes, message);
}

/**
 * A copy of `base` (or a fresh message) with these fields set where they differ. A field that already holds the value is left
 * as it is, present or absent, so that what was not touched is written byte for byte as before.
 */
export function overlay<M extends Message>(fresh: () => M, base: M | undefined, fields: Partial<M>): M {
  const out = fresh();
  if (base !== undefined) {
    for (const key of Object.keys(base))
      (out as unknown as Record<string, unknown>)[key] = (base as unknown as Record<string, unknown>)[key];
    if (base.$unknown !== undefined) out.$unknown = base.$unknown;
  }
  const target = out as unknown as Record<string, unknown>;
  for (const [key, value] of Object.entries(fields)) if (target[key] !== value) target[key] = value;
  return out;
}

export { type DescMessage, isFieldSet, type Message, type ReflectMessage, reflect };
