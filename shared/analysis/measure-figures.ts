/** Owns measureFigures: parameters, file bytes, work and peak memory of a model, per layer and in all. */
import { type Model, type Node, opsetVersion } from '../ir/model.ts';
import { fileBytes } from '../onnx/size.ts';
import { type ParameterUse, parametersOf } from './count-parameters.ts';
import type { Figures, LayerFigures, ShapeChoice } from './figures.ts';
import { inferScope, type Scope } from './infer-facts.ts';
import { peakActivationBytes } from './peak-memory.ts';
import { insideBytes, weightBytes } from './weight-roots.ts';
import { plus, workOf } from './work-of.ts';

/** A node that only makes weights or shapes is part of whoever reads them. */
function isDrawn(at: number, { wiring, facts }: Scope, isOutput: Uint8Array): boolean {
  for (let k = wiring.outputStart[at] ?? 0; k < (wiring.outputStart[at + 1] ?? 0); k++) {
    const id = wiring.outputs[k] ?? -1;
    if (id >= 0 && (isOutput[id] === 1 || facts.at(id)?.constant !== true)) return true;
  }
  return false;
}

interface Seen {
  readonly roots: Set<string>;
  /** 1 for each value number whose stored bytes were counted. */
  readonly stored: Uint8Array;
}

/** Elements of the weights that nobody read before. */
function newElements(uses: readonly ParameterUse[], { roots }: Seen): number {
  let elements = 0;
  for (let k = 0; k < uses.length; k++) {
    const use = uses[k];
    if (use === undefined || roots.has(use.root)) continue;
    roots.add(use.root);
    elements += use.elements;
  }
  return elements;
}

function layerOf(node: Node, at: number, scope: Scope, seen: Seen, missing: Map<string, number>): LayerFigures {
  const { graph, wiring, facts } = scope;
  const { work, notCounted, inside } = workOf(node, at, scope);
  const parameters = newElements(parametersOf(node, scope), seen) + newElements(inside, seen);
  let bytes = insideBytes(node);
  const start = wiring.inputStart[at] ?? 0;
  for (let k = 0; k < node.inputs.length; k++) {
    const id = wiring.inputs[start + k] ?? -1;
    if (id >= 0 && facts.at(id)?.constant === true) bytes += weightBytes(graph, wiring, id, seen.stored);
  }
  for (const op of notCounted) missing.set(op, (missing.get(op) ?? 0) + 1);
  const first = facts.at(wiring.outputs[wiring.outputStart[at] ?? -1] ?? -1);
  return {
    id: node.id,
    name: node.name,
    op: node.op,
    parameters,
    macs: work?.macs ?? null,
    otherOps: work?.otherOps ?? null,
    kernel: work?.kernel ?? null,
    outputShape: first?.shape ?? null,
    outputType: first?.elem ?? null,
    weightBytes: bytes,
    counted: work !== undefined,
  };
}

/** The last answer per model: a preview asks for the figures it starts from with every move of a slider. */
const measured = new WeakMap<Model, { readonly key: string; readonly figures: Figures }>();

/**
 * The figures of a model. Batch (dim 0 of an input, where it is not a number) is 1 unless `shapes` sets that input; any
 * other unknown dimension leaves the figures that depend on it null. Nodes without a rule are listed and add nothing.
 * Faults: as `inferFacts`.
 */
export function measureFigures(model: Model, shapes?: ShapeChoice): Figures {
  const key = JSON.stringify(shapes?.inputs ?? {});
  const known = measured.get(model);
  if (known?.key === key) return known.figures;
  const figures = measure(model, shapes);
  measured.set(model, { key, figures });
  return figures;
}

function measure(model: Model, shapes?: ShapeChoice): Figures {
  const scope = inferScope(model, shapes, { batch: 1 });
  const { wiring } = scope;
  const isOutput = new Uint8Array(wiring.names.length);
  for (const { name } of model.graph.outputs) isOutput[wiring.ids.get(name) ?? -1] = 1;
  const missing = new Map<string, number>();
  const seen: Seen = { roots: new Set(), stored: new Uint8Array(wiring.names.length) };
  const layers: LayerFigures[] = [];
  const views = new Uint8Array(model.graph.nodes.length);
  let parameters = 0;
  let macs: number | null = 0;
  let otherOps: number | null = 0;
  for (const at of wiring.order) {
    const node = model.graph.nodes[at];
    if (node === undefined || !isDrawn(at, scope, isOutput)) continue;
    const layer = layerOf(node, at, scope, seen, missing);
    layers.push(layer);
    parameters += layer.parameters;
    if (layer.kernel === 'view') views[at] = 1;
    if (!layer.counted) continue;
    macs = plus(macs, layer.macs);
    otherOps = plus(otherOps, layer.otherOps);
  }
  return {
    opset: opsetVersion(model) ?? 0,
    nodes: model.graph.nodes.length,
    parameters,
    fileBytes: fileBytes(model),
    macs,
    otherOps,
    peakActivationBytes: peakActivationBytes(model.graph, scope.facts, (at) => views[at] === 1),
    notCounted: [...missing].map(([op, nodes]) => ({ op, nodes })),
    layers,
  };
}
