/**
 * Owns the technique deepen (Net2DeeperNet): a new layer that computes the identity, put behind the activation of a layer, as a
 * start for training a deeper network.
 */
import { rng } from '../base/random.ts';
import { text } from '../base/text.ts';
import { attr } from '../ir/attribute.ts';
import { elementCount, isFloat } from '../ir/element-type.ts';
import { GraphEdit } from '../ir/graph-edit.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Node } from '../ir/model.ts';
import { lazyTensor, type Tensor } from '../ir/tensor.ts';
import { numbersTensor, packNumbers } from '../ir/values.ts';
import { type Facts, isNone } from '../ops/declare.ts';
import { opOf } from '../ops/index.ts';
import type { Fit, Rewrite, StepContext, Taken, Technique } from './declare.ts';
import { withInitializers } from './with-initializers.ts';

type Where = Pick<StepContext, 'model' | 'facts'>;

const layerOps: ReadonlySet<string> = new Set(['Conv', 'ConvTranspose', 'Gemm', 'MatMul']);
const isLayer = (node: Node): boolean => node.domain === '' && layerOps.has(node.op);

/** f(f(x)) = f(x): the identity layer's own activation changes nothing (Chen et al. 2016, section 2.3). */
const idempotent: ReadonlySet<string> = new Set(['Relu', 'Clip']);
/** Between a layer and its activation. */
const between: ReadonlySet<string> = new Set(['BatchNormalization', 'Add', 'Sum', 'Identity', 'Dropout']);

interface Place {
  readonly activation: Node;
  readonly facts: Facts;
  readonly channels: number;
  /** Dimensions of the picture; 0: a matrix of features, channels last. */
  readonly spatial: number;
}

/** Where the identity would stand behind this layer, or why it cannot. */
function placeBehind(node: Node, c: Where): Place | string {
  const index = graphIndex(c.model.graph);
  let at = node;
  for (let steps = 0; steps < 8; steps++) {
    const out = at.outputs[0] ?? '';
    const uses = index.uses.get(out) ?? [];
    if (index.outputNames.has(out)) return 'no activation follows: its result leaves the graph';
    const next = uses[0]?.node;
    if (next === undefined || uses.some((u) => u.node !== next || u.input < 0))
      return 'no activation follows: several nodes read its result';
    if (next.domain === '' && idempotent.has(next.op)) return placeAt(node, next, c);
    if (next.domain !== '' || !between.has(next.op))
      return isActivation(next)
        ? `${next.op} follows, and ${next.op} of ${next.op} is not ${next.op}`
        : `no activation follows: ${next.op} reads its result`;
    at = next;
  }
  return 'no activation follows';
}

const isActivation = (node: Node): boolean => {
  const rule = opOf(node)?.quantize;
  return (
    ['Sigmoid', 'Tanh', 'LeakyRelu', 'Elu', 'PRelu', 'Softplus', 'HardSigmoid', 'HardSwish', 'Gelu', 'Mish'].includes(
      node.op,
    ) ||
    (rule !== undefined && !isNone(rule) && rule.role === 'activation')
  );
};

function placeAt(layer: Node, activation: Node, c: Where): Place | string {
  const facts = c.facts.get(activation.outputs[0] ?? '');
  const shape = facts?.shape;
  if (facts === undefined || !shape || facts.elem === null || !isFloat(facts.elem))
    return 'type or shape of its result is unknown';
  const picture = layer.op === 'Conv' || layer.op === 'ConvTranspose';
  const channels = picture ? shape[1] : shape.at(-1);
  if (typeof channels !== 'number') return 'the number of its channels is unknown';
  const spatial = picture ? shape.length - 2 : 0;
  return { activation, facts, channels, spatial };
}

function fits(node: Node, c: Where): Fit {
  if (!isLayer(node))
    return {
      fits: false,
      reason: text(`${node.op} is no layer with channels`, `${node.op}은(는) 채널을 만드는 레이어가 아닙니다`),
    };
  const place = placeBehind(node, c);
  if (typeof place === 'string') return { fits: false, reason: text(place, `뒤에 넣을 수 없음: ${place}`) };
  return { fits: true };
}

interface Identity {
  readonly kernel: number;
  readonly norm: boolean;
  readonly noise: number;
  readonly seed: number;
}

/** W with W[c, c, middle] = 1, and noise of this share of He's deviation on all of it. */
function identityWeight(name: string, place: Place, dims: readonly number[], o: Identity): Tensor {
  const type = place.facts.elem ?? 'float';
  const inner = elementCount(dims.slice(2));
  return lazyTensor(name, type, dims, () => {
    const random = rng(o.seed).fork(`deepen ${name}`);
    const scale = o.noise * Math.sqrt(2 / (place.channels * inner));
    const values = new Float32Array(elementCount(dims));
    if (scale > 0) for (let i = 0; i < values.length; i++) values[i] = random.normal() * scale;
    const middle = (inner - 1) / 2;
    for (let k = 0; k < place.channels; k++) {
      const at = (k * place.channels + k) * inner + middle;
      values[at] = (values[at] ?? 0) + 1;
    }
    return packNumbers(type, values);
  });
}

