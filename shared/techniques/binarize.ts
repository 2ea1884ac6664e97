/**
 * Owns the technique binarize: weights of one bit, with one scale a filter, or weights and activations (Rastegari et al. 2016).
 * Trained through latent float weights by the straight-through estimator; stored as bits.
 */
import { text } from '../base/text.ts';
import { GraphEdit } from '../ir/graph-edit.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model, Node } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';
import { type BinaryInput, binaryInput, inputRefusal } from './binary-inputs.ts';
import { latentBinary, storedBinary } from './binary-weights.ts';
import { copyValues } from './copy-values.ts';
import type { Fit, Rewrite, StepContext, Taken, Technique, TrainRequest } from './declare.ts';
import { epochs, learningRate } from './field-parts.ts';
import { namesFor } from './names-for.ts';
import { type QuantLayer, quantLayer } from './quantize-layers.ts';
import { storedBytes } from './sparse-choice.ts';
import { withInitializers } from './with-initializers.ts';

const layerOf = (node: Node, c: Pick<StepContext, 'model' | 'facts'>): QuantLayer | string | undefined => {
  const layer = quantLayer(c.model, c.facts, node, true, 'storage');
  if (typeof layer !== 'object') return layer;
  if (layer.weight.uniform !== undefined) return 'its weight is one repeated value';
  if (layer.weight.tensor.dims.length < 2) return 'its weight has no filters';
  return node.op === 'FusedConv' ? 'FusedConv is a runtime’s own node' : layer;
};

/** First and last layer with weights, in the order of the graph. */
function ends(c: Pick<StepContext, 'model' | 'facts'>): ReadonlySet<string> {
  const layers = graphIndex(c.model.graph).order.filter((n) => typeof layerOf(n, c) === 'object');
  return new Set([layers[0], layers.at(-1)].flatMap((n) => (n === undefined ? [] : [n.id])));
}

const binaryInputs = (c: StepContext): boolean => c.params.mode === 'weights-activations';

type Chosen = { readonly node: Node; readonly layer: QuantLayer };

/** Selected layers that can be taken, and the reasons of those that cannot. */
function chosen(c: StepContext): { readonly layers: readonly Chosen[]; readonly refused: readonly Taken[] } {
  const kept = c.params.ends === true ? new Set<string>() : ends(c);
  const layers: Chosen[] = [];
  const refused: Taken[] = [];
  for (const node of c.selected) {
    const layer = layerOf(node, c);
    if (layer === undefined) continue;
    const { id } = node;
    const reason =
      typeof layer === 'string'
        ? layer
        : kept.has(id)
          ? 'the first and the last layer stay float, which accuracy depends on most'
          : binaryInputs(c)
            ? inputRefusal(node, c.facts.get(node.inputs[0] ?? ''))
            : undefined;
    if (reason !== undefined || typeof layer === 'string') refused.push({ id, taken: false, reason: reason ?? '' });
    else layers.push({ node, layer });
  }
  return { layers, refused };
}

interface Built {
  readonly model: Model;
  readonly layers: readonly Taken[];
}

/** The model with its layers' weights binary: latent, to be trained, or stored as bits. Same names in both. */
function built(c: StepContext, form: 'latent' | 'stored'): Built {
  const { layers, refused } = chosen(c);
  const edit = new GraphEdit(c.model.graph);
  const name = namesFor(edit, 'binary');
  const said: Taken[] = [...refused];
  const listed: Tensor[] = [];
  const add = (tensors: readonly Tensor[]): void => {
    for (const t of tensors) {
      if (edit.initializer(t.name) !== undefined) continue;
      edit.setInitializer(t);
      listed.push(t);
    }
  };
  /** Weight -> what its layers read now; a weight that several read is made once. */
  const made = new Map<string, string>();
  for (const { node, layer } of layers) {
    const { tensor } = layer.weight;
    const around = binaryInputs(c) ? inputOf(c, node, layer, name(node.outputs[0] ?? node.id)) : undefined;
    const names = name(tensor.name);
    const output = made.get(tensor.name) ?? names.own('decoded');
    const stored = storedBinary(c.model, layer, names, output, c.runtime);
    const gain =
      storedBytes(c.model, { nodes: [], initializers: [tensor] }) - stored.bytes - extraBytes(c.model, around);
    if (gain <= 0) {
      said.push({ id: node.id, taken: false, reason: `bits, scales and nodes would take ${-gain} bytes more` });
      continue;
    }
    const parts = form === 'stored' ? stored : latentBinary(c.model, layer, names, output);
    const first = made.has(tensor.name) ? [] : parts.nodes.map((n) => edit.make(n));
    if (!made.has(tensor.name)) add(parts.initializers);
    made.set(tensor.name, output);
    if (around !== undefined) add(around.initializers);
    const before = (around?.before ?? []).map((n) => edit.make(n));
    const after = (around?.after ?? []).map((n) => edit.make(n));
    const inputs = node.inputs.map((i, k) => (k === 0 ? (around?.input ?? i) : i === tensor.name ? output : i));
    const outputs = around === undefined ? node.outputs : [around.raw, ...node.outputs.slice(1)];
    edit.replace(node.id, [...first, ...before, { ...node, inputs, outputs }, ...after]);
    said.push({
      id: node.id,
      taken: true,
      what: `one bit a weight, ${layer.channels} scales${around === undefined ? '' : ', binary input'}`,
    });
  }
  edit.removeUnused();
  const order = new Map(c.selected.map((n, i) => [n.id, i]));
  said.sort((a, b) => (order.get(a.id) ?? 0) - (order.get(b.id) ?? 0));
  return { model: made.size === 0 ? c.model : withInitializers(c.model, edit.done(), listed), layers: said };
}

