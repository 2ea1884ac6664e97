/**
 * Owns the form in which a training step (train, distill) trains a model: as it stands, or, where weights are stored as integers, with
 * latent floats in their place (see latent-integers). Which layers learn is read off that form.
 */
import type { Field } from '../base/fields.ts';
import { type Text, text } from '../base/text.ts';
import type { Model } from '../ir/model.ts';
import type { StepContext, Taken, Technique, TrainRequest } from './declare.ts';
import { type LatentIntegers, latentIntegers } from './latent-integers.ts';
import { outputOf } from './train-fields.ts';
import { frozenNotes, trainedLayers } from './trainable-layers.ts';

/** What becomes of the scales of integer weights. */
export const scalesField: Field = {
  kind: 'choice',
  label: text('Scales of integer weights', '정수 가중치의 스케일'),
  help: text(
    'Integer weights are trained as floats that are rounded onto their grid in every step. Learnt: the grid stretches too (LSQ).',
    '정수 가중치는 매 단계 격자로 반올림되는 실수로 학습합니다. "함께 학습"은 격자의 간격도 바꿉니다(LSQ).',
  ),
  options: [
    { value: 'fixed', label: text('stay', '그대로') },
    { value: 'learnt', label: text('learnt (LSQ)', '함께 학습 (LSQ)') },
  ],
  default: 'fixed',
};

/** Of one model version: asked by the preview, the training and the end of a step. */
const memo = new WeakMap<Model, Map<boolean, LatentIntegers | undefined>>();

export function trainedForm(c: Pick<StepContext, 'model' | 'facts' | 'params'>): LatentIntegers | undefined {
  const learnt = c.params.scales === 'learnt';
  const known = memo.get(c.model) ?? new Map<boolean, LatentIntegers | undefined>();
  memo.set(c.model, known);
  if (!known.has(learnt)) known.set(learnt, latentIntegers(c.model, c.facts, { learnScales: learnt }));
  return known.get(learnt);
}

/** What becomes of each selected layer. */
export function learningLayers(c: StepContext): readonly Taken[] {
  const output = outputOf(c.params);
  const form = trainedForm(c);
  if (form === undefined) return trainedLayers(c, output);
  const nodes = new Map(form.model.graph.nodes.map((n) => [n.id, n]));
  const facts = new Map([...form.facts(), ...c.facts]);
  const selected = c.selected.flatMap((n) => nodes.get(n.id) ?? []);
  return trainedLayers({ ...c, model: form.model, facts, selected }, output).map((l) => {
    const levels = form.layers.get(l.id);
    return l.taken && levels !== undefined ? { ...l, what: `trained on its grid of ${levels} levels` } : l;
  });
}

/** The ids that learn, and of them the stored tensors where not all may. */
export function learningOf(c: StepContext): Pick<TrainRequest, 'layers' | 'parameters'> {
  const layers = learningLayers(c).flatMap((l) => (l.taken ? [l.id] : []));
  const form = trainedForm(c);
  return form === undefined ? { layers } : { layers, parameters: form.parameters(new Set(layers)) };
}

export function learningNotes(c: StepContext, layers: readonly Taken[]): readonly Text[] {
  const grids = trainedForm(c)?.layers;
  const taken = grids === undefined ? 0 : layers.filter((l) => l.taken && grids.has(l.id)).length;
  if (taken === 0) return frozenNotes(layers);
  return [
    ...frozenNotes(layers),
    text(
      `${taken} layers with integer weights are trained on their grids and stored as integers again.`,
      `정수 가중치를 가진 레이어 ${taken}개를 격자 위에서 학습하고 다시 정수로 저장합니다.`,
    ),
  ];
}

/** `latent` and `bake` of a training step. */
export const inTrainedForm: Required<Pick<Technique, 'latent' | 'bake'>> = {
  latent: (c) => trainedForm(c)?.model ?? c.model,
  bake: (trained, c) => trainedForm(c)?.seal(trained) ?? trained,
};
