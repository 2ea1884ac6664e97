/**
 * Owns ir -> protobuf messages. An object that nobody changed is the message it came from; a changed one overlays it. Values of
 * new tensors are left out here (`pendingBytes` knows their length), so that sizes need no weights and writing can stream.
 */
import { create } from '@bufbuild/protobuf';
import {
  type AttributeProto,
  AttributeProtoSchema,
  type FunctionProto,
  FunctionProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  type SparseTensorProto,
  SparseTensorProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from 'onnx-buf';
import { elementCount, elementTypes, rawByteLength } from '../ir/element-type.ts';
import type { Attribute, Graph, LocalFunction, Model, Node, OpsetImport, ValueInfo } from '../ir/model.ts';
import type { SparseTensor, Tensor } from '../ir/tensor.ts';
import { carried, hasValuesOf, overlay, sourceOf } from './proto.ts';
import { typeToProto } from './type-to-proto.ts';

const made = new WeakMap<object, unknown>();
const pending = new WeakMap<TensorProto, Tensor>();

/** The tensor whose raw bytes are still to be put into this message; undefined where the message is complete. */
export const pendingTensor = (proto: TensorProto): Tensor | undefined => pending.get(proto);

/** Length of the raw_data that a message will have once its pending tensor is baked. */
export const pendingBytes = (proto: TensorProto): number => {
  const tensor = pending.get(proto);
  return tensor === undefined ? 0 : rawByteLength(tensor.type, elementCount(tensor.dims));
};

/** One message per ir object, made once: sizes and bytes of what did not change are cached on it. */
function memo<T extends object, M>(ir: T, make: () => M): M {
  const source = sourceOf(ir);
  if (source !== undefined) return source as M;
  let message = made.get(ir) as M | undefined;
  if (message === undefined) {
    message = make();
    made.set(ir, message);
  }
  return message;
}

export const tensorToProto = (tensor: Tensor): TensorProto =>
  memo(tensor, () => {
    const base = carried<TensorProto>(tensor.rest);
    const common = {
      name: tensor.name,
      docString: tensor.doc ?? '',
      dataType: elementTypes[tensor.type].code as number,
    };
    const fresh = () => create(TensorProtoSchema);
    // A renamed tensor keeps the storage that its message has; one with other values is written anew, whatever it says.
    const kept = base !== undefined && hasValuesOf(tensor.strings ?? tensor.bytes, base);
    if (base !== undefined && (tensor.storage.kind === 'external' || (kept && tensor.storage.kind !== 'raw')))
      return overlay(fresh, base, { ...common, dims: sameDims(base, tensor) ? base.dims : tensor.dims.map(BigInt) });
    const message = overlay(fresh, undefined, { ...common, dims: tensor.dims.map(BigInt) });
    if (base !== undefined) message.metadataProps = base.metadataProps;
    if (tensor.strings !== undefined) message.stringData = tensor.strings() as Bytes[];
    else pending.set(message, tensor);
    return message;
  });

const sameDims = (proto: TensorProto, tensor: Tensor): boolean =>
  proto.dims.length === tensor.dims.length && proto.dims.every((d, i) => Number(d) === tensor.dims[i]);

export const sparseToProto = (sparse: SparseTensor): SparseTensorProto =>
  memo(sparse, () =>
    overlay<SparseTensorProto>(() => create(SparseTensorProtoSchema), carried(sparse.rest), {
      values: tensorToProto(sparse.values),
      indices: tensorToProto(sparse.indices),
      dims: sparse.dims.map(BigInt),
    }),
  );

const attributeType: Readonly<Record<Attribute['kind'], number>> = {
  reference: 0,
  unknown: 0,
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
  tensors: 9,
  graphs: 10,
  sparseTensor: 11,
  sparseTensors: 12,
  type: 13,
  types: 14,
};

type Bytes = Uint8Array<ArrayBuffer>;

function attributeFields(a: Attribute): Partial<AttributeProto> {
  switch (a.kind) {
    case 'float':
      return { f: a.value };
    case 'int':
      return { i: a.value };
    case 'string':
      return { s: a.value as Bytes };
    case 'tensor':
      return { t: tensorToProto(a.value) };
    case 'graph':
      return { g: graphToProto(a.value) };
    case 'floats':
      return { floats: a.value as number[] };
    case 'ints':
      return { ints: a.value as bigint[] };
    case 'strings':
      return { strings: a.value as Bytes[] };
    case 'tensors':
      return { tensors: a.value.map(tensorToProto) };
    case 'graphs':
      return { graphs: a.value.map(graphToProto) };
    case 'sparseTensor':
      return { sparseTensor: sparseToProto(a.value) };
    case 'sparseTensors':
      return { sparseTensors: a.value.map(sparseToProto) };
    case 'type':
      return { tp: typeToProto(a.value) };
    case 'types':
      return { typeProtos: a.value.map(typeToProto) };
    case 'reference':
      return { refAttrName: a.value };
    case 'unknown':
      return {};
  }
}

/** A value of another kind must not stand beside the old one. */
const sameKind = (a: Attribute, base: AttributeProto | undefined): boolean =>
  a.kind === 'unknown' ||
  base === undefined ||
  (a.kind === 'reference' ? base.refAttrName !== '' : base.type === 0 || base.type === attributeType[a.kind]);

const attributeToProto = (a: Attribute): AttributeProto =>
  memo(a, () => {
    const base = carried<AttributeProto>(a.rest);
    const out = overlay<AttributeProto>(() => create(AttributeProtoSchema), sameKind(a, base) ? base : undefined, {
      name: a.name,
      docString: a.doc ?? '',
    });
    if (out.type === 0 && a.kind !== 'reference') out.type = attributeType[a.kind];
    // Set even where it equals the default: a reader must see that the value is there.
    return Object.assign(out, attributeFields(a));
  });

export const nodeToProto = (node: Node): NodeProto =>
  memo(node, () =>
    overlay<NodeProto>(() => create(NodeProtoSchema), carried(node.rest), {
      input: node.inputs as string[],
      output: node.outputs as string[],
      name: node.name,
      opType: node.op,
      domain: node.domain,
      overload: node.overload ?? '',
      attribute: node.attributes.map(attributeToProto),
      docString: node.doc ?? '',
    }),
  );

const valueInfoToProto = (info: ValueInfo): ValueInfoProto =>
  memo(info, () => {
    const base = carried<ValueInfoProto>(info.rest);
    return overlay<ValueInfoProto>(() => create(ValueInfoProtoSchema), base, {
      name: info.name,
      docString: info.doc ?? '',
      ...(info.type.kind === 'unknown' && base?.type === undefined ? {} : { type: typeToProto(info.type) }),
    });
  });

export function graphToProto(graph: Graph): GraphProto {
  return memo(graph, () =>
    overlay<GraphProto>(() => create(GraphProtoSchema), carried(graph.rest), {
      name: graph.name,
      docString: graph.doc ?? '',
      node: graph.nodes.map(nodeToProto),
      initializer: graph.initializers.map(tensorToProto),
      sparseInitializer: graph.sparseInitializers.map(sparseToProto),
      input: graph.inputs.map(valueInfoToProto),
      output: graph.outputs.map(valueInfoToProto),
      valueInfo: graph.valueInfos.map(valueInfoToProto),
    }),
  );
}

const opsetsToProto = (opsets: readonly OpsetImport[]) =>
  opsets.map((o) => {
    const message = create(OperatorSetIdProtoSchema, { version: BigInt(o.version) });
    message.domain = o.domain;
    return message;
  });

const functionToProto = (f: LocalFunction): FunctionProto =>
  memo(f, () =>
    overlay<FunctionProto>(() => create(FunctionProtoSchema), carried(f.rest), {
      name: f.name,
      domain: f.domain,
      overload: f.overload ?? '',
      input: f.inputs as string[],
      output: f.outputs as string[],
      node: f.nodes.map(nodeToProto),
      opsetImport: opsetsToProto(f.opsets),
      attribute: f.attributes as string[],
      attributeProto: f.attributeDefaults.map(attributeToProto),
      valueInfo: f.valueInfos.map(valueInfoToProto),
      docString: f.doc ?? '',
    }),
  );

const sameOpsets = (base: ModelProto | undefined, opsets: readonly OpsetImport[]): boolean =>
  base !== undefined &&
  base.opsetImport.length === opsets.length &&
  base.opsetImport.every((o, i) => o.domain === opsets[i]?.domain && Number(o.version) === opsets[i]?.version);

const sameMetadata = (base: ModelProto | undefined, metadata: Model['metadata']): boolean =>
  base !== undefined &&
  base.metadataProps.length === metadata.length &&
  base.metadataProps.every((m, i) => m.key === metadata[i]?.key && m.value === metadata[i]?.value);

/**
 * Before IR 4 every initializer must be listed among the graph's inputs: an added one is, here, so that the file stays valid
 * without raising its IR version.
 */
export function withListedInitializers(model: Model): Graph {
  const { graph } = model;
  if (model.irVersion >= 4) return graph;
  const listed = new Set(graph.inputs.map((i) => i.name));
  const missing = graph.initializers.filter((t) => !listed.has(t.name));
  if (missing.length === 0) return graph;
  const infos = missing.map(
    (t): ValueInfo => ({ name: t.name, type: { kind: 'tensor', elem: t.type, shape: t.dims } }),
  );
  return { ...graph, inputs: [...graph.inputs, ...infos] };
}

export const modelToProto = (model: Model): ModelProto =>
  memo(model, () => {
    const base = carried<ModelProto>(model.rest);
    return overlay<ModelProto>(() => create(ModelProtoSchema), base, {
      ...(base !== undefined && Number(base.irVersion) === model.irVersion
        ? {}
        : { irVersion: BigInt(model.irVersion) }),
      ...(sameOpsets(base, model.opsets) ? {} : { opsetImport: opsetsToProto(model.opsets) }),
      producerName: model.producerName,
      producerVersion: model.producerVersion,
      docString: model.doc ?? '',
      graph: graphToProto(withListedInitializers(model)),
      functions: model.functions.map(functionToProto),
      ...(sameMetadata(base, model.metadata)
        ? {}
        : {
            metadataProps: model.metadata.map((m) =>
              create(StringStringEntryProtoSchema, { key: m.key, value: m.value }),
            ),
          }),
    });
  });
