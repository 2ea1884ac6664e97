/**
 * Owns the technique prune-weights: zeroes the smallest weights and stores what stays in the smallest of three forms.
 * The file shrinks; a dense kernel runs no faster.
 */
import { text } from '../base/text.ts';
import { elementCount, isFloat } from '../ir/element-type.ts';
import { GraphEdit, type NewNode } from '../ir/graph-edit.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model, Node } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';
import { opOf } from '../ops/index.ts';
import type { Fit, Rewrite, StepContext, Taken, Technique } from './declare.ts';
import { estimatedCounts, keptMask, removedCounts, thresholdOf } from './magnitude.ts';
import { smallestForms } from './sparse-choice.ts';
import { prunedBy, type SharedConstants, type StoredForm, sharedTensors } from './sparse-storage.ts';

interface Weight {
  readonly tensor: Tensor;
  /** The Constant node that holds it, where no initializer does. */
  readonly constant?: Node;
}

/** Nodes that only form a weight: the tensor behind them is what is pruned. */
const forming = new Set(['Identity', 'Reshape', 'Transpose', 'Unsqueeze', 'Squeeze', 'Flatten', 'Cast']);

/** The float tensors behind the weight inputs of a node, or why there are none. */
function weightsOf(model: Model, node: Node): { readonly weights: readonly Weight[]; readonly reason: string } {
  const roles = opOf(node)?.parameters ?? {};
  const index = graphIndex(model.graph);
  const weights: Weight[] = [];
  let reason = `${node.op} has no weights`;
  for (const [k, role] of Object.entries(roles)) {
    if (role !== 'weight') continue;
    let value = node.inputs[Number(k)] ?? '';
    let maker = index.producer.get(value);
    while (maker !== undefined && forming.has(maker.op)) {
      value = maker.inputs[0] ?? '';
      maker = index.producer.get(value);
    }
    const tensor = index.initializer.get(value) ?? constantOf(maker);
    if (index.sparseInitializer.has(value)) reason = 'its weight is stored sparse already';
    else if (tensor === undefined)
      reason = maker === undefined ? 'its weight is no constant' : `its weight comes from ${maker.op}`;
    else if (!isFloat(tensor.type) || !['float', 'float16', 'double'].includes(tensor.type))
      reason = `its weight is ${tensor.type}`;
    else if (index.outputNames.has(value)) reason = 'its weight is a graph output';
    else if (elementCount(tensor.dims) < 2) reason = 'its weight has a single element';
    else {
      const named = { ...tensor, name: value };
      weights.push(
        index.initializer.has(value) || maker === undefined ? { tensor: named } : { tensor: named, constant: maker },
      );
    }
  }
  return { weights, reason };
}

function constantOf(node: Node | undefined): Tensor | undefined {
  if (node?.op !== 'Constant') return undefined;
  const found = node.attributes.find((a) => a.name === 'value');
  return found?.kind === 'tensor' ? found.value : undefined;
}

function fits(node: Node, c: Pick<StepContext, 'model'>): Fit {
  const { weights, reason } = weightsOf(c.model, node);
  return weights.length > 0 ? { fits: true } : { fits: false, reason: text(reason, `가중치 없음: ${reason}`) };
}

/** Elements to remove per tensor: its own share, or the smallest of all tensors together. */
function countsOf(c: StepContext, weights: readonly Weight[]): readonly number[] {
  const ratio = Number(c.params.ratio ?? 0);
  const sizes = weights.map((w) => elementCount(w.tensor.dims));
  if (c.params.scope !== 'global') return sizes.map((n) => Math.round(n * ratio));
  const total = Math.round(sizes.reduce((a, b) => a + b, 0) * ratio);
  const tensors = weights.map((w) => w.tensor);
  const { summaries } = c;
  const known = summaries === undefined ? [] : tensors.flatMap((t) => summaries[t.name] ?? []);
  if (known.length === tensors.length) return estimatedCounts(known, total);
  return removedCounts(tensors, thresholdOf(tensors, total));
}

function place(edit: GraphEdit, listed: Set<Tensor>, weight: Weight, form: StoredForm, front: Node[]): void {
  const name = weight.tensor.name;
  if (form.dense !== undefined) {
    const { dense } = form;
    if (weight.constant === undefined) edit.setInitializer(dense);
    else
      edit.updateNodes(
        new Map([
          [
            weight.constant.id,
            { ...weight.constant, attributes: [{ name: 'value', kind: 'tensor', value: { ...dense, name: '' } }] },
          ],
        ]),
      );
    return;
  }
  if (weight.constant === undefined) edit.removeInitializer(name);
  else edit.remove(weight.constant.id);
  if (form.sparse !== undefined) edit.setSparseInitializer(form.sparse);
  for (const t of form.initializers) {
    edit.setInitializer(t);
    listed.add(t);
  }
  front.push(...form.nodes.map((n: NewNode) => edit.make(n)));
}

