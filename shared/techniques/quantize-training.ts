/**
 * Owns quantization-aware training inside quantize (`epochs`): latent weights begin as the floats that were quantized, each within the
 * cell of its level, so that the start is exactly the quantized model; what was learnt is stored as integers.
 */
import { inferFacts } from '../analysis/infer-facts.ts';
import type { Fields } from '../base/fields.ts';
import { text } from '../base/text.ts';
import type { Rewrite, StepContext, Technique, TrainRequest } from './declare.ts';
import { epochs, learningRate } from './field-parts.ts';
import { type LatentIntegers, latentIntegers } from './latent-integers.ts';
import type { QuantLayer } from './quantize-layers.ts';
import { trainedLayers } from './trainable-layers.ts';
import { scalesField } from './trained-form.ts';

const when = { field: 'mode', is: ['static', 'weight-only'] };

export const trainingFields: Fields = {
  epochs: {
    ...epochs,
    label: text('Epochs of training', '학습 에폭'),
    help: text(
      'Quantization-aware training: weights stay floats that are rounded in every step, and end as integers. 0: none.',
      '양자화 인식 학습: 가중치를 매 단계 반올림되는 실수로 학습하고 끝에 정수로 저장합니다. 0이면 학습하지 않습니다.',
    ),
    min: 0,
    default: 0,
    when,
  },
  learningRate: { ...learningRate, max: 1, step: 0.0005, default: 0.001, when },
  scales: { ...scalesField, when },
};

export const trainsQuantized = (p: StepContext['params']): boolean => p.mode !== 'dynamic' && Number(p.epochs ?? 0) > 0;

/** Of one context: asked for the training, its start and its end. */
const memo = new WeakMap<StepContext, LatentIntegers | undefined>();

/** `rewrite`: the technique's own; `layersOf`: the layers whose weights are quantized, as they are before. */
export function quantizedTraining(
  rewrite: (c: StepContext) => Rewrite,
  layersOf: (c: StepContext) => ReadonlyMap<string, QuantLayer>,
): Required<Pick<Technique, 'train' | 'latent' | 'bake'>> {
  const formOf = (c: StepContext): LatentIntegers | undefined => {
    if (memo.has(c)) return memo.get(c);
    const { model } = rewrite(c);
    const layers = layersOf(c);
    const form = latentIntegers(model, inferFacts(model), {
      learnScales: c.params.scales === 'learnt',
      start: (ids) =>
        ids
          .map((id) => layers.get(id))
          .find((l) => l !== undefined)
          ?.numbers(),
    });
    memo.set(c, form);
    return form;
  };
  return {
    train: (c): TrainRequest | undefined => {
      if (!trainsQuantized(c.params)) return undefined;
      const form = formOf(c);
      if (form === undefined) return undefined;
      const { model } = form;
      const context = { ...c, model, facts: form.facts(), selected: model.graph.nodes };
      // What follows may learn too: biases and normalisation meet the rounded weights.
      const layers = trainedLayers(context).flatMap((l) => (l.taken ? [l.id] : []));
      return {
        layers,
        parameters: form.parameters(new Set(layers)),
        epochs: Number(c.params.epochs),
        batch: 64,
        optimizer: 'adam',
        learningRate: Number(c.params.learningRate ?? 0.001),
        momentum: 0.9,
        weightDecay: 0,
        schedule: 'cosine',
        augment: true,
      };
    },
    latent: (c) => formOf(c)?.model ?? rewrite(c).model,
    bake: (trained, c) => formOf(c)?.seal(trained) ?? trained,
  };
}
