/**
 * Owns the training graph: forward, loss, backward and optimizer as one ONNX model. Weights, running statistics and
 * optimizer state are inputs and outputs, so a step is one run of a session.
 */
import { inferFacts } from '../analysis/infer-facts.ts';
import { Fault } from '../base/fault.ts';
import { attr, withAttribute } from '../ir/attribute.ts';
import { graphIndex } from '../ir/graph-index.ts';
import { type Graph, type Model, type Node, opsetVersion, type ValueInfo } from '../ir/model.ts';
import { numbersTensor, toFloat32 } from '../ir/values.ts';
import { convertOpset } from '../transforms/convert-opset.ts';
import { backward, Emitter, gradientOpset } from './backward.ts';
import { crossEntropy, meanSquaredError } from './losses.ts';
import { emitUpdate, type OptimizerSettings, stateCount } from './optimizers.ts';
import { type Parameter, parametersOf } from './parameters.ts';
import { setBatch } from './set-batch.ts';

export interface GraphSettings extends OptimizerSettings {
  readonly batch: number;
  readonly loss: 'cross-entropy' | 'mean-squared-error';
  /** Normalise by the batch's own statistics and learn the running ones; else they stay as they are. */
  readonly batchStatistics: boolean;
  /** Output to train; the first by default. */
  readonly output?: string;
  /** Ids of the nodes whose parameters are learnt; all by default. The others, and their running statistics, stay. */
  readonly layers?: ReadonlySet<string>;
}

/** A tensor that goes in and comes out of every step. */
export interface Carried {
  readonly input: string;
  readonly output: string;
  readonly dims: readonly number[];
  readonly initial: Float32Array;
}

export interface TrainingGraph {
  /** One step. Further inputs: the data, `target`, `rate`, `step`. Outputs: `loss` and every `output` of `carried`. */
  readonly step: Model;
  /** Scores alone, [batch, classes], from the data and the carried values that the forward pass reads. */
  readonly forward: Model;
  readonly carried: readonly Carried[];
  /** Names of the carried tensors that stand in the model: weights and running statistics. */
  readonly learnt: readonly string[];
  readonly names: {
    readonly data: string;
    readonly target: string;
    readonly rate: string;
    readonly step: string;
    readonly loss: string;
    readonly scores: string;
  };
  readonly classes: number;
  /** Scores are before softmax; true where the model itself ends in one (recognised, and trained through its input). */
  readonly endsInSoftmax: boolean;
}

const float = (name: string, shape: readonly number[]): ValueInfo => ({
  name,
  type: { kind: 'tensor', elem: 'float', shape },
});

/** The value that holds the scores: what enters a closing Softmax or LogSoftmax, else the output itself. */
export function scoresOf(graph: Graph, output: string): { readonly value: string; readonly soft: boolean } {
  let node = graphIndex(graph).producer.get(output);
  while (node?.op === 'Identity') node = graphIndex(graph).producer.get(node.inputs[0] ?? '');
  return node?.op === 'Softmax' || node?.op === 'LogSoftmax'
    ? { value: node.inputs[0] ?? output, soft: true }
    : { value: output, soft: false };
}

/** Nodes that `value` needs, in order. */
export function needed(graph: Graph, value: string): readonly Node[] {
  const index = graphIndex(graph);
  const keep = new Set<Node>();
  const stack = [value];
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    const node = index.producer.get(at);
    if (node === undefined || keep.has(node)) continue;
    keep.add(node);
    stack.push(...node.inputs);
  }
  return index.order.filter((n) => keep.has(n));
}

interface Statistics {
  readonly nodes: ReadonlyMap<Node, Node>;
  readonly carried: readonly Carried[];
}

