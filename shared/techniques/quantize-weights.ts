/**
 * Owns weight-only quantization: int8 or int4 weights decoded by Cast x scale, which the runtime folds once at load. Never a
 * lone DequantizeLinear, which would run on every call or be fused into a kernel that rounds activations.
 */
import { lazy } from '../base/lazy.ts';
import { attr } from '../ir/attribute.ts';
import { type ElementType, elementTypes } from '../ir/element-type.ts';
import { GraphEdit } from '../ir/graph-edit.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model, Node } from '../ir/model.ts';
import { numbersTensor, toNumbers } from '../ir/values.ts';
import type { QuantLayer } from './quantize-layers.ts';
import { channelMaxima, lazyNumbers, quantizedTensor, symmetricScales } from './quantize-numbers.ts';

/** The model with the layers' weights stored in `bits`; tied weights once (S17). */
export function storeWeights(model: Model, layers: ReadonlyMap<string, QuantLayer>, bits: 4 | 8): Model {
  const edit = new GraphEdit(model.graph);
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
      nodes.push(...decoder(edit, layer, bits, to));
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

/** stored -> Cast -> Mul by the scales, shaped to lie along the weight's channel axis. */
function decoder(edit: GraphEdit, layer: QuantLayer, bits: 4 | 8, output: string): readonly Node[] {
  const { name, dims } = layer.weight.tensor;
  const top = bits === 4 ? 7 : 127;
  const { type } = layer.weight.tensor;
  const scales = lazy(() =>
    heldAs(type, symmetricScales(channelMaxima(layer.numbers(), layer.channels, layer.channelOf), top)),
  );
  const stored = edit.unique(`${name}_quantized`);
  const scale = edit.unique(`${name}_scale`);
  const scaleOf = (k: number): number => scales()[layer.channelOf(k)] ?? 1;
  edit.setInitializer(quantizedTensor(stored, bits === 4 ? 'int4' : 'int8', dims, top, layer.numbers, scaleOf));
  const scaleDims = layer.axis === undefined ? [] : dims.map((d, i) => (i === layer.axis ? d : 1));
  edit.setInitializer(lazyNumbers(scale, type, scaleDims, scales));
  const cast = edit.unique(`${name}_cast`);
  return [
    edit.make({
      op: 'Cast',
      inputs: [stored],
      outputs: [cast],
      attributes: [attr.int('to', elementTypes[type].code)],
    }),
    edit.make({ op: 'Mul', inputs: [cast, scale], outputs: [output] }),
  ];
}
