/** Owns the technique factorize: a layer's weight as a product of smaller ones, the layer as two to four cheaper layers. */
import { measureFigures } from '../analysis/measure-figures.ts';
import { Fault } from '../base/fault.ts';
import { type Text, text } from '../base/text.ts';
import { intAttr } from '../ir/attribute.ts';
import { elementTypes, isFloat } from '../ir/element-type.ts';
import { GraphEdit } from '../ir/graph-edit.ts';
import { graphIndex } from '../ir/graph-index.ts';
import { fixedDims, type Model, type Node, opsetVersion } from '../ir/model.ts';
import { lazyTensor, type Tensor } from '../ir/tensor.ts';
import { packNumbers, toNumbers } from '../ir/values.ts';
import { constantValue } from '../transforms/constant-values.ts';
import { chosenShapes } from './channel-amounts.ts';
import type { Fit, Rewrite, StepContext, Taken, Technique } from './declare.ts';
import { type FactorForm, rankKeeping, rankWithin } from './factor-form.ts';
import { type Area, channelForm, matrixForm, spatialForm } from './factor-matrix.ts';
import { cpForm, tuckerForm } from './factor-tensor.ts';
import { factorizeCites, factorizeParams } from './factorize-params.ts';
import { meetGoal } from './meet-goal.ts';

const linear = new Set(['Conv', 'Gemm', 'MatMul']);
const isLinear = (n: Node): boolean => linear.has(n.op) && (n.domain === '' || n.domain === 'ai.onnx');

/** More nodes and names cost about this much in the file. */
const overheadBytes = 1200;

type Context = Pick<StepContext, 'model' | 'facts' | 'seed'>;

interface Layer {
  readonly node: Node;
  readonly weight: Tensor;
  readonly form: FactorForm;
}

function formOf(c: Context, node: Node, weight: Tensor, method: string): FactorForm | string {
  const linearWeight = { node, dims: weight.dims, values: () => toNumbers(weight) };
  const [x, y] = [c.facts.get(node.inputs[0] ?? '')?.shape, c.facts.get(node.outputs[0] ?? '')?.shape];
  if (node.op !== 'Conv') {
    if (weight.dims.length !== 2) return 'its weight is no matrix';
    if (node.op === 'Gemm' && intAttr(node, 'transA', 0) === 1 && (opsetVersion(c.model) ?? 0) < 11)
      return 'a transposed input needs opset 11';
    const out = fixedDims(y);
    return matrixForm(linearWeight, out === undefined ? null : out.slice(0, -1).reduce((a, b) => a * b, 1));
  }
  const area: Area = { input: fixedDims(x?.slice(2)) ?? null, output: fixedDims(y?.slice(2)) ?? null };
  const kernel = weight.dims.slice(2);
  const group = intAttr(node, 'group', 1);
  if (kernel.every((k) => k === 1)) return channelForm(linearWeight, area);
  switch (method) {
    case 'channel':
      return channelForm(linearWeight, area);
    case 'spatial':
      if (kernel.length !== 2) return 'spatial factors need two spatial axes';
      return kernel.includes(1) ? 'its kernel is one wide already' : spatialForm(linearWeight, area);
    case 'tucker':
      return group > 1 ? 'its channels are grouped: take channel or spatial factors' : tuckerForm(linearWeight, area);
    default:
      if (kernel.length !== 2) return 'CP factors here need two spatial axes';
      return group > 1
        ? 'its channels are grouped: take channel or spatial factors'
        : cpForm(linearWeight, area, c.seed);
  }
}

function layerOf(c: Context, node: Node, method: string): Layer | string {
  const index = graphIndex(c.model.graph);
  const name = node.inputs[1] ?? '';
  const value = constantValue(c.model.graph, name);
  if (value === undefined) return 'its weight is not a constant, or is stored in a compressed form';
  if (value.uniform !== undefined) return 'its weight is one number throughout';
  const { tensor } = value;
  if (!isFloat(tensor.type) || !['float', 'double', 'float16'].includes(tensor.type))
    return `its weight is ${tensor.type}`;
  if ((index.uses.get(name)?.length ?? 0) > 1 || index.outputNames.has(name)) return 'its weight has another reader';
  const form = formOf(c, node, tensor, method);
  if (typeof form === 'string') return form;
  if (rankWithin(form, form.full.weights, null) === undefined) return 'even rank 1 would cost no less than the layer';
  return { node, weight: tensor, form };
}