/** BatchNormalization in training mode, its running mean and variance carried; only where each is its own initializer. */
function batchStatistics(
  graph: Graph,
  nodes: readonly Node[],
  e: Emitter,
  frozen: (parameter: string) => boolean,
): Statistics {
  const index = graphIndex(graph);
  const changed = new Map<Node, Node>();
  const carried: Carried[] = [];
  for (const n of nodes) {
    if (n.op !== 'BatchNormalization' || n.outputs.filter((o) => o !== '').length > 1) continue;
    if (frozen(n.inputs[1] ?? '')) continue;
    const tensors = [n.inputs[3], n.inputs[4]].map((name) => index.initializer.get(name ?? ''));
    if (!tensors.every((t) => t?.type === 'float' && index.uses.get(t.name)?.length === 1)) continue;
    const outputs = tensors.map((t) => e.fresh(`${t?.name}.next`));
    for (const [i, t] of tensors.entries())
      if (t !== undefined)
        carried.push({ input: t.name, output: outputs[i] ?? '', dims: t.dims, initial: toFloat32(t).slice() });
    changed.set(n, {
      ...withAttribute(n, 'training_mode', attr.int('training_mode', 1)),
      outputs: [n.outputs[0] ?? '', ...outputs],
    });
  }
  return { nodes: changed, carried };
}

/** MaxPool with its Indices, which the gradient needs. */
export const withIndices = (n: Node, e: Emitter): Node =>
  n.op === 'MaxPool' && !n.outputs[1] ? { ...n, outputs: [n.outputs[0] ?? '', e.fresh('Indices')] } : n;

/**
 * Builds the training graph of `model` for the data input `data`. The model is raised to opset 17 where it is older.
 * Faults: `no-rule` (node and operator), `does-not-fit` (nothing to train), those of setBatch and convertOpset.
 */
export function trainingGraph(source: Model, data: string, s: GraphSettings): TrainingGraph {
  const raised = (opsetVersion(source) ?? 1) < gradientOpset ? convertOpset(source, gradientOpset) : source;
  const model = setBatch(raised, data, s.batch);
  const { graph } = model;
  const output = s.output ?? graph.outputs[0]?.name ?? '';
  const scores = scoresOf(graph, output);
  const taken = [
    ...graph.nodes.flatMap((n) => n.outputs),
    ...graph.initializers.map((t) => t.name),
    ...graph.inputs.map((i) => i.name),
  ];
  const e = new Emitter(taken);
  const forward = needed(graph, scores.value);
  const reads = new Set(forward.flatMap((n) => n.inputs));
  // By name, in the model as given: raising the opset may name its nodes anew.
  const chosen = s.layers === undefined ? undefined : new Set(parametersOf(source, s.layers).map((p) => p.name));
  const frozen = (parameter: string): boolean => chosen !== undefined && !chosen.has(parameter);
  const parameters = parametersOf(model).filter((p) => reads.has(p.name) && !frozen(p.name));
  const statistics = s.batchStatistics
    ? batchStatistics(graph, forward, e, frozen)
    : { nodes: new Map<Node, Node>(), carried: [] };
  const trained = forward.map((n) => withIndices(statistics.nodes.get(n) ?? n, e));
  const inner: Model = {
    ...model,
    graph: { ...graph, nodes: trained, outputs: [{ name: scores.value, type: { kind: 'unknown' } }] },
  };
  const facts = inferFacts(inner);
  const shape = facts.get(scores.value)?.shape;
  if (!shape?.every((d): d is number => typeof d === 'number') || shape[0] !== s.batch)
    throw new Fault('unsupported', 'the output to train has no known size per sample', { where: output });
  const classes = (shape as readonly number[]).slice(1).reduce((a, b) => a * b, 1);
  const names = {
    data,
    target: e.fresh('target'),
    rate: e.fresh('rate'),
    step: e.fresh('step'),
    loss: e.fresh('loss'),
    scores: e.fresh('scores'),
  };
  const flat = e.one('Reshape', [scores.value, e.ints([s.batch, classes])]);
  const loss =
    s.loss === 'cross-entropy'
      ? crossEntropy(e, flat, names.target, s.batch)
      : meanSquaredError(e, flat, names.target, s.batch * classes);
  const seed = e.one('Reshape', [loss.gradient, e.ints(shape as readonly number[])]);
  const found = backward(inner, facts, new Map([[scores.value, seed]]), new Set(parameters.map((p) => p.name)), e);
  const learning = parameters.filter((p) => found.has(p.name));
  if (learning.length === 0)
    throw new Fault('does-not-fit', 'the model has no weights that can be trained', { where: output });
  const weights = learning.map((p) => updated(e, s, p, found.get(p.name) ?? '', names));
  const carried = [...weights.flat(), ...statistics.carried];
  const learnt = [...weights.map(([w]) => w), ...statistics.carried].flatMap((c) => (c === undefined ? [] : [c.input]));
  return {
    step: assemble(model, trained, e, carried, names, s.batch, classes, loss.value),
    forward: forwardModel(model, forward, scores.value, learnt, carried, names.scores, s.batch, classes),
    carried,
    learnt,
    names,
    classes,
    endsInSoftmax: scores.soft,
  };
}

