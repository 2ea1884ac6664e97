/** Owns the layout of external data: which tensors stand in which file at which offset, as found or as to be written. */
import { create } from '@bufbuild/protobuf';
import { StringStringEntryProtoSchema, type TensorProto, TensorProtoSchema } from 'onnx-buf';
import { elementCount, elementTypes, rawByteLength } from '../ir/element-type.ts';
import { subgraphs } from '../ir/graph-index.ts';
import type { Attribute, Graph, Model, Node } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';
import { cameFrom, carried, restOf } from './proto.ts';

export interface ExternalTensor {
  readonly tensor: Tensor;
  readonly location: string;
  readonly offset: number;
  readonly length: number;
}

const bytesOf = (t: Tensor): number => rawByteLength(t.type, elementCount(t.dims));

/** Every external tensor of the model, subgraphs and attributes included, as the file states it. */
export function externalLayout(model: Model): { readonly tensors: readonly ExternalTensor[] } {
  const tensors: ExternalTensor[] = [];
  const add = (tensor: Tensor): void => {
    if (tensor.storage.kind !== 'external') return;
    const { location, offset = 0, length = bytesOf(tensor) } = tensor.storage;
    tensors.push({ tensor, location, offset, length });
  };
  const stack: Graph[] = [model.graph];
  for (let g = stack.pop(); g !== undefined; g = stack.pop()) {
    g.initializers.forEach(add);
    for (const n of g.nodes) {
      for (const a of n.attributes) if (a.kind === 'tensor') add(a.value);
      stack.push(...subgraphs(n));
    }
  }
  return { tensors };
}

/** Offsets of external tensors are multiples of this, so that a runtime can map them into memory. */
const alignment = 4096;
/** Smaller tensors stay inside the .onnx file when a model spills. */
const spillsFrom = 1024;

/** The tensor moved to (location, offset). Its bytes still come from where they stand now. */
function external(tensor: Tensor, location: string, offset: number): Tensor {
  const length = bytesOf(tensor);
  const entry = (key: string, value: string) => create(StringStringEntryProtoSchema, { key, value });
  const proto = create(TensorProtoSchema, {
    dims: tensor.dims.map(BigInt),
    dataType: elementTypes[tensor.type].code,
    name: tensor.name,
    externalData: [entry('location', location), entry('offset', String(offset)), entry('length', String(length))],
    dataLocation: 1,
  });
  const base = carried<TensorProto>(tensor.rest);
  if (tensor.doc !== undefined) proto.docString = tensor.doc;
  if (base !== undefined) proto.metadataProps = base.metadataProps;
  return cameFrom({ ...tensor, storage: { kind: 'external', location, offset, length }, rest: restOf(proto) }, proto);
}

export interface LaidOut {
  readonly model: Model;
  /** What to write: tensors by location, whose bytes come from where they stood. */
  readonly files: ReadonlyMap<string, readonly ExternalTensor[]>;
}

/**
 * Lays a model's external data out for writing.
 * @param places.locate the file that a location goes to: itself, a free name, or one file for all. A file that keeps its
 * name and its tensors' lengths keeps its offsets; any other is packed anew.
 * @param places.spill also move large raw initializers of the main graph out, into this file.
 */
export function withExternalData(
  model: Model,
  places: { readonly locate: (location: string) => string; readonly spill: string | undefined },
): LaidOut {
  const targets = new Map<string, string>();
  const target = (location: string): string => {
    const known = targets.get(location) ?? places.locate(location);
    targets.set(location, known);
    return known;
  };
  const repacked = new Set<string>();
  for (const { tensor, location, length } of externalLayout(model).tensors)
    if (target(location) !== location || length !== bytesOf(tensor)) repacked.add(location);
  const files = new Map<string, ExternalTensor[]>();
  const ends = new Map<string, number>();
  const put = (tensor: Tensor, location: string, offset: number): void => {
    const list = files.get(location) ?? [];
    const length = bytesOf(tensor);
    list.push({ tensor, location, offset, length });
    files.set(location, list);
    ends.set(location, Math.max(ends.get(location) ?? 0, offset + length));
  };
  const place = (tensor: Tensor, spill: boolean): Tensor => {
    if (tensor.storage.kind === 'external' && !repacked.has(tensor.storage.location)) {
      put(tensor, tensor.storage.location, tensor.storage.offset ?? 0);
      return tensor;
    }
    const moves = spill && tensor.type !== 'string' && bytesOf(tensor) >= spillsFrom;
    const location =
      tensor.storage.kind === 'external' ? target(tensor.storage.location) : moves ? places.spill : undefined;
    if (location === undefined) return tensor;
    const offset = Math.ceil((ends.get(location) ?? 0) / alignment) * alignment;
    put(tensor, location, offset);
    return external(tensor, location, offset);
  };
  const inAttribute = (a: Attribute): Attribute => {
    if (a.kind === 'tensor') {
      const value = place(a.value, false);
      return value === a.value ? a : { ...a, value };
    }
    if (a.kind === 'graph') {
      const value = inGraph(a.value, false);
      return value === a.value ? a : { ...a, value };
    }
    return a;
  };
  const inNode = (n: Node): Node => {
    const attributes = n.attributes.map(inAttribute);
    return attributes.every((a, i) => a === n.attributes[i]) ? n : { ...n, attributes };
  };
  const inGraph = (g: Graph, main: boolean): Graph => {
    const initializers = g.initializers.map((t) => place(t, main && places.spill !== undefined));
    const nodes = g.nodes.map(inNode);
    const same = initializers.every((t, i) => t === g.initializers[i]) && nodes.every((n, i) => n === g.nodes[i]);
    return same ? g : { ...g, initializers, nodes };
  };
  const graph = inGraph(model.graph, true);
  return { model: graph === model.graph ? model : { ...model, graph }, files };
}
