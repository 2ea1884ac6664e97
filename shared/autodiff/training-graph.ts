/**
 * Owns the training graph: forward, loss, backward and optimizer as one ONNX model. Weights, running statistics and
 * optimizer state are inputs and outputs, so a step is one run of a session.
 */
import { inferFacts } from '../analysis/infer-facts.ts';
import { Fault } from '../base/fault.ts';
import { text } from '../base/text.ts';
import { type Model, type Node, opsetVersion } from '../ir/model.ts';
import { numbersTensor } from '../ir/values.ts';
import { convertOpset } from '../transforms/convert-opset.ts';
import { assemble, floatInfo, named } from './assemble.ts';
import { backward, Emitter, gradientOpset } from './backward.ts';
import type { FedMask, GraphSettings, Names, TrainingGraph } from './graph-settings.ts';
import { hintLoss, regressorOf, withRegressors } from './hints.ts';
import { clipped, type Learning, updated } from './learning.ts';
import { type Parameter, parametersOf } from './parameters.ts';
import { scoreLoss } from './score-loss.ts';
import { setBatch } from './set-batch.ts';
import { batchStatistics, needed, scoresOf, withIndices } from './trained-part.ts';

export type { FedMask, GraphSettings, TrainingGraph } from './graph-settings.ts';
export type { Carried } from './trained-part.ts';

const taken = ({ graph }: Model): readonly string[] => [
  ...graph.nodes.flatMap((n) => n.outputs),
  ...graph.initializers.map((t) => t.name),
  ...graph.inputs.map((i) => i.name),
];

/**
 * Builds the training graph of `model` for the data input `data`. The model is raised to opset 17 where it is older.
 * Faults: `no-rule` (node and operator), `does-not-fit` (nothing to train, a hint of other dimensions), those of setBatch and
 * convertOpset.
 */