function rewrite(c: StepContext): Rewrite {
  const found = new Map<string, Weight>();
  const layers: Taken[] = [];
  const byLayer: { node: Node; weights: readonly Weight[] }[] = [];
  for (const node of c.selected) {
    if (!Object.values(opOf(node)?.parameters ?? {}).includes('weight')) continue;
    const { weights, reason } = weightsOf(c.model, node);
    if (weights.length === 0) layers.push({ id: node.id, taken: false, reason });
    else byLayer.push({ node, weights });
    for (const w of weights) if (!found.has(w.tensor.name)) found.set(w.tensor.name, w);
  }
  const weights = [...found.values()];
  const counts = countsOf(c, weights);
  const edit = new GraphEdit(c.model.graph);
  const shared: SharedConstants = {
    shifts: edit.unique('bit_shifts'),
    two: edit.unique('bit_two'),
    flat: edit.unique('bit_flat'),
    axis: edit.unique('bit_axis'),
    one: edit.unique('bit_one'),
    start: edit.unique('bit_start'),
  };
  const front: Node[] = [];
  const listed = new Set<Tensor>();
  const forms = new Map<string, { readonly form: StoredForm; readonly removed: number }>();
  const pruned = weights.map((w, i) => ({
    ...prunedBy(w.tensor, counts[i] ?? 0, keptMask),
    constant: w.constant !== undefined,
  }));
  const chosen = smallestForms(c.model, pruned, shared, (b) => edit.unique(b));
  weights.forEach((w, i) => {
    const removed = counts[i] ?? 0;
    const form = chosen[i];
    if (form === undefined) return;
    forms.set(w.tensor.name, { form, removed });
    place(edit, listed, w, form, front);
  });
  if (front.length > 0)
    for (const t of sharedTensors(shared)) {
      edit.setInitializer(t);
      listed.add(t);
    }
  edit.prepend(front);
  // Before IR 4 every initializer is listed as an input too.
  const inputs = [...listed].map((t) => ({
    name: t.name,
    type: { kind: 'tensor', elem: t.type, shape: t.dims } as const,
  }));
  const graph = edit.done();
  for (const { node, weights: own } of byLayer) layers.push(taken(node, own, forms));
  const order = new Map(c.selected.map((n, i) => [n.id, i]));
  layers.sort((a, b) => (order.get(a.id) ?? 0) - (order.get(b.id) ?? 0));
  return {
    model: {
      ...c.model,
      graph: c.model.irVersion < 4 ? { ...graph, inputs: [...graph.inputs, ...inputs] } : graph,
    },
    layers,
    notes: [
      text(
        'The file gets smaller; zeros in dense kernels still cost time, so do not expect a speed-up.',
        '파일은 작아지지만, 밀집 커널은 0도 계산하므로 속도는 빨라지지 않습니다.',
      ),
    ],
  };
}

const formNames = { dense: 'kept dense', coo: 'stored sparse', bits: 'stored as bit mask' } as const;

function taken(
  node: Node,
  weights: readonly Weight[],
  forms: ReadonlyMap<string, { readonly form: StoredForm; readonly removed: number }>,
): Taken {
  let total = 0;
  let removed = 0;
  const kinds = new Set<string>();
  for (const w of weights) {
    const entry = forms.get(w.tensor.name);
    total += elementCount(w.tensor.dims);
    removed += entry?.removed ?? 0;
    if (entry !== undefined) kinds.add(formNames[entry.form.kind]);
  }
  return { id: node.id, taken: true, what: `${removed} of ${total} weights to zero, ${[...kinds].join(', ')}` };
}

export const pruneWeights: Technique = {
  id: 'prune-weights',
  version: 1,
  title: text('Prune weights', '가중치 가지치기'),
  summary: text(
    'Sets the smallest weights to zero and stores only the rest, where that is smaller.',
    '가장 작은 가중치를 0으로 만들고, 더 작아질 때는 나머지만 저장합니다.',
  ),
  cites: [
    {
      title: 'Learning both Weights and Connections for Efficient Neural Networks',
      authors: 'Han, Pool, Tran, Dally',
      year: 2015,
      where: 'NeurIPS 2015, arXiv:1506.02626',
    },
  ],
  params: {
    ratio: {
      kind: 'number',
      label: text('Share removed', '제거 비율'),
      min: 0,
      max: 1,
      step: 0.01,
      default: 0.5,
      unit: 'share',
    },
    scope: {
      kind: 'choice',
      label: text('Smallest of', '범위'),
      options: [
        { value: 'layer', label: text('each layer', '층마다') },
        { value: 'global', label: text('all selected layers', '선택한 층 전체') },
      ],
      default: 'layer',
    },
  },
  exactness: (params) => (params.scope === 'global' ? 'statistics' : 'shape'),
  // CumSum and BitShift came with opset 11.
  needs: { opset: () => 11 },
  fits,
  rewrite,
  rewriteInside: rewrite,
  knobs: ['ratio'],
  promises: ['same-io', 'same-parameters', 'same-macs', 'smaller-file'],
  cases: [{ params: { ratio: 0.7 } }, { params: { ratio: 0.95, scope: 'global' } }],
  explain: () =>
    text(
      'Saves bytes, not time: dense kernels multiply zeros as well. The mask is unpacked once, when the model loads.',
      '시간이 아니라 용량을 줄입니다. 밀집 커널은 0도 곱합니다. 마스크는 모델을 불러올 때 한 번만 풀립니다.',
    ),
  onPaper: () =>
    text(
      'Zero weights: a dense kernel multiplies them all the same. Prune channels to save time.',
      '0인 가중치: 밀집 커널은 0도 그대로 곱합니다. 시간을 줄이려면 채널을 가지치기하세요.',
    ),
  migrations: [],
};
