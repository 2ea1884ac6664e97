/** Owns writeModel: ir -> bytes of an ONNX file, as parts (tensor by tensor, to stream) or whole. */
import { create, toBinary } from '@bufbuild/protobuf';
import {
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
} from 'onnx-buf';
import { Fault } from '../base/fault.ts';
import { text } from '../base/text.ts';
import type { Model } from '../ir/model.ts';
import { bakeMessage } from './bake.ts';
import { messageBytes, onnxFileBytes } from './size.ts';
import { graphToProto, modelToProto, pendingTensor } from './to-proto.ts';

/** protobuf itself ends here; beyond it tensors must stand outside (electron/host/model-files). */
export const largestFile = 2 ** 31 - 1;

function head(fieldNumber: number, length: number): Uint8Array {
  const out: number[] = [];
  const put = (n: number): void => {
    let v = n;
    while (v >= 128) {
      out.push((v % 128) | 128);
      v = Math.floor(v / 128);
    }
    out.push(v);
  };
  put(fieldNumber * 8 + 2);
  put(length);
  return Uint8Array.from(out);
}

/** A copy of the message with only the fields whose number passes. Unknown fields go with the last part. */
function only<M extends ModelProto | GraphProto | TensorProto>(
  fresh: () => M,
  fields: readonly { readonly number: number; readonly localName: string }[],
  message: M,
  pass: (fieldNumber: number) => boolean,
  last: boolean,
): M {
  const out = fresh();
  const from = message as unknown as Record<string, unknown>;
  const to = out as unknown as Record<string, unknown>;
  for (const f of fields) if (pass(f.number) && Object.hasOwn(from, f.localName)) to[f.localName] = from[f.localName];
  if (last && message.$unknown !== undefined) out.$unknown = message.$unknown;
  return out;
}

function* tensorParts(field: number, proto: TensorProto): Generator<Uint8Array> {
  yield head(field, messageBytes(TensorProtoSchema, proto));
  const tensor = pendingTensor(proto);
  if (tensor === undefined) {
    yield toBinary(TensorProtoSchema, proto);
    return;
  }
  const fresh = () => create(TensorProtoSchema);
  yield toBinary(
    TensorProtoSchema,
    only(fresh, TensorProtoSchema.fields, proto, (n) => n < 9, false),
  );
  const bytes = tensor.bytes();
  if (bytes.length > 0) {
    yield head(9, bytes.length);
    yield bytes;
  }
  yield toBinary(
    TensorProtoSchema,
    only(fresh, TensorProtoSchema.fields, proto, (n) => n > 9, true),
  );
}

function* nodeParts(proto: NodeProto): Generator<Uint8Array> {
  yield head(1, messageBytes(NodeProtoSchema, proto));
  yield toBinary(NodeProtoSchema, bakeMessage(NodeProtoSchema, proto));
}

function* graphParts(proto: GraphProto): Generator<Uint8Array> {
  for (const n of proto.node) yield* nodeParts(n);
  const fresh = () => create(GraphProtoSchema);
  const part = (pass: (n: number) => boolean, last: boolean): Uint8Array =>
    toBinary(GraphProtoSchema, bakeMessage(GraphProtoSchema, only(fresh, GraphProtoSchema.fields, proto, pass, last)));
  yield part((n) => n > 1 && n < 5, false);
  for (const t of proto.initializer) yield* tensorParts(5, t);
  yield part((n) => n > 5, true);
}

/**
 * The file in order, part by part, each weight made when its turn comes: concatenated, they are the file. Faults `unsupported`
 * over 2 GB (write with external data then).
 */
export function* modelParts(model: Model): Generator<Uint8Array> {
  const total = onnxFileBytes(model);
  if (total > largestFile)
    throw new Fault(
      'unsupported',
      text(
        `the file would be ${total} bytes, protobuf ends at 2 GB`,
        `파일이 ${total}바이트가 되는데 protobuf는 2 GB까지입니다`,
      ),
      {
        hint: text('Write its tensors as external data.', '텐서를 외부 데이터로 저장하세요.'),
      },
    );
  const proto = modelToProto(model);
  const fresh = () => create(ModelProtoSchema);
  const part = (pass: (n: number) => boolean, last: boolean): Uint8Array =>
    toBinary(ModelProtoSchema, bakeMessage(ModelProtoSchema, only(fresh, ModelProtoSchema.fields, proto, pass, last)));
  yield part((n) => n < 7, false);
  const graph = proto.graph ?? graphToProto(model.graph);
  yield head(7, messageBytes(GraphProtoSchema, graph));
  yield* graphParts(graph);
  yield part((n) => n > 7, true);
}

/** The whole file. `writeModel(m).length === onnxFileBytes(m)`. */
export function writeModel(model: Model): Uint8Array {
  const out = new Uint8Array(onnxFileBytes(model));
  let at = 0;
  for (const part of modelParts(model)) {
    if (at + part.length > out.length)
      throw new Fault(
        'internal',
        text('the written file is longer than its predicted size', '저장한 파일이 예측한 크기보다 깁니다'),
      );
    out.set(part, at);
    at += part.length;
  }
  if (at !== out.length)
    throw new Fault(
      'internal',
      text(
        `the written file has ${at} bytes, ${out.length} were predicted`,
        `저장한 파일은 ${at}바이트인데 예측은 ${out.length}바이트였습니다`,
      ),
    );
  return out;
}
