/**
 * Owns `bantam reproduce pruning`: LeNet-300-100 without 90 % of its weights, cut at once (Han et al. 2015) and gradually (Zhu and
 * Gupta 2017), retrained, beside a dense control with the same extra epochs. Chosen on validation; test digits are only told.
 */
import { mean } from 'simple-statistics';
import { Fault } from '#shared/base/fault.ts';
import type { Model } from '#shared/ir/model.ts';
import { writeModel } from '#shared/onnx/write.ts';
import type { Step } from '#shared/recipes/recipe.ts';
import { count } from '../table.ts';
import { decodedWeights } from './decoded-weights.ts';
import type { KeptModel } from './kept-models.ts';
import { controlLenet, denseLenet, type Epochs, gradualStep, keptName, leNet300, retrainStep } from './lenet-study.ts';
import { type Page, points, publish, signed, spread, spreadOrUnknown } from './page.ts';
import { afterSteps, type Errors, errorsOf, type Study, type StudyOptions, seedsUpTo, withStudy } from './study.ts';

const ratio = 0.9;
const net = leNet300;
const weights = ['fc1.weight', 'fc2.weight', 'scores.weight'];

export const pruningEpochs: Epochs = { dense: 40, retrain: 50 };

const ways = ['once', 'gradual'] as const;
type Way = (typeof ways)[number];

function stepsOf(way: Way, epochs: number): { readonly cut: readonly Step[]; readonly retrain: readonly Step[] } {
  const all = { all: true } as const;
  const rate = net.rate * 0.6;
  const cut: Step = { technique: 'prune-weights', select: all, params: { ratio, scope: 'global' } };
  if (way === 'once') return { cut: [cut], retrain: [retrainStep(epochs, rate)] };
  return { cut: [gradualStep(ratio, epochs, rate)], retrain: [] };
}

/** One pruned net: errors, and the zeros among its weights as the runtime decodes them. */
interface Pruned extends Errors {
  readonly zeros: number;
  readonly of: number;
  readonly fileBytes: number;
}
export interface PruningSeed {
  readonly seed: number;
  readonly dense: Errors;
  readonly control: Errors;
  readonly ways: Readonly<Record<Way, Pruned>>;
}

async function zerosOf(study: Study, model: Model): Promise<readonly boolean[]> {
  const found = await decodedWeights(study.parts.runtime, model, weights);
  return weights.flatMap((w) => Array.from(found.get(w) ?? [], (v) => v === 0));
}

async function pruned(study: Study, dense: KeptModel, seed: number, way: Way, epochs: Epochs): Promise<Pruned> {
  const { cut, retrain } = stepsOf(way, epochs.retrain);
  const after = await afterSteps(study, keptName(net, seed, `pruned-${way}`), dense, [...cut, ...retrain], seed);
  const zeros = await zerosOf(study, after.model);
  if (way === 'once') {
    const before = await zerosOf(study, (await afterSteps(study, keptName(net, seed, 'cut'), dense, cut, seed)).model);
    const lost = before.filter((zero, i) => zero && zeros[i] !== true).length;
    if (lost > 0) throw new Fault('internal', `${lost} pruned weights were not zero after the last epoch`);
  }
  return {
    ...(await errorsOf(study, after.model)),
    zeros: zeros.filter(Boolean).length,
    of: zeros.length,
    fileBytes: writeModel(after.model).length,
  };
}

export async function pruningSeed(study: Study, seed: number, epochs: Epochs): Promise<PruningSeed> {
  const dense = await denseLenet(study, net, seed, epochs.dense);
  const control = await controlLenet(study, net, seed, dense, [retrainStep(epochs.retrain, net.rate * 0.6)]);
  return {
    seed,
    dense: await errorsOf(study, dense.model),
    control: await errorsOf(study, control.model),
    ways: {
      once: await pruned(study, dense, seed, 'once', epochs),
      gradual: await pruned(study, dense, seed, 'gradual', epochs),
    },
  };
}

