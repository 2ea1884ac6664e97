/**
 * Owns weight-only quantization: weights of 2 to 8 bits decoded by Cast x scale, which the runtime folds once at load. Never a
 * lone DequantizeLinear, which would run on every call or be fused into a kernel that rounds activations.
 */
import { lazy } from '../base/lazy.ts';
import { attr } from '../ir/attribute.ts';
import { type ElementType, elementCount, elementTypes } from '../ir/element-type.ts';
import { GraphEdit } from '../ir/graph-edit.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model, Node } from '../ir/model.ts';
import { int64Tensor, numbersTensor, toNumbers } from '../ir/values.ts';
import { namesFor } from './names-for.ts';
import { indexForms, type Names, type Parts } from './packed-indices.ts';
import type { QuantLayer } from './quantize-layers.ts';
import { fittedScales, lazyNumbers, quantizedTensor, roundedLevels } from './quantize-numbers.ts';
import { type Rounder, toNearest } from './quantize-rounding.ts';
import { storedBytes } from './sparse-choice.ts';
import { type StorageTarget, storable, storageTarget, type TargetRuntime } from './storage-target.ts';

export interface WeightStorage {
  /** 2 to 8. Levels run from -(2^(bits-1) - 1) to 2^(bits-1) - 1: two bits are ternary. */
  readonly bits: number;
  /** Weights that share a scale along what one output sums over; 0: all of a channel. Where it does not divide, 0. */
  readonly block: number;
  /** To the nearest level by default. */
  readonly round?: Rounder;
}

/** The model with the layers' weights so stored; tied weights once (S17). */
export function storeWeights(
  model: Model,
  layers: ReadonlyMap<string, QuantLayer>,
  storageOf: WeightStorage | ((id: string) => WeightStorage),
  runtime: TargetRuntime | undefined,
): Model {
  const target = storageTarget(model, runtime);
  const edit = new GraphEdit(model.graph);
  const names = namesFor(edit, 'quantized');
  const decoded = new Map<string, string>();
  const nodes: Node[] = [];
  for (const node of graphIndex(model.graph).order) {
    const layer = layers.get(node.id);
    if (layer === undefined) {
      nodes.push(node);
      continue;
    }
    const { name } = layer.weight.tensor;
    let to = decoded.get(name);
    if (to === undefined) {
      to = edit.unique(`${name}_decoded`);
      nodes.push(
        ...decoder(
          { model, target, edit, names: names(name) },
          layer,
          typeof storageOf === 'function' ? storageOf(node.id) : storageOf,
          to,
        ),
      );
      decoded.set(name, to);
    }
    const at = to;
    nodes.push({ ...node, inputs: node.inputs.map((i, k) => (i === name && k !== 0 ? at : i)) });
  }
  const swapped = new GraphEdit({ ...edit.done(), nodes });
  swapped.removeUnused();
  return { ...model, graph: swapped.done() };
}

/** Scales as the weight's own type holds them; one that would vanish there becomes 1, and its weights 0. */
const heldAs = (type: ElementType, scales: Float64Array): Float64Array =>
  type === 'float' || type === 'double'
    ? scales
    : toNumbers(numbersTensor('', type, [scales.length], scales)).map((s) => (s > 0 && Number.isFinite(s) ? s : 1));

/** How weights are laid out to meet their scales. */
interface Layout {
  /** Dims of the weight as it meets the scales. */
  readonly view: readonly number[];
  readonly scaleDims: readonly number[];
  readonly groups: number;
  groupOf(k: number): number;
}

function layoutOf(layer: QuantLayer, block: number): Layout {
  const { dims } = layer.weight.tensor;
  const [first = 1, last = 1] = [dims[0], dims.at(-1)];
  const count = elementCount(dims);
  const inner = count / first;
  if (block > 0 && layer.axis === 0 && inner % block === 0)
    return {
      view: [first, inner / block, block],
      scaleDims: [first, inner / block, 1],
      groups: count / block,
      groupOf: (k) => Math.floor(k / block),
    };
  if (block > 0 && layer.axis === 1 && dims.length === 2 && first % block === 0)
    return {
      view: [first / block, block, last],
      scaleDims: [first / block, 1, last],
      groups: count / block,
      groupOf: (k) => Math.floor(k / last / block) * last + (k % last),
    };
  return {
    view: dims,
    scaleDims: layer.axis === undefined ? [] : dims.map((d, i) => (i === layer.axis ? d : 1)),
    groups: layer.channels,
    groupOf: layer.channelOf,
  };
}

