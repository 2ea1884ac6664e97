/** Owns the technique fold-batchnorm: normalisations, and constant scales and shifts, folded into the layer before them. */
import { text } from '../base/text.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model, Node } from '../ir/model.ts';
import { linearLayer } from '../transforms/channel-scaling.ts';
import { foldBatchnorm as foldNorms } from '../transforms/fold-batchnorm.ts';
import { foldScaleShift } from '../transforms/fold-scale-shift.ts';
import { inTurn } from '../transforms/transform.ts';
import type { Fit, Rewrite, StepContext, Taken, Technique } from './declare.ts';

const norms = new Set(['BatchNormalization']);
const shifts = new Set(['Add', 'Sub', 'Mul']);

/** Why a normalisation stays. */
function whyNot(model: Model, node: Node): string {
  const index = graphIndex(model.graph);
  const x = node.inputs[0] ?? '';
  const maker = index.producer.get(x);
  if (maker === undefined || linearLayer(model.graph, maker) === undefined)
    return 'no convolution or matrix product with constant weights before it';
  if ((index.uses.get(x)?.length ?? 0) > 1 || index.outputNames.has(x)) return 'its input has another reader';
  if (maker.op === 'MatMul') return 'the product before it is not known to be a plain matrix';
  return 'it is in training form, or its numbers are no constants';
}

/** A constant on one side and a linear layer on the other: worth saying why it stays. */
function isShift(c: Pick<StepContext, 'model' | 'facts'>, node: Node): boolean {
  if (!shifts.has(node.op)) return false;
  const { producer } = graphIndex(c.model.graph);
  const data = node.inputs.find((i) => c.facts.get(i)?.constant !== true) ?? '';
  const maker = producer.get(data);
  const constant = node.inputs.some((i) => c.facts.get(i)?.constant === true);
  return constant && maker !== undefined && linearLayer(c.model.graph, maker) !== undefined;
}

const candidate = (c: Pick<StepContext, 'model' | 'facts'>, node: Node, withShifts: boolean): boolean =>
  norms.has(node.op) || (withShifts && isShift(c, node));

interface Folded {
  readonly model: Model;
  readonly gone: ReadonlySet<string>;
}

function folded(c: Pick<StepContext, 'model' | 'facts'>, chosen: ReadonlySet<string>): Folded {
  const of = (node: Node): boolean => chosen.has(node.id);
  const shape = (value: string) => c.facts.get(value)?.shape;
  const gone = new Set<string>();
  let model = c.model;
  for (;;) {
    const done = inTurn(model, [(m) => foldNorms(m, { of, shape }), (m) => foldScaleShift(m, { of, shape })]);
    if (done.changes.length === 0) return { model, gone };
    for (const id of done.changes) gone.add(id);
    model = done.model;
  }
}

function fits(node: Node, c: Pick<StepContext, 'model' | 'facts'>): Fit {
  if (!candidate(c, node, true))
    return {
      fits: false,
      reason: text(
        `${node.op} is no normalisation or constant shift`,
        `${node.op}은(는) 정규화나 상수 이동이 아닙니다`,
      ),
    };
  if (folded(c, new Set([node.id])).gone.size > 0) return { fits: true };
  const reason = whyNot(c.model, node);
  return { fits: false, reason: text(reason, `합칠 수 없음: ${reason}`) };
}

function rewrite(c: StepContext): Rewrite {
  const candidates = c.selected.filter((n) => candidate(c, n, c.params.shifts !== false));
  const { model, gone } = folded(c, new Set(candidates.map((n) => n.id)));
  const { producer } = graphIndex(c.model.graph);
  const layers = candidates.map((n): Taken => {
    if (!gone.has(n.id)) return { id: n.id, taken: false, reason: whyNot(c.model, n) };
    const maker = n.inputs.map((i) => producer.get(i)).find((m) => m !== undefined && m.op !== 'Constant');
    return { id: n.id, taken: true, what: `folded into ${maker?.id ?? 'the layer before it'}` };
  });
  return { model, layers, notes: [] };
}

export const foldBatchnorm: Technique = {
  id: 'fold-batchnorm',
  group: 'clean-up',
  formula: 'W′ = γ·W / √(σ² + ε);  b′ = γ·(b − μ) / √(σ² + ε) + β',
  version: 1,
  title: text('Fold batch normalisation', '배치 정규화 합치기'),
  summary: text(
    'Puts each normalisation into the weights and bias of the layer before it. The answers stay the same.',
    '정규화를 바로 앞 층의 가중치와 편향에 합칩니다. 결과는 그대로입니다.',
  ),
  cites: [
    {
      title: 'Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference',
      authors: 'Jacob, Kligys, Chen, Zhu, Tang, Howard, Adam, Kalenichenko',
      year: 2018,
      where: 'CVPR 2018, equation 14, arXiv:1712.05877',
    },
  ],
  params: {
    shifts: {
      kind: 'switch',
      label: text('Constant scales and shifts too', '상수 배율과 이동도 포함'),
      help: text('Add, Sub and Mul with a constant per channel.', '채널별 상수를 더하거나 빼거나 곱하는 연산입니다.'),
      default: true,
    },
  },
  exactness: () => 'shape',
  needs: { opset: () => 7 },
  fits,
  rewrite,
  knobs: [],
  promises: ['same-io', 'same-macs', 'function-preserved'],
  cases: [{ params: {} }, { params: { shifts: false } }],
  explain: () =>
    text(
      'One pass over memory less per layer. The runtime often does this itself on loading; the smaller file is yours either way.',
      '층마다 메모리 접근이 한 번 줄어듭니다. 런타임이 직접 하기도 하지만, 파일은 어느 쪽이든 작아집니다.',
    ),
  migrations: [],
};
