/** Owns the technique quantize: 8-bit static (QDQ) and dynamic, weight-only from 2 to 8 bits. */
import type { EvidenceRequest } from '../analysis/evidence.ts';
import { type Text, text } from '../base/text.ts';
import type { Node } from '../ir/model.ts';
import type { CalibrationRequest, Rewrite, StepContext, Technique } from './declare.ts';
import { correctionOf, correctionRequest, correctsBias } from './quantize-correction.ts';
import { dynamicRefusal, dynamicRewrite } from './quantize-dynamic.ts';
import { fallbackTrials, hasFloor, withFallback } from './quantize-fallback.ts';
import { computesIn8Bits, foldedForQuantization, type QuantLayer, quantLayer } from './quantize-layers.ts';
import { isMixed, mixedTrials, precisionOf } from './quantize-mixed.ts';
import { operatorForm } from './quantize-operators.ts';
import { explained, neededOpset, quantizeParams, smallerFrom } from './quantize-params.ts';
import { type QuantPlan, quantPlan, rangedValues } from './quantize-plan.ts';
import { type Prepared, preparedForQuantization } from './quantize-prepare.ts';
import { type Rounding, roundingOf, roundingRequest, roundsAdaptively, toNearest } from './quantize-rounding.ts';
import { StaticRewrite } from './quantize-static.ts';
import { outcome, split } from './quantize-taken.ts';
import { quantizedTraining, trainsQuantized } from './quantize-training.ts';
import { storeWeights } from './quantize-weights.ts';

const eightBits = { bits: 8, block: 0 };

interface Planned extends Prepared {
  readonly plan: QuantPlan;
}

const activationBits = (c: Pick<StepContext, 'params'>): number =>
  c.params.mode === 'static' && Number(c.params.activationBits) === 16 ? 16 : 8;

function planned(c: StepContext, entered = c.selected): Planned {
  const prepared = preparedForQuantization(c, entered);
  return { ...prepared, plan: quantPlan(prepared.model, c) };
}

/** The values whose ranges the step needs, by the names of the model as it enters the step. */
function calibrationOf(c: StepContext): CalibrationRequest | undefined {
  if (c.params.mode !== 'static') return undefined;
  const { model, rescaled, plan } = planned(c);
  // Where layers may fall back to float, any planned value may come to be the root of a grid.
  const values = hasFloor(c.params) ? [...plan.values.keys()] : rangedValues(plan);
  if (values.length === 0) return undefined;
  const method = c.params.calibration as CalibrationRequest['method'];
  const samples = Number(c.params.samples ?? 128);
  return { ...(rescaled ? { model } : {}), values, method, samples };
}

function rewriteStatic(c: StepContext, entered: readonly Node[]): Rewrite {
  const { model, plan, notes } = planned(c, entered);
  const bits = activationBits(c);
  const layers = outcome(c, plan.refused, [...plan.layers.keys(), ...plan.stored.keys()], (id) => {
    const layer = plan.layers.get(id) ?? plan.stored.get(id);
    const scales = layer?.axis === undefined ? 'one scale' : `${layer.channels} scales`;
    return `8-bit weight, ${scales}${plan.stored.has(id) ? ', decoded at load: no 8-bit kernel' : ''}`;
  });
  if (plan.layers.size + plan.stored.size === 0) return { model: c.model, layers, notes: [] };
  const { round, findings } = roundingOf(c, model);
  const correct = correctionOf(c, model);
  const how = { symmetric: c.params.symmetric === true, bits, round, correct };
  const done = storeWeights(
    new StaticRewrite(model, plan, c.ranges, how).run(),
    plan.stored,
    { ...eightBits, round },
    c.runtime,
  );
  const operators = c.params.form === 'qoperator' ? operatorForm(done, plan) : { model: done, foreign: false };
  const said = [...notes, ...staticNotes(plan, bits), ...(operators.foreign ? [foreignNote] : [])];
  return { model: operators.model, layers, notes: said, findings };
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
  return { model: storeWeights(dynamicRewrite(model, computed), stored, eightBits, c.runtime), layers: taken, notes };
}

