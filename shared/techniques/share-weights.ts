/**
 * Owns the technique share-weights: k-means of each weight, stored as indices of 1 to 8 bits and a codebook (Han et al. 2016,
 * section 3). The codebook stays in the graph: training moves the centroids.
 */
import { text } from '../base/text.ts';
import { elementCount } from '../ir/element-type.ts';
import { GraphEdit } from '../ir/graph-edit.ts';
import type { Model, Node } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';
import type { Fit, Rewrite, StepContext, Taken, Technique } from './declare.ts';
import { namesFor } from './names-for.ts';
import type { Names } from './packed-indices.ts';
import { bakeMixture, learnsMixture, methodField, mixtureFields, trainMixture } from './share-mixture.ts';
import { type SharedForm, type Sharing, sharedForm } from './shared-weights.ts';
import { storedBytes } from './sparse-choice.ts';
import { bitForm, prunedSparse, type SharedConstants, sharedTensors } from './sparse-storage.ts';
import { type StoredFloat, storedFloats } from './stored-floats.ts';
import type { ClusterStart } from './weight-clusters.ts';
import { withInitializers } from './with-initializers.ts';

/** Axis of the weight along which channels have codebooks of their own: the output channels of a convolution or product. */
function channelAxis(node: Node, tensor: Tensor): number {
  if (node.op === 'ConvTranspose') return 1;
  if (node.op === 'Gemm') return node.attributes.some((a) => a.name === 'transB' && a.value === 1n) ? 0 : 1;
  return node.op === 'MatMul' ? tensor.dims.length - 1 : 0;
}

function sharingOf(c: StepContext, node: Node, s: StoredFloat): Sharing | string {
  const { bits, start, granularity, block } = c.params;
  const base = { bits: Number(bits ?? 5), start: (start ?? 'linear') as ClusterStart, seed: c.seed };
  if (granularity === 'block') return { ...base, per: { kind: 'block', size: Number(block ?? 256) } };
  if (granularity !== 'channel') return { ...base, per: { kind: 'layer' } };
  if (s.listed) return 'its weight is stored sparse, which has no channels: share it by layer or by block';
  return { ...base, per: { kind: 'axis', axis: channelAxis(node, s.tensor) } };
}

/** A tensor in its new form, or why it stays as it is. */
type Shared = { readonly form: SharedForm; readonly extra: { nodes: SharedForm['nodes']; tensors: readonly Tensor[] } };

class Sharer {
  readonly edit: GraphEdit;
  readonly #c: StepContext;
  readonly #names: (base: string) => Names;
  readonly #outcome = new Map<string, Shared | string>();
  readonly listed = new Set<Tensor>();
  readonly front: Node[] = [];

  constructor(c: StepContext) {
    this.#c = c;
    this.edit = new GraphEdit(c.model.graph);
    this.#names = namesFor(this.edit, 'share');
  }

  /** Puts the tensor's new form in its place; a tensor that several nodes read once. */
  share(node: Node, s: StoredFloat): Shared | string {
    const known = this.#outcome.get(s.name);
    if (known !== undefined) return known;
    const done = this.#form(node, s);
    this.#outcome.set(s.name, done);
    if (typeof done !== 'string') this.#place(s, done);
    return done;
  }

