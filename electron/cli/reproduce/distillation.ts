/**
 * Owns `bantam reproduce distillation` (Hinton, Vinyals, Dean 2015, section 3): students without and with a teacher, at several
 * temperatures, and what a student knows of a digit that it never saw.
 */
import { readFileSync } from 'node:fs';
import { mean } from 'simple-statistics';
import { z } from 'zod';
import { measureFigures } from '#shared/analysis/measure-figures.ts';
import { Fault } from '#shared/base/fault.ts';
import type { Model } from '#shared/ir/model.ts';
import { writeModel } from '#shared/onnx/write.ts';
import type { Dataset } from '#shared/ports/dataset.ts';
import { type TrainSettings, trainModel } from '#shared/training/train-model.ts';
import { buildFromZoo } from '#shared/zoo/index.ts';
import { openModelFile } from '../../host/model-files.ts';
import { samplesIn } from '../../host/samples.ts';
import { workKey } from '../../jobs/checkpoint.ts';
import { clock } from '../../jobs/work-parts.ts';
import { samples } from '../places.ts';
import { bestBias, type Scored, scoresOn, withBias, withoutClass, wrongOf } from './class-errors.ts';
import { distillationPage } from './distillation-page.ts';
import type { KeptModel } from './kept-models.ts';
import { publish } from './page.ts';
import { fresh, heldSamples, type Study, type StudyOptions, seedsUpTo, withStudy } from './study.ts';

export interface DistillationOptions extends StudyOptions {
  readonly epochs?: number;
}

export interface DistillationPlan {
  readonly students: readonly string[];
  readonly temperatures: readonly number[];
  readonly seeds: number;
  readonly epochs: number;
  /** Digit that the transfer set lacks in the last part. */
  readonly omitted: number;
}

/** One training: errors on validation, on which things are chosen, and on test. */
export interface Run {
  readonly seed: number;
  readonly validationErrors: number;
  readonly testErrors: number;
}
export interface Kind {
  /** null: alone, on the labels. */
  readonly temperature: number | null;
  readonly runs: readonly Run[];
  readonly meanValidationErrors: number;
  readonly meanTestErrors: number;
}

/** What a student knows of a digit it never saw: errors on that digit in the test split, and in all. */
export interface Omitted {
  readonly seed: number;
  readonly taught: boolean;
  readonly errors: number;
  readonly ofDigit: number;
  /** With a bias on that digit, chosen on the whole validation split. */
  readonly bias: number;
  readonly errorsWithBias: number;
  readonly ofDigitWithBias: number;
}

const base: Omit<TrainSettings, 'epochs'> = {
  batch: 64,
  optimizer: 'sgd',
  learningRate: 0.05,
  momentum: 0.9,
  weightDecay: 0,
  schedule: 'cosine',
  augment: false,
};
/** Weight of the soft loss; the labels have the rest ("a considerably lower weight", section 2). */
const softShare = 0.9;

/** Students that stand in no list of the zoo: a net of it at another width. */
const narrower: Readonly<Record<string, { readonly of: string; readonly width: number }>> = {
  'mlp-2x100': { of: 'mlp-2x800', width: 1 / 8 },
};

function studentNet(id: string, seed: number): Model {
  const net = narrower[id];
  return net === undefined ? buildFromZoo(id, { seed }) : buildFromZoo(net.of, { seed, width: net.width });
}

interface Work {
  readonly study: Study;
  readonly dataset: Dataset;
  /** What the data is called in the names of kept models. */
  readonly data: string;
  readonly teacher: KeptModel;
}

async function student(w: Work, id: string, seed: number, epochs: number, temperature: number | null): Promise<Model> {
  const { dataset, teacher } = w;
  const { runtime, cancel, report } = w.study.parts;
  const settings: TrainSettings = {
    ...base,
    epochs,
    ...(temperature === null ? {} : { distill: { teachers: [{ kind: 'original' }], temperature, softShare } }),
  };
  const name = `${id}-${seed}-${w.data}-${temperature === null ? 'alone' : `t${temperature}`}`;
  const from = {
    id,
    seed,
    data: dataset.info.splitRule,
    settings,
    ...(temperature === null ? {} : { teacher: teacher.key }),
  };
  const kept = await w.study.keep(name, from, async (checkpoint) => {
    report.log(name);
    const state = checkpoint?.training();
    const { model, curve, samplesPerSecond } = await trainModel({
      runtime,
      clock,
      model: studentNet(id, seed),
      dataset,
      settings,
      seed,
      cancel,
      ...(temperature === null ? {} : { teacher: teacher.model }),
      ...(state === undefined ? {} : { state }),
      ...(checkpoint === undefined ? {} : { onState: (s) => checkpoint.keepTraining(s) }),
    });
    return { model, seconds: (curve.length * dataset.info.counts.train) / samplesPerSecond };
  });
  return kept.model;
}

