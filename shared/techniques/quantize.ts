/** Owns the technique quantize: 8-bit static (QDQ) and dynamic, weight-only from 2 to 8 bits. */

import type { FieldValues } from '../base/fields.ts';
import { type Text, text } from '../base/text.ts';
import type { Model, Node } from '../ir/model.ts';
import type { CalibrationRequest, Rewrite, StepContext, Taken, Technique } from './declare.ts';
import { dynamicRefusal, dynamicRewrite } from './quantize-dynamic.ts';
import { fallbackTrials, hasFloor, withFallback } from './quantize-fallback.ts';
import { computesIn8Bits, foldedForQuantization, type QuantLayer, quantLayer } from './quantize-layers.ts';
import { type QuantPlan, quantPlan, rangedValues } from './quantize-plan.ts';
import { StaticRewrite } from './quantize-static.ts';
import { storeWeights } from './quantize-weights.ts';

const eightBits = { bits: 8, block: 0 };

interface Planned {
  readonly model: Model;
  readonly plan: QuantPlan;
}

function planned(c: StepContext): Planned {
  const model = foldedForQuantization(c);
  return { model, plan: quantPlan(model, c) };
}

/** The values whose ranges the step needs, by the names of the model as it enters the step. */
function calibrationOf(c: StepContext): CalibrationRequest | undefined {
  if (c.params.mode !== 'static') return undefined;
  const { plan } = planned(c);
  // Where layers may fall back to float, any planned value may come to be the root of a grid.
  const values = hasFloor(c.params) ? [...plan.values.keys()] : rangedValues(plan);
  if (values.length === 0) return undefined;
  const method = c.params.calibration as CalibrationRequest['method'];
  return { values, method, samples: Number(c.params.samples ?? 128) };
}

function rewriteStatic(c: StepContext): Rewrite {
  const { model, plan } = planned(c);
  const layers = outcome(c, plan.refused, [...plan.layers.keys(), ...plan.stored.keys()], (id) => {
    const layer = plan.layers.get(id) ?? plan.stored.get(id);
    const scales = layer?.axis === undefined ? 'one scale' : `${layer.channels} scales`;
    return `8-bit weight, ${scales}${plan.stored.has(id) ? ', decoded at load: no 8-bit kernel' : ''}`;
  });
  if (plan.layers.size + plan.stored.size === 0) return { model: c.model, layers, notes: [] };
  const rewrite = new StaticRewrite(model, plan, c.ranges, c.params.symmetric === true);
  return { model: storeWeights(rewrite.run(), plan.stored, eightBits), layers, notes: staticNotes(plan) };
}

/** The selected nodes as layers, and what cannot be taken. */
function split(
  c: StepContext,
  model: Model,
  take: (node: Node) => QuantLayer | string | undefined,
): { readonly layers: ReadonlyMap<string, QuantLayer>; readonly refused: readonly { id: string; reason: string }[] } {
  const chosen = new Set(c.selected.map((n) => n.id));
  const layers = new Map<string, QuantLayer>();
  const refused: { id: string; reason: string }[] = [];
  for (const node of model.graph.nodes) {
    if (!chosen.has(node.id)) continue;
    const layer = take(node);
    if (typeof layer === 'string') refused.push({ id: node.id, reason: layer });
    else if (layer !== undefined) layers.set(node.id, layer);
  }
  return { layers, refused };
}

function rewriteDynamic(c: StepContext): Rewrite {
  const model = foldedForQuantization(c);
  const { layers, refused } = split(c, model, (node) => {
    const layer = quantLayer(model, c.facts, node, c.params.perChannel === true);
    return typeof layer === 'object' && computesIn8Bits(layer) ? (dynamicRefusal(layer) ?? layer) : layer;
  });
  const [computed, stored] = [true, false].map(
    (which) => new Map([...layers].filter(([, layer]) => computesIn8Bits(layer) === which)),
  );
  const taken = outcome(c, refused, [...layers.keys()], (id) =>
    stored?.has(id) ? '8-bit weight, decoded at load: no 8-bit kernel' : 'integer product, ranges found on every run',
  );
  if (computed === undefined || stored === undefined || layers.size === 0)
    return { model: c.model, layers: taken, notes: [] };
  const slow = [...computed.values()].some((l) => l.node.op === 'Conv');
  const notes = slow
    ? [
        text(
          'ConvInteger is slower than a float convolution on many processors: the file shrinks, the time may grow.',
          'ConvInteger는 많은 프로세서에서 float 합성곱보다 느립니다. 파일은 작아지지만 시간은 늘 수 있습니다.',
        ),
      ]
    : [];
  return { model: storeWeights(dynamicRewrite(model, computed), stored, eightBits), layers: taken, notes };
}

function rewriteWeights(c: StepContext): Rewrite {
  const storage = { bits: Number(c.params.bits), block: Number(c.params.block) };
  const { layers, refused } = split(c, c.model, (node) => {
    const layer = quantLayer(c.model, c.facts, node, c.params.perChannel === true, 'storage');
    if (typeof layer !== 'object' || layer.weight.uniform === undefined) return layer;
    return 'its weight is one repeated value, which the file holds once';
  });
  const taken = outcome(c, refused, [...layers.keys()], () => `${storage.bits}-bit weight, decoded at load`);
  if (layers.size === 0) return { model: c.model, layers: taken, notes: [] };
  return { model: storeWeights(c.model, layers, storage), layers: taken, notes: [] };
}

