/**
 * Owns `bantam reproduce channel-pruning`: channels of LeNet-5's convolutions chosen by LASSO, the next layers refitted (He, Zhang,
 * Sun 2017), beside the L1 norm (Li et al. 2017) and chance at equal ratio, before and after fine-tuning.
 */
import type { Step } from '#shared/recipes/recipe.ts';
import { type Comparison, compareKinds, type Kind, meansTable, seedsSection } from './comparison.ts';
import { denseLenet, type Epochs, keptName, leNet5 } from './lenet-study.ts';
import { type Page, publish } from './page.ts';
import { afterSteps, type Study, type StudyOptions, seedsUpTo, withStudy } from './study.ts';

export const channelEpochs: Epochs = { dense: 24, retrain: 4 };
const everyRatio = [0.5, 0.75];

const choices = [
  { id: 'random', title: 'chance', params: { criterion: 'random' } },
  { id: 'l1', title: 'L1', params: { criterion: 'l1' } },
  { id: 'l1-refit', title: 'L1, refitted', params: { criterion: 'l1', reconstruct: true } },
  { id: 'lasso', title: 'LASSO, refitted', params: { criterion: 'lasso', reconstruct: true } },
] as const;

function kindsOf(epochs: number, ratios: readonly number[]): readonly Kind[] {
  const tune: Step = {
    technique: 'train',
    select: { all: true },
    params: { epochs, learningRate: leNet5.rate / 3, weightDecay: 1e-4 },
  };
  const kinds: Kind[] = [{ id: 'dense', title: 'dense', make: async (_, dense) => dense }];
  for (const ratio of ratios)
    for (const { id, title, params } of choices) {
      const step: Step = {
        technique: 'prune-channels',
        select: { names: ['conv1', 'conv2'] },
        params: { ratio, samples: 512, ...params },
      };
      const name = (seed: number): string => keptName(leNet5, seed, `channels-${id}-${ratio}`);
      const cut: Kind['make'] = (study, dense, seed) => afterSteps(study, name(seed), dense, [step], seed);
      const tuned: Kind['make'] = async (study, dense, seed) =>
        afterSteps(study, `${name(seed)}-tuned`, await cut(study, dense, seed), [tune], seed);
      const share = `${ratio * 100} %`;
      kinds.push({ id: `${id}-${ratio}`, title: `${share} by ${title}`, make: cut });
      kinds.push({ id: `${id}-${ratio}-tuned`, title: `${share} by ${title}, tuned`, make: tuned });
    }
  return kinds;
}

export const channelComparison = (
  study: Study,
  seeds: readonly number[],
  epochs: Epochs,
  ratios = everyRatio,
): Promise<Comparison> =>
  compareKinds(study, kindsOf(epochs.retrain, ratios), seeds, (seed) => denseLenet(study, leNet5, seed, epochs.dense));

export function channelPage(c: Comparison, epochs: Epochs): Page {
  return {
    title: 'Channels of LeNet-5 by LASSO and by norm',
    about: [
      'He, Zhang, Sun 2017: the channels from which the next layer can best be put together are chosen by LASSO (eq. 2), then that layer is fitted anew by least squares, on training samples. Beside it, at equal ratio: the smallest L1 norms (Li et al. 2017), these with the same refit, and chance. The stated share of the channels of both convolutions is removed.',
      `The dense LeNet-5 had ${epochs.dense} epochs of the 7,000 augmented training digits; "tuned" has ${epochs.retrain} more. Errors in percent, of 1,000 validation digits, 2,000 test digits, and MNIST's own 10,000 test digits where they are here; mean and standard deviation over seeds.`,
    ],
    sections: [
      {
        title: 'Means',
        parts: [
          meansTable(c, true),
          'The paper prunes VGG-16 on ImageNet: with 5 times fewer multiplications its error rises by 0.3 points, after fine-tuning.',
        ],
      },
      seedsSection(c),
    ],
  };
}

export async function reproduceChannelPruning(options: StudyOptions): Promise<void> {
  const count = options.seeds ?? 1;
  await withStudy(options, async (study) => {
    const result = await channelComparison(study, seedsUpTo(count), channelEpochs);
    const page = channelPage(result, channelEpochs);
    publish(options, study.parts.runtime.name, result, page, `channel-pruning --seeds ${count}`);
  });
}