export interface PruningResult {
  readonly ratio: number;
  readonly seeds: readonly PruningSeed[];
  /** The way with the fewest errors on validation, over all seeds. */
  readonly chosen: Way;
}

export function pruningResult(seeds: readonly PruningSeed[]): PruningResult {
  const [chosen = 'once'] = [...ways].sort(
    (a, b) => mean(seeds.map((s) => s.ways[a].validation)) - mean(seeds.map((s) => s.ways[b].validation)),
  );
  return { ratio, seeds, chosen };
}

export function pruningPage(r: PruningResult, epochs: Epochs): Page {
  const kinds: readonly (readonly [string, (s: PruningSeed) => Errors])[] = [
    ['dense', (s) => s.dense],
    ['dense control', (s) => s.control],
    ['pruned at once', (s) => s.ways.once],
    ['pruned gradually', (s) => s.ways.gradual],
  ];
  const means = kinds.map(([name, of]) => {
    const all = r.seeds.map(of);
    return [
      name,
      spread(all.map((e) => e.validation)),
      spread(all.map((e) => e.error)),
      spreadOrUnknown(all.map((e) => e.mnistTest)),
    ];
  });
  const chosen = (s: PruningSeed): Pruned => s.ways[r.chosen];
  const loss = mean(r.seeds.map((s) => chosen(s).error - s.dense.error));
  const lossMnist = r.seeds.map((s) => (chosen(s).mnistTest ?? Number.NaN) - (s.dense.mnistTest ?? Number.NaN));
  const zeros = r.seeds.flatMap((s) => Object.values(s.ways).map((w) => w.zeros / w.of));
  return {
    title: 'LeNet-300-100 without 90 % of its weights',
    about: [
      'Han, Pool, Tran, Dally 2015 (cut at once by magnitude, then retrained) and Zhu, Gupta 2017 (the share of zeros rises while the net trains), the smallest of all layers together.',
      `Trained with the 7,000 training digits, augmented: ${epochs.dense} epochs dense, ${epochs.retrain} after the cut or during it, with the dense net as teacher beside the labels. The dense control has as many more epochs and the same teacher. Errors in percent, of 1,000 validation digits, 2,000 test digits, and MNIST's own 10,000 test digits where they are here; mean and standard deviation over seeds.`,
    ],
    sections: [
      {
        title: 'Means',
        parts: [
          { head: ['', 'validation', 'test', 'MNIST test'], rows: means },
          `Chosen on validation: ${r.chosen === 'once' ? 'at once' : 'gradually'}. On the test digits it is ${signed(loss)} points from the dense net (aim +0.30 at most: ${loss <= 0.3 + 1e-9 ? 'met' : 'missed'})${lossMnist.some(Number.isNaN) ? '' : `, on MNIST's test digits ${signed(mean(lossMnist))}`}. Zeros among all weights, as the runtime decodes them: ${(Math.min(...zeros) * 100).toFixed(2)} % at least; none of those cut at once was other than zero after the last epoch.`,
        ],
      },
      {
        title: 'Every seed',
        parts: [
          {
            head: ['seed', 'dense', 'control', 'at once', 'gradually', 'zeros at once', 'gradually', 'file bytes'],
            rows: r.seeds.map((s) => [
              String(s.seed),
              points(s.dense.error),
              points(s.control.error),
              points(s.ways.once.error),
              points(s.ways.gradual.error),
              count(s.ways.once.zeros),
              count(s.ways.gradual.zeros),
              count(chosen(s).fileBytes),
            ]),
          },
        ],
      },
    ],
  };
}

export async function reproducePruning(options: StudyOptions): Promise<void> {
  const count = options.seeds ?? 1;
  await withStudy(options, async (study) => {
    const seeds: PruningSeed[] = [];
    for (const seed of seedsUpTo(count)) seeds.push(await pruningSeed(study, seed, pruningEpochs));
    const result = pruningResult(seeds);
    const page = pruningPage(result, pruningEpochs);
    publish(options, study.parts.runtime.name, result, page, `pruning --seeds ${count}`);
  });
}