function outcome(
  c: StepContext,
  refused: readonly { readonly id: string; readonly reason: string }[],
  taken: readonly string[],
  what: (id: string) => string,
): readonly Taken[] {
  const order = new Map(c.selected.map((n, i) => [n.id, i]));
  const all: Taken[] = [
    ...refused.map(({ id, reason }): Taken => ({ id, taken: false, reason })),
    ...taken.map((id): Taken => ({ id, taken: true, what: what(id) })),
  ];
  return all.sort((a, b) => (order.get(a.id) ?? 0) - (order.get(b.id) ?? 0));
}

const staticNotes = (plan: QuantPlan): readonly Text[] =>
  ![...plan.stored.values()].some((l) => l.node.op === 'ConvTranspose')
    ? []
    : [
        text(
          'ConvTranspose has no 8-bit kernel in ONNX Runtime on the CPU: its weights are smaller, it runs in float.',
          'ONNX Runtime CPU에는 ConvTranspose의 8비트 커널이 없습니다. 가중치는 작아지지만 float로 실행됩니다.',
        ),
      ];

/** All selected layers. */
function rewriteAll(c: StepContext): Rewrite {
  if (c.params.mode === 'dynamic') return rewriteDynamic(c);
  return c.params.mode === 'weight-only' ? rewriteWeights(c) : rewriteStatic(c);
}

/** Inside a branch or a loop body no range can be observed: static quantization stores the weights there. */
const rewriteInside = (c: StepContext): Rewrite =>
  c.params.mode === 'dynamic' ? rewriteDynamic(c) : rewriteWeights(c);