function inputOf(
  c: StepContext,
  node: Node,
  layer: QuantLayer,
  names: ReturnType<ReturnType<typeof namesFor>>,
): BinaryInput | undefined {
  const facts = c.facts.get(node.inputs[0] ?? '');
  return facts === undefined ? undefined : binaryInput(c.model, node, facts, layer.weight.tensor.dims.slice(2), names);
}

const extraBytes = (model: Model, around: BinaryInput | undefined): number =>
  around === undefined
    ? 0
    : storedBytes(model, { nodes: [...around.before, ...around.after], initializers: around.initializers });

function rewrite(c: StepContext): Rewrite {
  const { model, layers } = built(c, 'stored');
  return {
    model,
    layers,
    notes: [
      text(
        'Binary layers are trained from latent float weights; untrained, they answer much worse.',
        '이진 층은 숨은 실수 가중치로 학습합니다. 학습하지 않으면 정확도가 크게 떨어집니다.',
      ),
    ],
  };
}

function train(c: StepContext): TrainRequest {
  const { params } = c;
  return {
    layers: built(c, 'latent').model.graph.nodes.map((n) => n.id),
    epochs: Number(params.epochs ?? 20),
    batch: 64,
    optimizer: 'adam',
    learningRate: Number(params.learningRate ?? 0.001),
    momentum: 0.9,
    weightDecay: 0,
    schedule: 'cosine',
    augment: true,
    // The start is the float model bluntly cut to bits, or one whose normalisation has seen nothing.
    keep: 'best',
  };
}

/** Trained values into the model as it entered, cut to bits, and those of the nodes that came with it. */
function bake(trained: Model, c: StepContext): Model {
  const stored = built({ ...c, model: copyValues(trained, c.model) }, 'stored').model;
  return copyValues(trained, stored);
}

function fits(node: Node, c: Pick<StepContext, 'model' | 'facts'>): Fit {
  const layer = layerOf(node, c);
  if (layer === undefined)
    return {
      fits: false,
      reason: text(`${node.op} has no weights to binarize`, `${node.op}에는 이진화할 가중치가 없습니다`),
    };
  if (typeof layer === 'object') return { fits: true };
  return { fits: false, reason: text(layer, `이진화할 수 없음: ${layer}`) };
}

export const binarize: Technique = {
  id: 'binarize',
  group: 'quantize',
  formula: 'W ≈ α · sign(W);  α = ‖W‖₁ / n',
  version: 1,
  title: text('Binarize', '이진화'),
  summary: text(
    'Keeps only the sign of each weight, one bit, and a scale per filter; on request the layer’s input too.',
    '가중치마다 부호 1비트와 필터별 스케일만 남깁니다. 원하면 층의 입력도 이진화합니다.',
  ),
  cites: [
    {
      title: 'XNOR-Net: ImageNet Classification Using Binary Convolutional Neural Networks',
      authors: 'Rastegari, Ordonez, Redmon, Farhadi',
      year: 2016,
      where: 'ECCV 2016, arXiv:1603.05279',
    },
    {
      title: 'Binarized Neural Networks',
      authors: 'Courbariaux, Hubara, Soudry, El-Yaniv, Bengio',
      year: 2016,
      where: 'arXiv:1602.02830',
    },
  ],
  params: {
    mode: {
      kind: 'choice',
      label: text('Binary', '이진화 대상'),
      options: [
        { value: 'weights', label: text('weights', '가중치') },
        { value: 'weights-activations', label: text('weights and activations', '가중치와 활성값') },
      ],
      default: 'weights',
    },
    ends: {
      kind: 'switch',
      label: text('First and last layer too', '첫 층과 마지막 층도'),
      default: false,
    },
    epochs: { ...epochs, default: 20 },
    learningRate: { ...learningRate, max: 1, step: 0.0005, default: 0.001 },
  },
  exactness: () => 'shape',
  // BitShift came with opset 11; the training needs a normalisation with statistics of its own.
  needs: { training: true, opset: () => 11 },
  fits,
  rewrite,
  train,
  latent: (c) => built(c, 'latent').model,
  bake,
  knobs: ['epochs'],
  promises: ['same-io', 'smaller-file'],
  cases: [{ params: {} }, { params: { mode: 'weights-activations' } }, { params: { ends: true } }],
  explain: (p) =>
    p.mode === 'weights-activations'
      ? text(
          'The file holds one bit a weight. The 58 times speed of XNOR-Net belongs to kernels that multiply by XNOR and count bits: ONNX Runtime has none, and computes these layers in float. "npm run bench xnor" measures such a kernel.',
          '파일에는 가중치당 1비트만 저장됩니다. XNOR-Net의 58배 속도는 XNOR와 비트 수 세기로 곱하는 커널의 것입니다. ONNX Runtime에는 그런 커널이 없어 이 층들도 실수로 계산합니다. "npm run bench xnor"가 그런 커널을 측정합니다.',
        )
      : text(
          'The file holds one bit a weight, up to 32 times smaller. Weights are unpacked once, when the model loads: speed stays as in float.',
          '파일에는 가중치당 1비트만 저장되어 최대 32배 작아집니다. 가중치는 모델을 불러올 때 한 번 풀리므로 속도는 실수와 같습니다.',
        ),
  onPaper: () =>
    text(
      'One-bit weights: float kernels multiply them as floats. Only XNOR kernels would gain time.',
      '1비트 가중치: 실수 커널은 실수로 곱합니다. XNOR 커널에서만 빨라집니다.',
    ),
  migrations: [],
};