export function trainingGraph(source: Model, data: string, s: GraphSettings): TrainingGraph {
  const raised = (opsetVersion(source) ?? 1) < gradientOpset ? convertOpset(source, gradientOpset) : source;
  const model = setBatch(raised, data, s.batch);
  const { graph } = model;
  const output = s.output ?? graph.outputs[0]?.name ?? '';
  const recognised = scoresOf(graph, output);
  // The squared error is of what the model gives; the other losses know the squash at its end.
  const squared = s.loss === 'mean-squared-error' || (s.loss === 'none' && s.soft?.kind === 'mean-squared-error');
  const scores = squared ? output : recognised.value;
  const e = new Emitter(taken(model));
  const hints = s.hints ?? [];
  const soft = s.soft?.share ?? 0;
  const hard = s.loss !== 'none' && soft < 1;
  const forward = needed(graph, [
    ...(hard || soft > 0 || hints.length === 0 ? [scores] : []),
    ...hints.map((h) => h.value),
  ]);
  const shown = needed(graph, [scores]);
  const within = new Set(forward);
  const reads = new Set(forward.flatMap((n) => n.inputs));
  // By name, in the model as given: raising the opset may name its nodes anew.
  const chosen = s.layers === undefined ? undefined : new Set(parametersOf(source, s.layers).map((p) => p.name));
  const frozen = (parameter: string): boolean =>
    chosen?.has(parameter) === false || s.parameters?.has(parameter) === false;
  const parameters = parametersOf(model).filter((p) => reads.has(p.name) && !frozen(p.name));
  const statistics = s.batchStatistics
    ? batchStatistics(graph, forward, e, frozen)
    : { nodes: new Map<Node, Node>(), carried: [] };
  const trained = forward.map((n) => withIndices(statistics.nodes.get(n) ?? n, e));
  const known = inferFacts({
    ...model,
    graph: {
      ...graph,
      nodes: [...trained, ...shown.filter((n) => !within.has(n))],
      outputs: [{ name: scores, type: { kind: 'unknown' } }],
    },
  });
  const shape = known.get(scores)?.shape;
  if (!shape?.every((d): d is number => typeof d === 'number') || shape[0] !== s.batch)
    throw new Fault(
      'unsupported',
      text('the output to train has no known size per sample', '학습할 출력의 샘플당 크기를 알 수 없습니다'),
      { where: output },
    );
  const classes = (shape as readonly number[]).slice(1).reduce((a, b) => a * b, 1);
  const names: Names = {
    data,
    target: e.fresh('target'),
    rate: e.fresh('rate'),
    step: e.fresh('step'),
    loss: e.fresh('loss'),
    scores: e.fresh('scores'),
    soft: e.fresh('soft'),
    rows: e.fresh('rows'),
    share: e.fresh('share'),
    hints: hints.map((h) => e.fresh(`${h.value}.hint`)),
  };
  const regressors = hints.map((h) => regressorOf(e, h, known.get(h.value), s.seed ?? 1));
  const extra = regressors.flatMap((r) => r?.node ?? []);
  const inner: Model = { ...model, graph: { ...graph, nodes: [...trained, ...extra], outputs: [] } };
  const facts = withRegressors(known, regressors, hints);

  // Losses: of the scores, then of the hints. What they emit is the judge's too.
  const flat = e.one('Reshape', [scores, e.ints([s.batch, classes])]);
  const main = scoreLoss(e, s, flat, classes, names);
  const seeds = new Map<string, string>();
  const seed = (value: string, gradient: string): void => {
    const before = seeds.get(value);
    seeds.set(value, before === undefined ? gradient : e.one('Add', [before, gradient]));
  };
  const terms: string[] = [];
  if (main !== undefined) {
    terms.push(main.value);
    seed(scores, e.one('Reshape', [main.gradient, e.ints(shape as readonly number[])]));
  }
  for (const [k, h] of hints.entries()) {
    const value = regressors[k]?.node.outputs[0] ?? h.value;
    const rows = s.rowWeights === true ? names.rows : undefined;
    const loss = hintLoss(e, value, names.hints[k] ?? '', h, rows);
    terms.push(loss.value);
    seed(value, loss.gradient);
  }
  const [firstTerm] = terms;
  const none = firstTerm === undefined && s.penalty === undefined;
  if (none)
    throw new Fault(
      'bad-input',
      text('nothing to learn from: neither loss, hint nor penalty', '손실도 힌트도 벌점도 없어 배울 것이 없습니다'),
      { where: output },
    );
  const judged = firstTerm === undefined ? e.floats([0], []) : terms.length === 1 ? firstTerm : e.one('Sum', terms);
  const judgeNodes = e.nodes.slice();

  const sources = new Set([...parameters.map((p) => p.name), ...regressors.flatMap((r) => r?.name ?? [])]);
  const found = new Map(backward(inner, facts, seeds, sources, e));
  const penalised = s.penalty?.(e, parameters, names.share);
  for (const [name, gradient] of penalised?.gradients ?? []) {
    const before = found.get(name);
    found.set(name, before === undefined ? gradient : e.one('Add', [before, gradient]));
  }
  const masks: FedMask[] = [];
  const maskOf = (p: Parameter): string | undefined => {
    if (s.masks?.has(p.name) === true) {
      const input = e.fresh(`${p.name}.mask`);
      masks.push({
        parameter: p.name,
        input,
        dims: p.dims,
        initial: p.mask ?? new Float32Array(p.values.length).fill(1),
      });
      return input;
    }
    return p.mask === undefined ? undefined : e.constant(numbersTensor('mask', 'float', p.dims, p.mask));
  };
  const weights = parameters.flatMap((p): readonly Learning[] => {
    const gradient = found.get(p.name);
    if (gradient === undefined) return [];
    const mask = maskOf(p);
    return [{ ...p, initial: p.values, gradient, ...(mask === undefined ? {} : { mask }) } as Learning];
  });
  if (weights.length === 0)
    throw new Fault(
      'does-not-fit',
      text('the model has no weights that can be trained', '모델에 학습할 수 있는 가중치가 없습니다'),
      { where: output },
    );
  const own = penalised?.own ?? [];
  const beside = [
    ...regressors.flatMap((r) => (r === undefined ? [] : [{ ...r, gradient: found.get(r.name) ?? '' }])),
    ...own,
  ].map((o): Learning => ({ ...o, role: 'bias' }));
  const learning = clipped(e, [...weights, ...beside], s.clipNorm);
  const updates = learning.map((l) => updated(e, s, l, names));
  const carried = [...updates.flat(), ...statistics.carried];
  const learnt = [...weights.map((w) => w.name), ...statistics.carried.map((c) => c.input)];

  const loss = penalised === undefined ? judged : e.one('Add', [judged, penalised.loss]);
  const dataInputs = graph.inputs.filter((i) => i.name === data);
  const targets = [
    ...(hard ? [floatInfo(names.target, [s.batch, classes])] : []),
    ...(soft > 0 ? [floatInfo(names.soft, [s.batch, classes])] : []),
    ...(s.rowWeights === true ? [floatInfo(names.rows, [s.batch, 1])] : []),
    ...hints.map((h, k) => floatInfo(names.hints[k] ?? '', h.dims)),
  ];
  const inputsOf = (some: readonly { readonly input: string; readonly dims: readonly number[] }[]) =>
    some.map((c) => floatInfo(c.input, c.dims));
  const pruned = (nodes: readonly Node[], outputs: readonly string[]) => needed({ ...graph, nodes }, outputs);
  const results = [names.loss, ...carried.map((c) => c.output)];
  const step = assemble(model, {
    nodes: pruned([...trained, ...extra, ...e.nodes, named(loss, names.loss)], results),
    constants: e.constants,
    inputs: [
      ...dataInputs,
      ...targets,
      floatInfo(names.rate, []),
      floatInfo(names.step, []),
      ...(s.penalty === undefined ? [] : [floatInfo(names.share, [])]),
      ...inputsOf(masks),
      ...inputsOf(carried),
    ],
    outputs: [floatInfo(names.loss, []), ...carried.map((c) => floatInfo(c.output, c.dims))],
  });
  const fedLearnt = carried.filter((c) => learnt.includes(c.input));
  const fedRegressors = carried.filter((c) => regressors.some((r) => r?.name === c.input));
  const scoresInfo = floatInfo(names.scores, [s.batch, classes]);
  const plain = needed(graph, [scores, ...hints.map((h) => h.value)]);
  const closing = [named(flat, names.scores), named(judged, names.loss)];
  const scoring = [named(flat, names.scores)];
  const judge = assemble(model, {
    nodes: pruned([...plain, ...extra, ...judgeNodes, ...closing], [names.scores, names.loss]),
    constants: e.constants,
    inputs: [...dataInputs, ...targets, ...inputsOf([...fedLearnt, ...fedRegressors])],
    outputs: [scoresInfo, floatInfo(names.loss, [])],
  });
  return {
    step,
    forward: assemble(model, {
      nodes: pruned([...shown, ...judgeNodes, ...scoring], [names.scores]),
      constants: e.constants,
      inputs: [...dataInputs, ...inputsOf(fedLearnt)],
      outputs: [scoresInfo],
    }),
    judge,
    carried,
    learnt,
    own: own.map((o) => o.name),
    masks,
    names,
    classes,
    end: recognised.end,
  };
}
