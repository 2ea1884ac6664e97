/**
 * Owns `bantam reproduce binarize`: LeNet-5 with weights of one bit, and with weights and inputs of one bit (Rastegari et al. 2016),
 * beside the float net after the same extra epochs.
 */
import type { Step } from '#shared/recipes/recipe.ts';
import { type Comparison, compareKinds, type Kind, meansTable, seedsSection } from './comparison.ts';
import { denseLenet, type Epochs, keptName, leNet5 } from './lenet-study.ts';
import { type Page, publish } from './page.ts';
import { afterSteps, type Study, type StudyOptions, seedsUpTo, withStudy } from './study.ts';

export const binarizeEpochs: Epochs = { dense: 24, retrain: 12 };

const all = { all: true } as const;

function kindsOf(epochs: number): readonly Kind[] {
  const after =
    (id: string, step: Step): Kind['make'] =>
    (study, dense, seed) =>
      afterSteps(study, keptName(leNet5, seed, id), dense, [step], seed);
  const learn = { epochs, learningRate: 0.001 };
  const float: Step = {
    technique: 'train',
    select: all,
    params: { ...learn, optimizer: 'adam', weightDecay: 0 },
  };
  const binary = (params: Step['params']): Step => ({
    technique: 'binarize',
    select: all,
    params: { ...learn, ...params },
  });
  return [
    { id: 'dense', title: 'float', make: async (_, dense) => dense },
    { id: 'float', title: 'float, trained on', make: after('float-on', float) },
    { id: 'weights', title: 'binary weights', make: after('binary-weights', binary({ mode: 'weights' })) },
    { id: 'xnor', title: 'XNOR', make: after('xnor', binary({ mode: 'weights-activations' })) },
    {
      id: 'weights-all',
      title: 'binary weights, every layer',
      make: after('binary-weights-all', binary({ mode: 'weights', ends: true })),
    },
  ];
}

export const binarizeComparison = (study: Study, seeds: readonly number[], epochs: Epochs): Promise<Comparison> =>
  compareKinds(study, kindsOf(epochs.retrain), seeds, (seed) => denseLenet(study, leNet5, seed, epochs.dense));

export function binarizePage(c: Comparison, epochs: Epochs): Page {
  return {
    title: 'LeNet-5 with weights of one bit',
    about: [
      'Rastegari, Ordonez, Redmon, Farhadi 2016 (XNOR-Net): each filter is a sign and one scale, the mean of its magnitudes (eq. 6); XNOR has signs for the inputs of its layers too, each scaled by the mean magnitude around it, after a normalisation. Trained through the sign by the straight-through estimator. The first and the last layer stay float, but in the last row.',
      `The dense LeNet-5 had ${epochs.dense} epochs of the 7,000 augmented training digits; each kind has ${epochs.retrain} more (Adam). Errors in percent, of 1,000 validation digits, 2,000 test digits, and MNIST's own 10,000 test digits where they are here; mean and standard deviation over seeds.`,
    ],
    sections: [
      {
        title: 'Means',
        parts: [
          meansTable(c, false),
          'The paper has no LeNet: on ImageNet AlexNet gives 56.6 % top 1 in float, 56.8 % with binary weights, 44.2 % as XNOR-Net (Table 1). The order is to be expected here too: binary weights about level, binary inputs behind.',
          'What is smaller is the file. Time is not: ONNX Runtime multiplies these layers as floats; "npm run bench xnor" measures a kernel that does not.',
        ],
      },
      seedsSection(c),
    ],
  };
}

export async function reproduceBinarize(options: StudyOptions): Promise<void> {
  const count = options.seeds ?? 1;
  await withStudy(options, async (study) => {
    const result = await binarizeComparison(study, seedsUpTo(count), binarizeEpochs);
    publish(
      options,
      study.parts.runtime.name,
      result,
      binarizePage(result, binarizeEpochs),
      `binarize --seeds ${count}`,
    );
  });
}
