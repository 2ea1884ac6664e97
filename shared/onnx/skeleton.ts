/**
 * Owns the skeleton: the form in which a model crosses to the screen. Same graph, same byte counts; large tensors come without
 * their values, each with a private note of how many bytes it takes in which field.
 */
import { create, type DescMessage, type Message, toBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema, StringStringEntryProtoSchema, type TensorProto } from 'onnx-buf';
import { Fault } from '../base/fault.ts';
import { text } from '../base/text.ts';
import { utf8, utf8Bytes } from '../ir/attribute.ts';
import { elementCount, rawByteLength } from '../ir/element-type.ts';
import { subgraphs } from '../ir/graph-index.ts';
import type { Model, Node } from '../ir/model.ts';
import { type Absent, absentKey, absentNote } from './absent.ts';
import { bakeMessage } from './bake.ts';
import { overlay } from './proto.ts';
import { readModel } from './read.ts';
import { messageBytes } from './size.ts';
import { modelToProto, pendingTensor } from './to-proto.ts';

/** Tensors up to this many bytes keep their values: shapes, axes, scales must be known on the screen. */
export const skeletonKeepsBytes = 1024;

const dataFields = [
  'floatData',
  'int32Data',
  'stringData',
  'int64Data',
  'rawData',
  'doubleData',
  'uint64Data',
] as const;
const numbers: Readonly<Record<(typeof dataFields)[number], number>> = {
  floatData: 4,
  int32Data: 5,
  stringData: 6,
  int64Data: 7,
  rawData: 9,
  doubleData: 10,
  uint64Data: 11,
};

function payloadOf(desc: DescMessage, proto: TensorProto): Absent | undefined {
  const pending = pendingTensor(proto);
  if (pending !== undefined) return { field: 9, bytes: rawByteLength(pending.type, elementCount(pending.dims)) };
  const set = dataFields.find((f) => proto[f].length > 0);
  if (set === undefined) return undefined;
  if (set === 'rawData') return { field: 9, bytes: proto.rawData.length };
  const without = overlay(() => create(desc) as TensorProto, proto, { [set]: [] });
  return { field: numbers[set], bytes: messageBytes(desc, proto) - messageBytes(desc, without) };
}

/** Bytes up to which a tensor keeps its values. */
type Keeps = (proto: TensorProto) => number;

function stripTensor(desc: DescMessage, proto: TensorProto, keeps: Keeps): TensorProto {
  const payload = payloadOf(desc, proto);
  if (payload === undefined || payload.bytes <= keeps(proto)) return bakeMessage(desc, proto);
  const out = overlay(() => create(desc) as TensorProto, proto, {});
  for (const f of dataFields) delete (out as Partial<TensorProto>)[f];
  for (const f of dataFields) if (f !== 'rawData') Object.assign(out, { [f]: [] });
  out.externalData = [create(StringStringEntryProtoSchema, { key: absentKey, value: absentNote(payload) })];
  return out;
}

/** The only messages in which a tensor may stand: all else of a graph (names, types, notes) is not looked through. */
const holders = new Set(['TrainingInfoProto', 'GraphProto', 'FunctionProto', 'NodeProto', 'AttributeProto']);
const holdsTensors = (name: string): boolean => holders.has(name) || name.endsWith('TensorProto');

const tensorFields = new Map<DescMessage, readonly { readonly name: string; readonly message: DescMessage }[]>();

function fieldsWithTensors(desc: DescMessage): readonly { readonly name: string; readonly message: DescMessage }[] {
  let found = tensorFields.get(desc);
  if (found === undefined) {
    found = desc.fields.flatMap((f) => {
      const inner = f.oneof !== undefined || f.fieldKind === 'scalar' ? undefined : f.message;
      return inner !== undefined && holdsTensors(inner.name) ? [{ name: f.localName, message: inner }] : [];
    });
    tensorFields.set(desc, found);
  }
  return found;
}

/** The same message where it holds no large tensor, else a copy along the path. */
function strip(desc: DescMessage, message: Message, keeps: Keeps): Message {
  if (desc.name === 'TensorProto') return stripTensor(desc, message as TensorProto, keeps);
  let changed: Record<string, unknown> | undefined;
  for (const { name, message: inner } of fieldsWithTensors(desc)) {
    if (!Object.hasOwn(message, name)) continue;
    const value = (message as unknown as Record<string, unknown>)[name] as Message | readonly Message[] | undefined;
    if (value === undefined) continue;
    const stripped = Array.isArray(value)
      ? value.map((m: Message) => strip(inner, m, keeps))
      : strip(inner, value as Message, keeps);
    const same = Array.isArray(value)
      ? value.every((m, i) => m === (stripped as readonly Message[])[i])
      : stripped === value;
    if (same) continue;
    changed ??= {};
    changed[name] = stripped;
  }
  return changed === undefined ? message : overlay(() => create(desc), message, changed as Partial<Message>);
}

/** Ids of all nodes, in the order in which the reader meets them. Nesting is bounded by the reader. */
function* idsOf(nodes: readonly Node[]): Generator<string> {
  for (const node of nodes) {
    yield node.id;
    for (const graph of subgraphs(node)) yield* idsOf(graph.nodes);
  }
}

/**
 * The skeleton as bytes: an ONNX file but for the notes, then the ids of its nodes as JSON, then their length. `floatBytes`: up to
 * which size 32-bit floats keep their values; where nothing but the form is asked for, those that must be computed need not be.
 */
export function skeletonOf(model: Model, floatBytes = skeletonKeepsBytes): Uint8Array {
  const keeps: Keeps = (t) => (t.dataType === 1 ? floatBytes : skeletonKeepsBytes);
  const proto = strip(ModelProtoSchema, modelToProto(model), keeps) as ReturnType<typeof modelToProto>;
  const file = toBinary(ModelProtoSchema, proto);
  const all = [...idsOf(model.graph.nodes), ...model.functions.flatMap((f) => [...idsOf(f.nodes)])];
  const ids = utf8Bytes(JSON.stringify(all));
  const out = new Uint8Array(file.length + ids.length + 4);
  out.set(file);
  out.set(ids, file.length);
  new DataView(out.buffer).setUint32(file.length + ids.length, ids.length, true);
  return out;
}

/** A model whose large tensors throw Fault `no-data` when asked for values; its figures and sizes are the real model's. */
export function readSkeleton(bytes: Uint8Array): Model {
  const end = bytes.length - 4;
  const length = end < 0 ? 0 : new DataView(bytes.buffer, bytes.byteOffset + end, 4).getUint32(0, true);
  if (length < 2 || length > end)
    throw new Fault('bad-file', text('these bytes are no skeleton of a model', '이 바이트는 모델의 골격이 아닙니다'));
  const ids = (JSON.parse(utf8(bytes.subarray(end - length, end))) as readonly string[]).values();
  return readModel(bytes.subarray(0, end - length), { skeleton: true, ids: () => ids.next().value });
}
