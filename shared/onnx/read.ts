/** Owns readModel: bytes of an ONNX file -> ir. */
import { fromBinary } from '@bufbuild/protobuf';
import {
  type AttributeProto,
  type FunctionProto,
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  type ValueInfoProto,
} from 'onnx-buf';
import { Fault, faultMessage, toFault } from '../base/fault.ts';
import { text, textAround } from '../base/text.ts';
import type { Attribute, AttributeValue, Graph, LocalFunction, Model, Node, ValueInfo } from '../ir/model.ts';
import { checkWire } from './check-wire.ts';
import { cameFrom, restOf } from './proto.ts';
import { type ReadTensorOptions, readSparse, readTensor } from './read-tensor.ts';
import { readType } from './read-type.ts';

export type { ExternalFile, ReadTensorOptions } from './read-tensor.ts';

/**
 * Reads a model. Weights are not copied: they stay views of `bytes` until asked for. Faults `bad-file`, naming the byte, tensor,
 * node or attribute and the reason.
 */
export function readModel(bytes: Uint8Array, options: ReadTensorOptions = {}): Model {
  if (bytes.length === 0)
    throw new Fault('bad-file', text('the file is empty', '파일이 비어 있습니다'), {
      hint: text('Choose an ONNX file.', 'ONNX 파일을 고르세요.'),
    });
  checkWire(ModelProtoSchema, bytes);
  let proto: ModelProto;
  try {
    // A plain Uint8Array: a Buffer's slice() would share memory where protobuf expects a copy.
    proto = fromBinary(ModelProtoSchema, new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch (thrown) {
    throw new Fault(
      'bad-file',
      textAround(
        faultMessage(toFault(thrown)),
        (w) => `not a readable ONNX file: ${w}`,
        (w) => `읽을 수 있는 ONNX 파일이 아닙니다: ${w}`,
      ),
      { cause: thrown },
    );
  }
  if (proto.graph === undefined)
    throw new Fault('bad-file', text('the file holds no graph', '파일에 그래프가 없습니다'), {
      hint: text(
        'It may be a tensor or another protobuf file, not a model.',
        '모델이 아니라 텐서나 다른 protobuf 파일일 수 있습니다.',
      ),
    });
  return cameFrom(
    {
      irVersion: Number(proto.irVersion),
      opsets: proto.opsetImport.map((o) => ({ domain: o.domain, version: Number(o.version) })),
      producerName: proto.producerName,
      producerVersion: proto.producerVersion,
      graph: readGraph(proto.graph, options),
      functions: proto.functions.map((f) => readFunction(f, options)),
      metadata: proto.metadataProps.map((m) => ({ key: m.key, value: m.value })),
      ...(proto.docString === '' ? {} : { doc: proto.docString }),
      rest: restOf(proto),
    },
    proto,
  );
}

/** Depth of graphs in graphs is bounded by checkWire, so this recursion is too. */
function readGraph(proto: GraphProto, options: ReadTensorOptions): Graph {
  return cameFrom(
    {
      name: proto.name,
      nodes: readNodes(proto.node, options),
      initializers: proto.initializer.map((t) => readTensor(t, options)),
      sparseInitializers: proto.sparseInitializer.map((t) => readSparse(t, options)),
      inputs: proto.input.map(readValueInfo),
      outputs: proto.output.map(readValueInfo),
      valueInfos: proto.valueInfo.map(readValueInfo),
      ...(proto.docString === '' ? {} : { doc: proto.docString }),
      rest: restOf(proto),
    },
    proto,
  );
}

/** Nodes with their ids: the name where it is set and unique, else the first output, else the operator and its place. */
function readNodes(protos: readonly NodeProto[], options: ReadTensorOptions): readonly Node[] {
  const named = new Map<string, number>();
  for (const p of protos) named.set(p.name, (named.get(p.name) ?? 0) + 1);
  const taken = new Set<string>();
  for (const p of protos) if (p.name !== '' && named.get(p.name) === 1) taken.add(p.name);
  const free = (wish: string): string => {
    let id = wish;
    for (let k = 1; taken.has(id); k++) id = `${wish}#${k}`;
    taken.add(id);
    return id;
  };
  return protos.map((p, i) => {
    const unique = p.name !== '' && named.get(p.name) === 1;
    const id = options.ids?.() ?? (unique ? p.name : free(p.output.find((o) => o !== '') ?? `${p.opType}#${i}`));
    return readNode(p, id, options);
  });
}

function readNode(proto: NodeProto, id: string, options: ReadTensorOptions): Node {
  return cameFrom(
    {
      id,
      name: proto.name,
      op: proto.opType,
      domain: proto.domain,
      ...(proto.overload === '' ? {} : { overload: proto.overload }),
      inputs: proto.input,
      outputs: proto.output,
      attributes: proto.attribute.map((a) => readAttribute(a, id, options)),
      ...(proto.docString === '' ? {} : { doc: proto.docString }),
      rest: restOf(proto),
    },
    proto,
  );
}

function readAttribute(proto: AttributeProto, node: string, options: ReadTensorOptions): Attribute {
  const value = readAttributeValue(proto, node, options);
  return cameFrom(
    { ...value, name: proto.name, ...(proto.docString === '' ? {} : { doc: proto.docString }), rest: restOf(proto) },
    proto,
  );
}

/** The kind that the file states; files of IR 1 may state none, then the field that is set decides. */
function kindOf(proto: AttributeProto): number {
  if (proto.type !== 0) return proto.type;
  const set = (key: string): boolean => Object.hasOwn(proto, key);
  const filled = (list: readonly unknown[]): boolean => list.length > 0;
  if (set('f')) return 1;
  if (set('i')) return 2;
  if (set('s')) return 3;
  if (set('t')) return 4;
  if (set('g')) return 5;
  if (filled(proto.floats)) return 6;
  if (filled(proto.ints)) return 7;
  if (filled(proto.strings)) return 8;
  if (filled(proto.tensors)) return 9;
  if (filled(proto.graphs)) return 10;
  return 0;
}

function readAttributeValue(proto: AttributeProto, node: string, options: ReadTensorOptions): AttributeValue {
  if (proto.refAttrName !== '') return { kind: 'reference', value: proto.refAttrName };
  const need = <T>(value: T | undefined): T => {
    if (value === undefined)
      throw new Fault(
        'bad-file',
        text(
          `attribute ${proto.name} states a kind whose value is missing`,
          `속성 ${proto.name}에 적힌 종류의 값이 없습니다`,
        ),
        {
          where: text(`node ${node}`, `노드 ${node}`),
        },
      );
    return value;
  };
  switch (kindOf(proto)) {
    case 1:
      return { kind: 'float', value: proto.f };
    case 2:
      return { kind: 'int', value: proto.i };
    case 3:
      return { kind: 'string', value: proto.s };
    case 4:
      return { kind: 'tensor', value: readTensor(need(proto.t), options) };
    case 5:
      return { kind: 'graph', value: readGraph(need(proto.g), options) };
    case 6:
      return { kind: 'floats', value: proto.floats };
    case 7:
      return { kind: 'ints', value: proto.ints };
    case 8:
      return { kind: 'strings', value: proto.strings };
    case 9:
      return { kind: 'tensors', value: proto.tensors.map((t) => readTensor(t, options)) };
    case 10:
      return { kind: 'graphs', value: proto.graphs.map((g) => readGraph(g, options)) };
    case 11:
      return { kind: 'sparseTensor', value: readSparse(need(proto.sparseTensor), options) };
    case 12:
      return { kind: 'sparseTensors', value: proto.sparseTensors.map((t) => readSparse(t, options)) };
    case 13:
      return { kind: 'type', value: readType(need(proto.tp)) };
    case 14:
      return { kind: 'types', value: proto.typeProtos.map(readType) };
    default:
      return { kind: 'unknown', value: null };
  }
}

function readValueInfo(proto: ValueInfoProto): ValueInfo {
  return cameFrom(
    {
      name: proto.name,
      type: proto.type === undefined ? { kind: 'unknown' } : readType(proto.type),
      ...(proto.docString === '' ? {} : { doc: proto.docString }),
      rest: restOf(proto),
    },
    proto,
  );
}

function readFunction(proto: FunctionProto, options: ReadTensorOptions): LocalFunction {
  return cameFrom(
    {
      name: proto.name,
      domain: proto.domain,
      ...(proto.overload === '' ? {} : { overload: proto.overload }),
      inputs: proto.input,
      outputs: proto.output,
      nodes: readNodes(proto.node, options),
      opsets: proto.opsetImport.map((o) => ({ domain: o.domain, version: Number(o.version) })),
      attributes: proto.attribute,
      attributeDefaults: proto.attributeProto.map((a) => readAttribute(a, proto.name, options)),
      valueInfos: proto.valueInfo.map(readValueInfo),
      ...(proto.docString === '' ? {} : { doc: proto.docString }),
      rest: restOf(proto),
    },
    proto,
  );
}