/** Layers whose weights alone are stored narrow. */
const storable = (c: StepContext) =>
  split(c, c.model, (node) => {
    const layer = quantLayer(c.model, c.facts, node, c.params.perChannel === true, 'storage');
    if (typeof layer !== 'object' || layer.weight.uniform === undefined) return layer;
    return 'its weight is one repeated value, which the file holds once';
  });

function rewriteWeights(c: StepContext, rounding: Rounding = roundingOf(c, c.model)): Rewrite {
  const { layers, refused } = storable(c);
  const { bitsOf, notes } = precisionOf(c, layers, observedOf(c) === undefined ? 0 : 1);
  const taken = outcome(c, refused, [...layers.keys()], (id) => `${bitsOf(id)}-bit weight, decoded at load`);
  if (layers.size === 0) return { model: c.model, layers: taken, notes: [] };
  const { findings, round } = rounding;
  const block = Number(c.params.block);
  const model = storeWeights(c.model, layers, (id) => ({ bits: bitsOf(id), block, round }), c.runtime);
  return { model, layers: taken, notes, findings };
}

/** Every layer alone, where bits are mixed. */
function mixedOf(c: StepContext): EvidenceRequest | undefined {
  if (!isMixed(c.params)) return undefined;
  const block = Number(c.params.block);
  const { round } = roundingOf(c, c.model);
  return mixedTrials(c, storable(c).layers, (only, bits) =>
    storeWeights(c.model, only, { bits, block, round }, c.runtime),
  );
}

const staticNotes = (plan: QuantPlan, bits: number): readonly Text[] => {
  if (bits === 16)
    return [
      text(
        'For accelerators: ONNX Runtime on the CPU has no 16-bit kernels, decodes the weights on every run and computes in float, more slowly.',
        '가속기를 위한 형식입니다. ONNX Runtime CPU에는 16비트 커널이 없어 실행할 때마다 가중치를 풀고 float로 계산하므로 더 느립니다.',
      ),
    ];
  return [...plan.stored.values()].some((l) => l.node.op === 'ConvTranspose')
    ? [
        text(
          'ConvTranspose has no 8-bit kernel in ONNX Runtime on the CPU: its weights are smaller, it runs in float.',
          'ONNX Runtime CPU에는 ConvTranspose의 8비트 커널이 없습니다. 가중치는 작아지지만 float로 실행됩니다.',
        ),
      ]
    : [];
};

const foreignNote = text(
  "QGemm is a node of ONNX Runtime's own domain (com.microsoft): other runtimes may not know it.",
  'QGemm은 ONNX Runtime 고유 도메인(com.microsoft)의 노드라서 다른 런타임에는 없을 수 있습니다.',
);

/** All layers that `c` selects, of those with which the step was `entered`. */
function rewriteAll(c: StepContext, entered: readonly Node[]): Rewrite {
  if (c.params.mode === 'dynamic') return rewriteDynamic(c);
  return c.params.mode === 'weight-only' ? rewriteWeights(c) : rewriteStatic(c, entered);
}

/** Inside a branch or a loop body no range can be observed: static quantization stores the weights there. */
function rewriteInside({ evidence: _, ...c }: StepContext): Rewrite {
  return c.params.mode === 'dynamic' ? rewriteDynamic(c) : rewriteWeights(c, { round: toNearest, findings: () => [] });
}

/** The first round: what rounding and correction look at, before anything is tried. */
function observedOf(c: StepContext): EvidenceRequest | undefined {
  if (c.params.mode === 'weight-only')
    return roundsAdaptively(c) ? roundingRequest(c, c.model, storable(c).layers.values()) : undefined;
  if (!roundsAdaptively(c) && !correctsBias(c)) return undefined;
  const { model, plan } = planned(c);
  const rows = roundingRequest(c, model, [...plan.layers.values(), ...plan.stored.values()]);
  const means = correctionRequest(c, model, plan.layers.values());
  return rows === undefined ? means : { ...means, ...rows };
}

/** What is asked before layers are left float: at most one round each. */
const firstRounds = (c: StepContext): readonly EvidenceRequest[] => [observedOf(c) ?? [], mixedOf(c) ?? []].flat();

