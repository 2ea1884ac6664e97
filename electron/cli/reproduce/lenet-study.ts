/** Owns the two LeNets as every reproduction starts with them: dense, trained to where validation stays; and trained on, as a control. */
import type { Model } from '#shared/ir/model.ts';
import type { Step } from '#shared/recipes/recipe.ts';
import { lenet5, lenet300 } from '#shared/zoo/lenet.ts';
import type { KeptModel } from './kept-models.ts';
import { afterSteps, fresh, type Study } from './study.ts';

export interface Lenet {
  readonly name: string;
  readonly make: (seed: number) => Model;
  /** Learning rate of the dense net, SGD with momentum 0.9, along a cosine to zero. */
  readonly rate: number;
  /** Share of the dense training in which the rate rises from zero: from some seeds the net runs away at once without it. */
  readonly warmUp?: number;
}

export const leNet300: Lenet = { name: 'LeNet-300-100', make: lenet300, rate: 0.05 };
export const leNet5: Lenet = { name: 'LeNet-5', make: lenet5, rate: 0.03, warmUp: 0.1 };

export interface Epochs {
  readonly dense: number;
  readonly retrain: number;
}

/** Name of a kept model. */
export const keptName = (net: Lenet, seed: number, what: string): string => `${net.name.toLowerCase()}-${seed}-${what}`;

/** The dense net of a seed: augmented digits, weight decay 5e-4. */
export function denseLenet(study: Study, net: Lenet, seed: number, epochs: number): Promise<KeptModel> {
  const start = fresh(net.make(seed), `${net.name} ${seed}`);
  const warm = net.warmUp === undefined ? {} : { warmUp: net.warmUp };
  const params = { epochs, learningRate: net.rate, weightDecay: 5e-4, ...warm };
  return afterSteps(
    study,
    keptName(net, seed, 'dense'),
    start,
    [{ technique: 'train', select: { all: true }, params }],
    seed,
  );
}

/** What recovers a net after a cut: the dense net teaches beside the labels, little weight decay (chosen on validation). */
export const retrainStep = (epochs: number, learningRate: number): Step => ({
  technique: 'distill',
  select: { all: true },
  params: { epochs, learningRate, weightDecay: 5e-5, temperature: 3, softShare: 0.9 },
});

/** The weakest weights of all layers together, zeroed one after the other in the first half of a training that the dense net teaches. */
export const gradualStep = (ratio: number, epochs: number, learningRate: number): Step => ({
  technique: 'prune-weights',
  select: { all: true },
  params: { ratio, scope: 'global', timing: 'gradual', until: 0.5, epochs, learningRate, taught: true },
});

/** The dense net after as many more epochs, with the same teacher, as one that was cut. */
export const controlLenet = (
  study: Study,
  net: Lenet,
  seed: number,
  dense: KeptModel,
  retrain: readonly Step[],
): Promise<KeptModel> => afterSteps(study, keptName(net, seed, 'control'), dense, retrain, seed);