export const quantize: Technique = {
  id: 'quantize',
  group: 'quantize',
  version: 1,
  title: text('Quantize', '양자화'),
  summary: text(
    'Stores weights, and in static mode computes, in 8-bit integers instead of 32-bit floats.',
    '32비트 실수 대신 8비트 정수로 가중치를 저장하고, 정적 방식에서는 계산도 합니다.',
  ),
  cites: [
    {
      title: 'Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference',
      authors: 'Jacob et al.',
      year: 2018,
      where: 'CVPR',
    },
    {
      title: 'Quantizing deep convolutional networks for efficient inference: a whitepaper',
      authors: 'Krishnamoorthi',
      year: 2018,
      where: 'arXiv:1806.08342',
    },
  ],
  params: {
    mode: {
      kind: 'choice',
      label: text('Mode', '방식'),
      options: [
        { value: 'static', label: text('Static (weights and activations)', '정적 (가중치와 활성값)') },
        { value: 'dynamic', label: text('Dynamic (activations as they come)', '동적 (활성값은 실행 시)') },
        { value: 'weight-only', label: text('Weights only (storage)', '가중치만 (저장)') },
      ],
      default: 'static',
    },
    bits: {
      kind: 'choice',
      label: text('Bits', '비트'),
      options: [8, 7, 6, 5, 4, 3, 2].map((value) => ({ value, label: text(`${value}`, `${value}`) })),
      default: 8,
      when: { field: 'mode', is: ['weight-only'] },
    },
    block: {
      kind: 'choice',
      label: text('Weights to a scale', '스케일당 가중치'),
      help: text(
        'Blocks along what one output sums over, each with a scale of its own; layers that they do not divide keep one scale a channel.',
        '출력 하나가 더하는 방향의 블록마다 스케일을 둡니다. 나누어지지 않는 레이어는 채널마다 하나를 씁니다.',
      ),
      options: [
        { value: 0, label: text('a channel', '채널') },
        ...[128, 64, 32, 16].map((value) => ({ value, label: text(`${value}`, `${value}`) })),
      ],
      default: 0,
      when: { field: 'mode', is: ['weight-only'] },
    },
    perChannel: { kind: 'switch', label: text('One scale per channel', '채널별 스케일'), default: true },
    symmetric: {
      kind: 'switch',
      label: text('Symmetric activations', '대칭 활성값'),
      help: text(
        'Zero in the middle of the grid (at its start behind a Relu), for accelerators.',
        '0을 격자 중앙에(Relu 뒤에서는 시작점에) 둡니다. 가속기를 위한 것입니다.',
      ),
      default: false,
      when: { field: 'mode', is: ['static'] },
    },
    calibration: {
      kind: 'choice',
      label: text('Ranges from', '범위 결정'),
      options: [
        { value: 'min-max', label: text('smallest and largest', '최소와 최대') },
        { value: 'percentile', label: text('99.99 percent of the values', '값의 99.99 %') },
        { value: 'entropy', label: text('least lost information (KL)', '정보 손실 최소 (KL)') },
        { value: 'mse', label: text('least squared error', '제곱 오차 최소') },
      ],
      default: 'min-max',
      when: { field: 'mode', is: ['static'] },
    },
    keep: {
      kind: 'choice',
      label: text('Leave layers in float', 'float로 남길 레이어'),
      help: text(
        'Layers that cost most stay float until validation samples meet the floor.',
        '검증 표본이 하한을 만족할 때까지 손실이 큰 레이어를 float로 남깁니다.',
      ),
      options: [
        { value: 'none', label: text('none', '없음') },
        { value: 'sqnr', label: text('until the output is close enough', '출력이 충분히 가까울 때까지') },
        { value: 'agreement', label: text('until answers agree', '답이 일치할 때까지') },
      ],
      default: 'none',
    },
    leastDb: {
      kind: 'number',
      label: text('Least SQNR in dB', '최소 SQNR (dB)'),
      min: 0,
      max: 80,
      step: 1,
      default: 20,
      when: { field: 'keep', is: ['sqnr'] },
    },
    leastAgreement: {
      kind: 'number',
      label: text('Least share of equal answers', '최소 일치율'),
      min: 0,
      max: 1,
      step: 0.001,
      default: 0.99,
      unit: 'share',
      when: { field: 'keep', is: ['agreement'] },
    },
    samples: {
      kind: 'number',
      label: text('Calibration samples', '보정 표본 수'),
      min: 1,
      max: 4096,
      step: 1,
      default: 128,
      integer: true,
      unit: 'count',
      when: { field: 'mode', is: ['static'] },
    },
  },
  validate: (p) => {
    if (p.mode === 'weight-only') return undefined;
    if (p.bits !== 8) return `${p.bits} bits are for weight-only quantization`;
    return p.block === 0 ? undefined : 'blocks are for weight-only quantization';
  },
  exactness: (p) => (hasFloor(p) ? 'training' : 'shape'),
  needs: {
    calibration: calibrationOf,
    evidence: (c, round) => fallbackTrials(c, round, rewriteAll),
    opset: (p) => neededOpset(p),
  },
  fits: (node: Node, c) => {
    const reason = quantLayer(c.model, c.facts, node, false);
    if (reason === undefined)
      return {
        fits: false,
        reason: text(`${node.op} has no weights to quantize`, `${node.op}에는 양자화할 가중치가 없습니다`),
      };
    return typeof reason === 'string'
      ? { fits: false, reason: text(reason, `양자화할 수 없음: ${reason}`) }
      : { fits: true };
  },
  rewrite: (c) => withFallback(c, rewriteAll),
  rewriteInside,
  knobs: ['bits'],
  // Parameters mostly stay or fall (folded normalisation); a bias that two layers share becomes two, on grids of their own.
  promises: ['same-io', 'same-macs'],
  cases: [
    { params: {} },
    { params: { perChannel: false, symmetric: true, calibration: 'entropy' } },
    { params: { mode: 'dynamic' } },
    { params: { mode: 'weight-only' } },
    { params: { mode: 'weight-only', bits: 4, block: 16 } },
    { params: { mode: 'weight-only', bits: 3 } },
    { params: { calibration: 'mse' } },
    { params: { keep: 'sqnr', leastDb: 45 } },
  ],
  explain: (p) => explained(p),
  onPaper: (p) =>
    p.mode === 'weight-only'
      ? text(
          'Narrow weights: widened once when the model loads, then multiplied as floats. Static mode computes in 8 bits.',
          '폭이 좁은 가중치: 모델을 불러올 때 한 번 넓힌 뒤 실수로 곱합니다. 정적 모드는 8비트로 계산합니다.',
        )
      : undefined,
  migrations: [],
};

/** int8 pooling and Clip need 12, scales per channel 13; 4-bit tensors 21, other widths are unpacked by BitShift (11). */
function neededOpset(p: FieldValues): number {
  if (p.mode === 'static') return 13;
  if (p.mode === 'dynamic') return 11;
  return p.bits === 4 ? 21 : p.bits === 8 ? 10 : 11;
}

function explained(p: FieldValues): Text {
  if (p.mode === 'static')
    return text(
      'About 4 times smaller, and faster where the device has int8 kernels: they run between layers without a way back to float. Processors without 8-bit dot products may gain nothing.',
      '약 4배 작아지고, int8 커널이 있는 장치에서는 float로 돌아가지 않고 실행되어 빨라집니다. 8비트 내적 명령이 없는 프로세서에서는 빨라지지 않을 수 있습니다.',
    );
  if (p.mode === 'dynamic')
    return text(
      'About 4 times smaller and no calibration data needed. Ranges are found on every run, which costs time: often not faster, convolutions often slower. Measure it.',
      '약 4배 작아지고 보정 데이터가 필요 없습니다. 실행할 때마다 범위를 구하므로 빨라지지 않거나, 합성곱은 느려질 때가 많습니다. 측정해 보세요.',
    );
  return text(
    'The file is 4 (8 bits) to 16 (2 bits) times smaller. Weights are decoded once, when the model is loaded: speed and memory stay as in float.',
    '파일이 4배(8비트)에서 16배(2비트)까지 작아집니다. 가중치는 모델을 불러올 때 한 번 풀리므로 속도와 메모리는 float와 같습니다.',
  );
}