/** Trials of what stays float begin behind the `first` rounds; every candidate is rounded, corrected and given its bits by them. */
function trialsOf(
  c: StepContext,
  first: number,
): { readonly c: StepContext; readonly rewrite: (c: StepContext) => Rewrite } {
  const { evidence, selected } = c;
  if (evidence === undefined || first === 0) return { c, rewrite: (some) => rewriteAll(some, selected) };
  return {
    c: { ...c, evidence: evidence.slice(first) },
    rewrite: (some) => rewriteAll({ ...some, evidence }, selected),
  };
}

function evidenceFor(c: StepContext, round: number): EvidenceRequest | undefined {
  const first = firstRounds(c);
  if (round < first.length) return first[round];
  const trials = trialsOf(c, first.length);
  return fallbackTrials(trials.c, round - first.length, trials.rewrite);
}

function rewrite(c: StepContext): Rewrite {
  const trials = trialsOf(c, c.evidence === undefined ? 0 : firstRounds(c).length);
  return withFallback(trials.c, trials.rewrite);
}

/** The layers whose weights become integers, by their ids. */
function layersOf(c: StepContext): ReadonlyMap<string, QuantLayer> {
  if (c.params.mode === 'weight-only') return storable(c).layers;
  const { plan } = planned(c);
  return new Map([...plan.layers, ...plan.stored]);
}

export const quantize: Technique = {
  id: 'quantize',
  group: 'quantize',
  formula: 'q = clamp(round(x / s) + z, q_min, q_max);  x ≈ s · (q − z)',
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
    {
      title: 'Up or Down? Adaptive Rounding for Post-Training Quantization',
      authors: 'Nagel, Amjad, van Baalen, Louizos, Blankevoort',
      year: 2020,
      where: 'ICML 2020, arXiv:2004.10568',
    },
    {
      title: 'Data-Free Quantization Through Weight Equalization and Bias Correction',
      authors: 'Nagel, van Baalen, Blankevoort, Welling',
      year: 2019,
      where: 'ICCV 2019, arXiv:1906.04721',
    },
  ],
  params: quantizeParams,
  validate: (p) => {
    if (p.mode === 'weight-only') return undefined;
    if (p.mode === 'static' && Number(p.activationBits) === 16 && p.form === 'qoperator')
      return text(
        'the operators of QOperator form take 8-bit activations',
        'QOperator 형식의 연산자는 8비트 활성값을 받습니다',
      );
    if (trainsQuantized(p) && p.form === 'qoperator')
      return text('training passes through QDQ form alone', '학습은 QDQ 형식에서만 됩니다');
    if (p.bits !== 8)
      return text(
        `${p.bits} bits are for weight-only quantization`,
        `${p.bits}비트는 가중치 전용 양자화에서만 쓸 수 있습니다`,
      );
    return p.block === 0
      ? undefined
      : text('blocks are for weight-only quantization', '블록은 가중치 전용 양자화에서만 쓸 수 있습니다');
  },
  exactness: (p) => (hasFloor(p) || isMixed(p) ? 'training' : 'shape'),
  needs: {
    calibration: calibrationOf,
    evidence: evidenceFor,
    training: trainsQuantized,
    opset: (p) => neededOpset(p),
    smallerFrom,
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
  rewrite,
  ...quantizedTraining(rewrite, layersOf),
  rewriteInside,
  knobs: ['bits'],
  // Parameters mostly stay or fall (folded normalisation); a bias that two layers share becomes two, on grids of their own.
  promises: ['same-io', 'same-macs'],
  cases: [
    { params: {} },
    { params: { perChannel: false, symmetric: true, calibration: 'entropy', epochs: 1 } },
    { params: { mode: 'dynamic' } },
    { params: { mode: 'weight-only' } },
    { params: { mode: 'weight-only', bits: 4, block: 16 } },
    { params: { mode: 'weight-only', bits: 3 } },
    { params: { calibration: 'mse', rounding: 'adaround' } },
    { params: { keep: 'sqnr', leastDb: 45 } },
    { params: { equalize: true, correctBias: true, perChannel: false } },
    { params: { equalize: true, perChannel: false, keep: 'sqnr', leastDb: 45 } },
    { params: { form: 'qoperator' } },
    { params: { activationBits: 16 } },
    { params: { mode: 'weight-only', bits: 4, rounding: 'adaround' } },
    { params: { mode: 'weight-only', precision: 'mixed', budget: 4.5 } },
    { params: { mode: 'weight-only', bits: 2, epochs: 1, scales: 'learnt' } },
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