const saves = ({ weight, form }: Layer, rank: number): boolean =>
  ((form.full.weights - form.cost(rank).weights) * elementTypes[weight.type].bits) / 8 > overheadBytes;

function rankAt(layer: Layer, ratio: number): number | undefined {
  const { form } = layer;
  const rank = rankWithin(form, form.full.weights * (1 - ratio), null);
  return rank === undefined || !saves(layer, rank) ? undefined : rank;
}

/** Rank by energy, from the weights; where they are not here (the screen), as if singular values were all alike. */
function rankBy(layer: Layer, energy: number): number | undefined {
  try {
    const rank = rankKeeping(layer.form, energy);
    return rank === undefined || !saves(layer, rank) ? undefined : rank;
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === 'no-data') return rankAt(layer, 1 - energy);
    throw thrown;
  }
}

function rankedModel(c: Context, ranks: ReadonlyMap<Layer, number | undefined>): Model {
  const edit = new GraphEdit(c.model.graph);
  const made: Tensor[] = [];
  for (const [{ node, weight, form }, rank] of ranks) {
    if (rank === undefined) continue;
    const stages = form.stages(rank);
    let at = node.inputs[0] ?? '';
    const nodes = stages.map((s, k): Node => {
      const last = k === stages.length - 1;
      const name = edit.unique(`${node.inputs[1]}_${form.name}${k + 1}`);
      const tensor = lazyTensor(name, weight.type, s.dims, () => packNumbers(weight.type, s.values()));
      edit.setInitializer(tensor);
      made.push(tensor);
      const inputs = [at, name];
      if (last) return { ...node, op: s.op, inputs: [...inputs, ...node.inputs.slice(2)], attributes: s.attributes };
      at = edit.unique(`${node.outputs[0]}_${form.name}${k + 1}`);
      const base = `${node.name || node.id}_${form.name}${k + 1}`;
      return edit.make({ op: s.op, name: base, inputs, outputs: [at], attributes: s.attributes });
    });
    edit.replace(node.id, nodes);
  }
  // Before IR 4 every initializer is listed as an input too.
  if (c.model.irVersion < 4)
    edit.setInputs([
      ...c.model.graph.inputs,
      ...made.map((t) => ({ name: t.name, type: { kind: 'tensor', elem: t.type, shape: t.dims } as const })),
    ]);
  edit.removeUnused();
  return { ...c.model, graph: edit.done() };
}

/** Ranks so that a figure of the whole model comes down to a share; undefined where that cannot be. */
function ranksForGoal(c: Context, layers: readonly Layer[], goal: 'macs' | 'parameters', share: number) {
  const shapes = chosenShapes(c);
  const whole = measureFigures(c.model, shapes)[goal];
  if (whole === null) return undefined;
  return meetGoal<Layer, number | undefined>({
    items: layers,
    at: (t) => new Map(layers.map((l) => [l, t === 0 ? undefined : rankAt(l, t)])),
    same: (a, b) => a === b,
    meets: (ranks) =>
      (measureFigures(rankedModel(c, ranks), shapes)[goal] ?? Number.POSITIVE_INFINITY) <= whole * (1 - share),
  });
}

function fits(node: Node, c: Context): Fit {
  const layer = isLinear(node) ? layerOf(c, node, 'channel') : `${node.op} has no weight matrix`;
  if (typeof layer !== 'string') return { fits: true };
  return { fits: false, reason: text(layer, `분해할 수 없음: ${layer}`) };
}