/** The nodes of the new layer, from `input` to `output`. */
function identityNodes(
  edit: GraphEdit,
  place: Place,
  input: string,
  output: string,
  o: Identity,
  store: (t: Tensor) => string,
): Node[] {
  const { channels, spatial, activation } = place;
  const base = `${activation.name || activation.id}.deeper`;
  const elem = place.facts.elem ?? 'float';
  const filled = (part: string, v: number): string =>
    store(numbersTensor(edit.unique(`${base}.${part}`), elem, [channels], new Array<number>(channels).fill(v)));
  const nodes: Node[] = [];
  const add = (
    op: string,
    inputs: readonly string[],
    part: string,
    attributes: NonNullable<Node['attributes']> = [],
  ): string => {
    const out = edit.unique(part === '' ? base : `${base}.${part}`);
    nodes.push(edit.make({ op, inputs, outputs: [out], attributes }));
    return out;
  };
  const kernel = Array.from({ length: spatial }, () => o.kernel);
  const dims = [channels, channels, ...kernel];
  const weight = store(identityWeight(edit.unique(`${base}.weight`), place, dims, o));
  let x: string;
  if (spatial > 0)
    x = add('Conv', [input, weight, ...(o.norm ? [] : [filled('bias', 0)])], '', [
      attr.ints('kernel_shape', kernel),
      attr.ints(
        'pads',
        [...kernel, ...kernel].map((k) => (k - 1) / 2),
      ),
    ]);
  else if (place.facts.shape?.length === 2)
    x = add('Gemm', [input, weight, filled('bias', 0)], '', [attr.int('transB', 1)]);
  else x = add('Add', [add('MatMul', [input, weight], ''), filled('bias', 0)], 'biased');
  if (o.norm && spatial > 0)
    x = add(
      'BatchNormalization',
      // scale = sqrt(variance + epsilon) undoes the division.
      [x, filled('scale', Math.sqrt(1 + 1e-5)), filled('shift', 0), filled('mean', 0), filled('variance', 1)],
      'norm',
    );
  nodes.push(
    edit.make({
      op: activation.op,
      name: `${base}.activation`,
      inputs: [x, ...activation.inputs.slice(1)],
      outputs: [output],
      attributes: activation.attributes,
    }),
  );
  return nodes;
}

function rewrite(c: StepContext): Rewrite {
  const o: Identity = {
    kernel: Number(c.params.kernel ?? 3),
    norm: c.params.norm === true,
    noise: Number(c.params.noise ?? 0),
    seed: c.seed,
  };
  const edit = new GraphEdit(c.model.graph);
  const added: Tensor[] = [];
  const store = (t: Tensor): string => {
    edit.setInitializer(t);
    added.push(t);
    return t.name;
  };
  const done = new Set<string>();
  const layers = c.selected.filter(isLayer).map((node): Taken => {
    const place = placeBehind(node, c);
    if (typeof place === 'string') return { id: node.id, taken: false, reason: place };
    const { activation, channels } = place;
    const what = `an identity layer of ${channels} channels behind ${activation.name || activation.id}`;
    if (done.has(activation.id)) return { id: node.id, taken: true, what: `${what}, as for another layer` };
    done.add(activation.id);
    // The last activation keeps the value's name, so whoever reads it, a branch or the caller, reads the deeper result.
    const output = activation.outputs[0] ?? '';
    const inner = edit.unique(`${output}.before`);
    const nodes = identityNodes(edit, place, inner, output, o, store);
    edit.replace(activation.id, [{ ...activation, outputs: [inner] }, ...nodes]);
    return { id: node.id, taken: true, what };
  });
  return { model: withInitializers(c.model, edit.done(), added), layers, notes: [] };
}

export const deepen: Technique = {
  id: 'deepen',
  group: 'scale',
  formula: 'W[c, c′, i, j] = 1  if c = c′, (i, j) = (0, 0);  W[c, c′, i, j] = 0  else',
  version: 1,
  title: text('Deepen', '깊게 하기'),
  summary: text(
    'A new layer behind each selected one that starts as the identity, the outputs unchanged: a head start for a deeper network.',
    '선택한 레이어 뒤에 항등 함수로 시작하는 새 레이어를 넣습니다. 출력은 그대로이고, 더 깊은 신경망을 이어서 학습할 수 있습니다.',
  ),
  cites: [
    {
      title: 'Net2Net: Accelerating Learning via Knowledge Transfer',
      authors: 'Chen, Goodfellow, Shlens',
      year: 2016,
      where: 'ICLR 2016, section 2.3, arXiv:1511.05641',
    },
  ],
  params: {
    kernel: {
      kind: 'choice',
      label: text('Kernel', '커널'),
      help: text('Of new convolutions; new fully connected layers have none.', '새 합성곱에만 적용됩니다.'),
      options: [1, 3, 5].map((n) => ({ value: n, label: text(`${n} × ${n}`, `${n} × ${n}`) })),
      default: 3,
    },
    norm: {
      kind: 'switch',
      label: text('With BatchNormalization', '배치 정규화 포함'),
      help: text(
        'Behind new convolutions, starting as the identity.',
        '새 합성곱 뒤에 항등 함수로 시작하는 정규화를 둡니다.',
      ),
      default: false,
    },
    noise: {
      kind: 'number',
      label: text('Noise', '잡음'),
      help: text(
        'Share of the usual random start added to the identity. Above 0 the outputs change a little.',
        '항등 가중치에 더하는 무작위 초깃값의 비율입니다. 0보다 크면 출력이 조금 바뀝니다.',
      ),
      min: 0,
      max: 0.5,
      step: 0.01,
      default: 0,
      unit: 'share',
    },
  },
  exactness: () => 'shape',
  needs: {},
  fits,
  rewrite,
  knobs: ['noise'],
  promises: ['same-io', 'function-preserved'],
  cases: [{ params: {} }, { params: { kernel: 5, norm: true } }, { params: { kernel: 1 } }],
  explain: () =>
    text(
      'The network gets deeper and slower, and answers as before; train it, then prune or distil what it learnt.',
      '신경망이 깊어지고 느려지지만 답은 그대로입니다. 학습시킨 뒤 가지치기나 증류로 다시 줄이세요.',
    ),
  migrations: [],
};