async function kindOf(w: Work, id: string, plan: DistillationPlan, temperature: number | null): Promise<Kind> {
  const runs: Run[] = [];
  for (let seed = 1; seed <= plan.seeds; seed++) {
    const model = await student(w, id, seed, plan.epochs, temperature);
    const on = async (split: 'validation' | 'test'): Promise<number> =>
      wrongOf(await scoresOn(w.study.parts.runtime, model, w.dataset, split, w.study.parts.cancel)).errors;
    runs.push({ seed, validationErrors: await on('validation'), testErrors: await on('test') });
    const how = temperature === null ? 'alone' : `taught at T = ${temperature}`;
    w.study.parts.report.log(`${id} ${how}, seed ${seed}: ${runs.at(-1)?.testErrors} test errors`);
  }
  return {
    temperature,
    runs,
    meanValidationErrors: mean(runs.map((r) => r.validationErrors)),
    meanTestErrors: mean(runs.map((r) => r.testErrors)),
  };
}

async function withoutDigit(
  w: Work,
  id: string,
  plan: DistillationPlan,
  temperature: number | null,
  seed: number,
): Promise<Omitted> {
  const dataset = await withoutClass(w.dataset, plan.omitted);
  const model = await student({ ...w, dataset, data: `no-${plan.omitted}` }, id, seed, plan.epochs, temperature);
  const on = (split: 'validation' | 'test'): Promise<Scored> =>
    scoresOn(w.study.parts.runtime, model, w.dataset, split, w.study.parts.cancel);
  const bias = bestBias(await on('validation'), plan.omitted);
  const test = await on('test');
  const [plain, biased] = [wrongOf(test), wrongOf(withBias(test, plan.omitted, bias))];
  return {
    seed,
    taught: temperature !== null,
    errors: plain.errors,
    ofDigit: plain.byClass[plan.omitted]?.errors ?? 0,
    bias,
    errorsWithBias: biased.errors,
    ofDigitWithBias: biased.byClass[plan.omitted]?.errors ?? 0,
  };
}

const cardSchema = z.object({ title: z.string(), training: z.object({ validation: z.number() }) });

/** The sample that validated best: no test sample was looked at for this. */
function bestSample(folder: string): { readonly id: string; readonly title: string; readonly model: Model } {
  const cards = samplesIn(folder).flatMap((s) => {
    const card = cardSchema.safeParse(JSON.parse(readFileSync(s.path.replace(/\.onnx$/, '.json'), 'utf8')));
    return card.success ? [{ ...s, title: card.data.title, validation: card.data.training.validation }] : [];
  });
  const [best] = cards.sort((a, b) => b.validation - a.validation);
  if (best === undefined)
    throw new Fault('not-found', 'there is no trained sample to teach', { hint: 'Run npm run assets.' });
  return { id: best.id, title: best.title, model: openModelFile(best.path) };
}

/** Runs the plan. The temperature of each student is the one with the fewest errors on validation. */
export async function distillation(study: Study, plan: DistillationPlan, folder = samples) {
  const { parts } = study;
  const dataset = heldSamples(study.digits);
  const best = bestSample(folder);
  const teacher = fresh(best.model, workKey(Array.from(writeModel(best.model))).slice(0, 16));
  const w: Work = { study, dataset, data: 'digits', teacher };
  const taughtBy = wrongOf(await scoresOn(parts.runtime, best.model, dataset, 'test', parts.cancel));
  const students = [];
  for (const id of plan.students) {
    const alone = await kindOf(w, id, plan, null);
    const taught: Kind[] = [];
    for (const t of plan.temperatures) taught.push(await kindOf(w, id, plan, t));
    const [chosen] = [...taught].sort((a, b) => a.meanValidationErrors - b.meanValidationErrors);
    const { parameters } = measureFigures(studentNet(id, 1));
    students.push({ id, parameters, alone, taught, chosenTemperature: chosen?.temperature ?? null });
  }
  const omitted: Omitted[] = [];
  const [first] = students;
  if (first !== undefined)
    for (const t of [null, first.chosenTemperature])
      for (const seed of seedsUpTo(plan.seeds)) omitted.push(await withoutDigit(w, first.id, plan, t, seed));
  const ofDigit = taughtBy.byClass[plan.omitted];
  return {
    data: `${dataset.info.id}: ${dataset.info.splitRule}`,
    testSamples: taughtBy.samples,
    teacher: {
      id: best.id,
      title: best.title,
      parameters: measureFigures(best.model).parameters,
      testErrors: taughtBy.errors,
    },
    settings: { ...base, epochs: plan.epochs, softShare, seeds: plan.seeds },
    students,
    omitted: { digit: plan.omitted, samples: ofDigit?.samples ?? 0, student: first?.id ?? '', runs: omitted },
  };
}

export type DistillationResult = Awaited<ReturnType<typeof distillation>>;

export async function reproduceDistillation(options: DistillationOptions): Promise<void> {
  const seeds = options.seeds ?? 2;
  await withStudy(options, async (study) => {
    const result = await distillation(study, {
      students: ['mlp-2x800', 'mlp-2x100', 'mlp-2x30'],
      temperatures: [2, 4, 20],
      seeds,
      epochs: options.epochs ?? 12,
      omitted: 3,
    });
    const page = distillationPage(result);
    publish(options, study.parts.runtime.name, result, page, `distillation --seeds ${seeds}`);
  });
}