/** The parameter and its optimizer state, as they go in and out. */
function updated(
  e: Emitter,
  s: OptimizerSettings,
  p: Parameter,
  gradient: string,
  names: { readonly rate: string; readonly step: string },
): readonly Carried[] {
  const states = Array.from({ length: stateCount(s) }, () => e.fresh(`${p.name}.state`));
  const mask = p.mask === undefined ? {} : { mask: e.constant(numbersTensor('mask', 'float', p.dims, p.mask)) };
  const update = emitUpdate(e, s, p, { gradient, states, rate: names.rate, step: names.step, ...mask });
  return [
    { input: p.name, output: update.next, dims: p.dims, initial: p.values },
    ...states.map((input, i) => ({
      input,
      output: update.states[i] ?? '',
      dims: p.dims,
      initial: new Float32Array(p.values.length),
    })),
  ];
}

/** Nodes and stored tensors without what is carried (it is fed instead). */
function without(
  model: Model,
  nodes: readonly Node[],
  fed: ReadonlySet<string>,
): Pick<Graph, 'nodes' | 'initializers' | 'sparseInitializers'> {
  const used = new Set(nodes.flatMap((n) => n.inputs));
  return {
    nodes: nodes.filter((n) => n.op !== 'Constant' || !fed.has(n.outputs[0] ?? '')),
    initializers: model.graph.initializers.filter((t) => used.has(t.name) && !fed.has(t.name)),
    sparseInitializers: model.graph.sparseInitializers.filter(
      (t) => used.has(t.values.name) && !fed.has(t.values.name),
    ),
  };
}

function assemble(
  model: Model,
  nodes: readonly Node[],
  e: Emitter,
  carried: readonly Carried[],
  names: TrainingGraph['names'],
  batch: number,
  classes: number,
  loss: string,
): Model {
  const fed = new Set(carried.map((c) => c.input));
  const rest = without(model, nodes, fed);
  const inputs = [
    ...model.graph.inputs.filter((i) => i.name === names.data),
    float(names.target, [batch, classes]),
    float(names.rate, []),
    float(names.step, []),
    ...carried.map((c) => float(c.input, c.dims)),
  ];
  const identity: Node = {
    id: names.loss,
    name: names.loss,
    op: 'Identity',
    domain: '',
    inputs: [loss],
    outputs: [names.loss],
    attributes: [],
  };
  return {
    ...model,
    irVersion: Math.max(8, model.irVersion),
    graph: {
      ...model.graph,
      ...rest,
      nodes: [...rest.nodes, ...e.nodes, identity],
      initializers: [...rest.initializers, ...e.constants],
      inputs,
      outputs: [float(names.loss, []), ...carried.map((c) => float(c.output, c.dims))],
      valueInfos: [],
    },
  };
}

function forwardModel(
  model: Model,
  nodes: readonly Node[],
  value: string,
  learnt: readonly string[],
  carried: readonly Carried[],
  scores: string,
  batch: number,
  classes: number,
): Model {
  const fed = new Set(learnt);
  const rest = without(model, nodes, fed);
  const shape = numbersTensor(`${scores}.shape`, 'int64', [2], [batch, classes]);
  const flatten: Node = {
    id: scores,
    name: scores,
    op: 'Reshape',
    domain: '',
    inputs: [value, shape.name],
    outputs: [scores],
    attributes: [],
  };
  const produced = new Set(nodes.flatMap((n) => n.outputs));
  return {
    ...model,
    irVersion: Math.max(8, model.irVersion),
    graph: {
      ...model.graph,
      ...rest,
      nodes: [...rest.nodes, flatten],
      initializers: [...rest.initializers, shape],
      inputs: [
        ...model.graph.inputs.filter(
          (i) => !produced.has(i.name) && !fed.has(i.name) && !model.graph.initializers.some((t) => t.name === i.name),
        ),
        ...carried.filter((c) => fed.has(c.input)).map((c) => float(c.input, c.dims)),
      ],
      outputs: [float(scores, [batch, classes])],
      valueInfos: [],
    },
  };
}