function findings(ranks: ReadonlyMap<Layer, number | undefined>): readonly Text[] {
  const errors = [...ranks].flatMap(([{ node, form }, rank]) =>
    rank === undefined ? [] : [{ id: node.id, error: form.error(rank) }],
  );
  if (errors.length === 0) return [];
  const worst = [...errors].sort((a, b) => b.error - a.error).slice(0, 3);
  const list = worst.map((e) => `${e.id} ${(e.error * 100).toFixed(1)} %`).join(', ');
  return [
    text(
      `Error of the weights (relative, Frobenius), largest first: ${list}.`,
      `가중치 오차(상대, 프로베니우스), 큰 순서: ${list}.`,
    ),
  ];
}

function rewrite(c: StepContext): Rewrite {
  const method = String(c.params.convolution ?? 'channel');
  const [by, ratio] = [c.params.by, Number(c.params.ratio ?? 0.5)];
  const entries = c.selected.filter(isLinear).map((node) => ({ node, layer: layerOf(c, node, method) }));
  const layers = entries.flatMap(({ layer }) => (typeof layer === 'string' ? [] : [layer]));
  const goal = by === 'macs' || by === 'parameters' ? ranksForGoal(c, layers, by, ratio) : undefined;
  const unmet = (by === 'macs' || by === 'parameters') && goal === undefined;
  const each = (l: Layer): number | undefined =>
    by === 'energy' ? rankBy(l, Number(c.params.energy ?? 0.9)) : rankAt(l, unmet ? 1 : ratio);
  const ranks = goal ?? new Map(layers.map((l) => [l, each(l)]));
  const taken = entries.map(({ node, layer }): Taken => {
    if (typeof layer === 'string') return { id: node.id, taken: false, reason: layer };
    const rank = ranks.get(layer);
    return rank === undefined
      ? { id: node.id, taken: false, reason: 'at this rank the factors cost no less than the layer' }
      : { id: node.id, taken: true, what: layer.form.words(rank) };
  });
  return {
    model: [...ranks.values()].some((r) => r !== undefined) ? rankedModel(c, ranks) : c.model,
    layers: taken,
    notes: unmet
      ? [
          text(
            'The goal is out of reach or cannot be counted: all layers go as far as they can.',
            '목표에 도달할 수 없거나 계산할 수 없어, 모든 층을 가능한 만큼 줄였습니다.',
          ),
        ]
      : [],
    findings: () => findings(ranks),
  };
}

export const factorize: Technique = {
  id: 'factorize',
  group: 'factorize',
  formula: 'W ≈ U_r · Σ_r · V_rᵀ;  m·n → r·(m + n)',
  version: 1,
  title: text('Factorise', '저랭크 분해'),
  summary: text(
    'Writes a layer as several thinner ones whose product is closest to it.',
    '한 층을 곱이 가장 비슷한 더 얇은 여러 층으로 나눕니다.',
  ),
  cites: factorizeCites,
  params: factorizeParams,
  validate: (params) =>
    params.by === 'energy' && params.convolution === 'cp'
      ? text(
          'the energy of CP factors is known only after a fit: give a share removed',
          'CP 분해의 에너지는 맞춰 본 뒤에야 알 수 있습니다. 제거 비율을 정하세요',
        )
      : undefined,
  exactness: (params) => (params.by === 'energy' ? 'statistics' : 'shape'),
  needs: {},
  fits,
  rewrite,
  knobs: ['ratio'],
  promises: ['same-io', 'fewer-parameters', 'fewer-macs', 'smaller-file'],
  cases: [
    { params: { ratio: 0.5 } },
    { params: { ratio: 0.3, convolution: 'spatial' } },
    { params: { ratio: 0.4, convolution: 'tucker' } },
    { params: { ratio: 0.6, convolution: 'cp' } },
    { params: { by: 'energy', energy: 0.8 } },
    { params: { by: 'macs', ratio: 0.2 } },
    { params: { by: 'parameters', ratio: 0.3, convolution: 'spatial' } },
  ],
  explain: () =>
    text(
      'Fewer multiplications, but more and thinner layers: time falls less than MACs, most for large layers.',
      '곱셈은 줄지만 층이 얇아지고 많아져 시간은 MAC만큼 줄지 않습니다. 큰 층일수록 효과가 큽니다.',
    ),
  migrations: [],
};