  #form(node: Node, s: StoredFloat): Shared | string {
    const { model } = this.#c;
    const sharing = sharingOf(this.#c, node, s);
    if (typeof sharing === 'string') return sharing;
    const names = this.#names(s.name);
    let tensor = s.tensor;
    const extra: { nodes: SharedForm['nodes']; tensors: readonly Tensor[] } = { nodes: [], tensors: [] };
    if (s.sparse !== undefined) {
      // A sparse initializer holds its values itself; a mask's kept values can be looked up.
      const pruned = prunedSparse(s.name, s.sparse);
      const bits = bitForm(pruned, this.#bitConstants(names), (b) => names.own(`mask_${b}`));
      const [values] = bits.initializers.filter((t) => t.type === tensor.type);
      if (values === undefined) return 'its weight is empty';
      tensor = values;
      extra.nodes = bits.nodes;
      extra.tensors = [...sharedTensors(this.#bitConstants(names)), ...bits.initializers.filter((t) => t !== values)];
    }
    const form = sharedForm(model, tensor, sharing, names, this.#c.runtime);
    const before = storedBytes(model, {
      nodes: [],
      initializers: s.sparse === undefined ? [s.tensor] : [],
      ...(s.sparse === undefined ? {} : { sparse: s.sparse }),
    });
    const after = form.bytes + storedBytes(model, { nodes: extra.nodes, initializers: extra.tensors });
    if (after >= before) return `its weight takes ${before} bytes; indices and codebook would take ${after}`;
    return { form, extra };
  }

  #bitConstants(names: Names): SharedConstants {
    const part = (p: string): string => names.shared(`bit_${p}`);
    return {
      shifts: part('shifts'),
      two: part('two'),
      flat: part('flat'),
      axis: part('axis'),
      one: part('one'),
      start: part('start'),
    };
  }

  #place(s: StoredFloat, { form, extra }: Shared): void {
    if (s.constant === undefined) this.edit.removeInitializer(s.name);
    else this.edit.remove(s.constant.id);
    for (const t of [...extra.tensors, ...form.initializers]) {
      if (this.edit.initializer(t.name) !== undefined) continue;
      this.edit.setInitializer(t);
      this.listed.add(t);
    }
    this.front.push(...[...form.nodes, ...extra.nodes].map((n) => this.edit.make(n)));
  }

  model(): Model {
    this.edit.prepend(this.front);
    return withInitializers(this.#c.model, this.edit.done(), [...this.listed]);
  }
}

function rewrite(c: StepContext): Rewrite {
  const sharer = new Sharer(c);
  const layers = c.selected.flatMap((node): readonly Taken[] => {
    const stored = storedFloats(c.model.graph, c.facts, node);
    if (stored === undefined) return [];
    const { id } = node;
    if (stored.found.length === 0) return [{ id, taken: false, reason: stored.reason }];
    const outcomes = stored.found.map((s) => ({ s, done: sharer.share(node, s) }));
    const taken = outcomes.flatMap(({ s, done }) => (typeof done === 'string' ? [] : [said(s, done)]));
    const [refused] = outcomes.flatMap(({ done }) => (typeof done === 'string' ? [done] : []));
    return taken.length > 0
      ? [{ id, taken: true, what: taken.join('; ') }]
      : [{ id, taken: false, reason: refused ?? stored.reason }];
  });
  return {
    model: sharer.front.length > 0 ? sharer.model() : c.model,
    layers,
    notes: [
      text(
        'Fewer bits may cost accuracy: train afterwards, which moves the shared values.',
        '비트가 적으면 정확도가 떨어질 수 있습니다. 뒤에 학습 단계를 두면 공유된 값이 다시 맞춰집니다.',
      ),
    ],
  };
}

function said(s: StoredFloat, { form }: Shared): string {
  const books = form.groups === 1 ? '' : ` in each of ${form.groups} groups`;
  return `${elementCount(s.tensor.dims)} weights share ${form.entries} values${books}, ${form.bytes} bytes`;
}

function fits(node: Node, c: Pick<StepContext, 'model' | 'facts'>): Fit {
  const stored = storedFloats(c.model.graph, c.facts, node);
  if (stored === undefined)
    return {
      fits: false,
      reason: text(`${node.op} has no weights to share`, `${node.op}에는 공유할 가중치가 없습니다`),
    };
  if (stored.found.length > 0) return { fits: true };
  return { fits: false, reason: text(stored.reason, `공유할 수 없음: ${stored.reason}`) };
}

export const shareWeights: Technique = {
  id: 'share-weights',
  group: 'share',
  formula: 'min Σ_i (w_i − c_k(i))²;  k(i) ∈ {0, …, 2^b − 1}',
  version: 1,
  title: text('Share weights', '가중치 공유'),
  summary: text(
    'Lets the weights of a layer share a few values: each is stored as a short index into a codebook.',
    '층의 가중치들이 몇 개의 값을 함께 쓰게 하고, 각 가중치는 코드북의 짧은 인덱스로 저장합니다.',
  ),
  cites: [
    {
      title: 'Deep Compression: Compressing Deep Neural Networks with Pruning, Trained Quantization and Huffman Coding',
      authors: 'Han, Mao, Dally',
      year: 2016,
      where: 'ICLR 2016, arXiv:1510.00149',
    },
    {
      title: 'Soft Weight-Sharing for Neural Network Compression',
      authors: 'Ullrich, Meeds, Welling',
      year: 2017,
      where: 'ICLR 2017, arXiv:1702.04008',
    },
    {
      title: 'Simplifying Neural Networks by Soft Weight-Sharing',
      authors: 'Nowlan, Hinton',
      year: 1992,
      where: 'Neural Computation 4(4)',
    },
  ],
  params: {
    ...methodField,
    bits: {
      kind: 'number',
      label: text('Bits of an index', '인덱스 비트 수'),
      min: 1,
      max: 8,
      step: 1,
      default: 5,
      integer: true,
      unit: 'bits',
    },
    start: {
      kind: 'choice',
      label: text('First values', '초기값'),
      help: text(
        'Evenly over the range keeps large weights, which matter most; by density follows where most weights are.',
        '범위를 고르게 나누면 중요한 큰 가중치가 살고, 밀도를 따르면 가중치가 많은 곳에 값이 모입니다.',
      ),
      options: [
        { value: 'linear', label: text('evenly over the range', '범위를 고르게') },
        { value: 'density', label: text('by density', '밀도에 따라') },
        { value: 'random', label: text('random weights', '임의의 가중치') },
      ],
      default: 'linear',
      when: { field: 'method', is: ['kmeans'] },
    },
    granularity: {
      kind: 'choice',
      label: text('One codebook per', '코드북 단위'),
      options: [
        { value: 'layer', label: text('layer', '층') },
        { value: 'channel', label: text('output channel', '출력 채널') },
        { value: 'block', label: text('block of neighbours', '이웃한 블록') },
      ],
      default: 'layer',
      when: { field: 'method', is: ['kmeans'] },
    },
    block: {
      kind: 'number',
      label: text('Weights in a block', '블록의 가중치 수'),
      min: 8,
      max: 65536,
      step: 8,
      default: 256,
      integer: true,
      unit: 'count',
      when: { field: 'granularity', is: ['block'] },
    },
    ...mixtureFields,
  },
  validate: (p) =>
    learnsMixture(p) && p.granularity !== 'layer'
      ? text(
          'a mixture has one codebook a layer: granularity layer',
          '혼합 분포는 레이어마다 코드북이 하나입니다: 단위를 레이어로 하세요',
        )
      : undefined,
  exactness: () => 'shape',
  // BitShift came with opset 11.
  needs: { opset: () => 11, training: learnsMixture },
  fits,
  rewrite,
  train: trainMixture,
  latent: (c) => c.model,
  bake: bakeMixture(rewrite),
  knobs: ['bits'],
  promises: ['same-io', 'same-parameters', 'same-macs', 'smaller-file'],
  cases: [
    { params: { bits: 4 } },
    { params: { bits: 5, start: 'density' } },
    { params: { bits: 2, granularity: 'channel', start: 'random' } },
    { params: { bits: 3, granularity: 'block', block: 64 } },
    { params: { bits: 7 } },
    { params: { method: 'mixture', bits: 4 } },
  ],
  explain: () =>
    text(
      'Saves bytes, not time: the weights are looked up once, when the model loads, and run as plain floats. Packed by "pack", frequent indices take fewer bits still.',
      '시간이 아니라 용량을 줄입니다. 가중치는 모델을 불러올 때 한 번 복원되고 보통의 실수로 실행됩니다. "pack"으로 묶으면 자주 쓰이는 인덱스는 더 짧아집니다.',
    ),
  onPaper: () =>
    text(
      'Shared weights: looked up once when the model loads, then multiplied as floats.',
      '공유 가중치: 모델을 불러올 때 한 번 복원된 뒤 실수로 곱합니다.',
    ),
  migrations: [],
};