/** Squared error of a layer's weights at this width, to the nearest levels. Reads them. */
export function weightError(layer: QuantLayer, bits: number, block: number): number {
  const top = 2 ** (bits - 1) - 1;
  const layout = layoutOf(layer, block);
  const numbers = layer.numbers();
  const scales = heldAs(layer.weight.tensor.type, fittedScales(numbers, layout, top));
  const scaleOf = (k: number): number => scales[layout.groupOf(k)] ?? 1;
  const levels = roundedLevels(numbers, scaleOf, top);
  return numbers.reduce((sum, x, k) => sum + (x - (levels[k] ?? 0) * scaleOf(k)) ** 2, 0);
}

interface Place {
  readonly model: Model;
  readonly target: StorageTarget;
  readonly edit: GraphEdit;
  readonly names: Names;
}

/** stored -> Cast (-> Sub -> Reshape where the bits are packed) -> Mul by the scales -> Reshape where blocks have a view of their own. */
function decoder(place: Place, layer: QuantLayer, storage: WeightStorage, output: string): readonly Node[] {
  const { edit, names } = place;
  const { bits, block, round = toNearest } = storage;
  const { type, dims } = layer.weight.tensor;
  const top = 2 ** (bits - 1) - 1;
  const layout = layoutOf(layer, block);
  const scales = lazy(() => heldAs(type, fittedScales(layer.numbers(), layout, top)));
  const scaleOf = (k: number): number => scales()[layout.groupOf(k)] ?? 1;
  const levels = lazy(() => round(layer, scaleOf, top));
  edit.setInitializer(lazyNumbers(names.own('scale'), type, layout.scaleDims, scales));
  const nodes: Node[] = [];
  const emit = (op: string, inputs: readonly string[], to: string, attributes: Node['attributes'] = []): string => {
    nodes.push(edit.make({ op, inputs, outputs: [to], attributes }));
    return to;
  };
  const castTo = [attr.int('to', elementTypes[type].code)];
  let at: string;
  // Four bits in bytes, where the target has no tensors of them.
  if (bits === 8 || (bits === 4 && storable('int4', place.target))) {
    const stored = names.own('quantized');
    edit.setInitializer(quantizedTensor(stored, bits === 4 ? 'int4' : 'int8', layout.view, levels));
    at = emit('Cast', [stored], names.own('cast'), castTo);
  } else {
    const index = packed(place, elementCount(dims), bits, () => Uint8Array.from(levels(), (q) => q + top));
    for (const t of index.initializers) edit.setInitializer(t);
    for (const n of index.nodes) nodes.push(edit.make(n));
    const offset = numbersTensor(names.shared(`top${top}_${type}`), type, [], [top]);
    const view = int64Tensor(names.own('view'), [layout.view.length], layout.view);
    edit.setInitializer(offset);
    edit.setInitializer(view);
    const cast = emit('Cast', [index.output], names.own('cast'), castTo);
    const signed = emit('Sub', [cast, offset.name], names.own('signed'));
    at = emit('Reshape', [signed, view.name], names.own('levels'));
  }
  if (layout.view === dims) {
    emit('Mul', [at, names.own('scale')], output);
    return nodes;
  }
  const shape = int64Tensor(names.own('shape'), [dims.length], dims);
  edit.setInitializer(shape);
  emit('Reshape', [emit('Mul', [at, names.own('scale')], names.own('scaled')), shape.name], output);
  return nodes;
}

/** The smallest form of `count` numbers of `bits` bits that the target has, by exact bytes, as int32 [count]. */
function packed({ model, target, names }: Place, count: number, bits: number, values: () => Uint8Array): Parts {
  const sized = indexForms({ count, bits, values }, names, target).map((form) => ({
    form,
    bytes: storedBytes(model, form),
  }));
  return sized.reduce((best, one) => (one.bytes < best.bytes ? one : best)).form;
}
