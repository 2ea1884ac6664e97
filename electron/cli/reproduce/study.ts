/** Owns what every reproduction works with: the digits, MNIST's test digits where they are, steps of recipes, kept models, errors. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { mean } from 'simple-statistics';
import type { Model } from '#shared/ir/model.ts';
import type { Dataset, Sample, Split } from '#shared/ports/dataset.ts';
import type { Step } from '#shared/recipes/recipe.ts';
import { runRecipe } from '#shared/recipes/run-recipe.ts';
import { defaultPreprocess } from '#shared/training/preprocess.ts';
import { openDataset } from '../../host/datasets/open-dataset.ts';
import { stepHost } from '../../jobs/step-host.ts';
import type { WorkParts } from '../../jobs/work-parts.ts';
import { checkOutput } from '../output-path.ts';
import { type RunOptions, withParts } from '../parts.ts';
import { corpusFolder } from '../places.ts';
import { scoresOn, wrongOf } from './class-errors.ts';
import { type KeepModel, type KeptModel, keepModels } from './kept-models.ts';
import type { PageOptions } from './page.ts';

export interface StudyOptions extends PageOptions, RunOptions {
  readonly seeds?: number;
  /** Folder that keeps what was trained. */
  readonly state?: string;
}

export interface Study {
  readonly parts: WorkParts;
  readonly digits: Dataset;
  /** The 10,000 MNIST test digits, disjoint from the package's, where this machine has them. */
  readonly mnist: Dataset | undefined;
  readonly keep: KeepModel;
}

/** `corpus`: folder of test material, where there is one. */
export async function openStudy(parts: WorkParts, corpus?: string, state?: string): Promise<Study> {
  const folder = corpus === undefined ? '' : join(corpus, 'data', 'mnist');
  return {
    parts,
    digits: await openDataset('digits'),
    mnist: existsSync(folder) ? await openDataset(folder) : undefined,
    keep: keepModels(state, parts.runtime.name),
  };
}

/** Faults: `bad-path` where the page cannot be written, before anything is trained. */
export async function withStudy<T>(options: StudyOptions, work: (study: Study) => Promise<T>): Promise<T> {
  if (options.markdown !== undefined) checkOutput(options.markdown, undefined, '--markdown');
  return withParts(options, async (parts) => work(await openStudy(parts, corpusFolder(), options.state)));
}

/** The steps of a recipe on a model that was made before; `original` teaches where a step distils. */
export async function afterSteps(
  s: Study,
  name: string,
  from: KeptModel,
  steps: readonly Step[],
  seed: number,
  original: KeptModel = from,
): Promise<KeptModel> {
  const settings = { from: from.key, original: original.key, seed, steps };
  return s.keep(name, settings, async (checkpoint) => {
    s.parts.report.log(name);
    const data = { dataset: s.digits, preprocess: defaultPreprocess, original: original.model };
    const host = stepHost(s.parts, data, checkpoint);
    const done = await runRecipe(from.model, { bantam: 1, seed, steps: [...steps] }, host, undefined, checkpoint);
    const seconds = done.steps.flatMap(({ training: t }) =>
      t === undefined || t.samplesPerSecond === 0 ? [] : [(t.epochs * s.digits.info.counts.train) / t.samplesPerSecond],
    );
    return { model: done.model, seconds: seconds.reduce((a, b) => a + b, 0) };
  });
}

/** The same samples as the same objects each time, so that a teacher's answers to them are remembered. */
export function heldSamples(dataset: Dataset): Dataset {
  const held = new Map<string, Promise<Sample | undefined>>();
  const one = (split: Split, index: number): Promise<Sample | undefined> => {
    const key = `${split} ${index}`;
    const found = held.get(key) ?? dataset.read(split, [index]).then(([sample]) => sample);
    held.set(key, found);
    return found;
  };
  return {
    info: dataset.info,
    read: async (split, indices) =>
      (await Promise.all(indices.map((i) => one(split, i)))).flatMap((sample) => sample ?? []),
  };
}

/** A fresh model, of which nothing need be kept. */
export const fresh = (model: Model, key: string): KeptModel => ({ model, seconds: 0, key });

/** Errors in percent. Things are chosen on `validation`; the others are only told. */
export interface Errors {
  readonly validation: number;
  /** On the 2,000 test digits. */
  readonly error: number;
  /** On the 10,000 MNIST test digits; null where they are not here. */
  readonly mnistTest: number | null;
}

export async function errorsOf(s: Study, model: Model): Promise<Errors> {
  const on = async (dataset: Dataset, split: Split): Promise<number> => {
    const { errors, samples } = wrongOf(await scoresOn(s.parts.runtime, model, dataset, split, s.parts.cancel));
    return (errors / samples) * 100;
  };
  return {
    validation: await on(s.digits, 'validation'),
    error: await on(s.digits, 'test'),
    mnistTest: s.mnist === undefined ? null : await on(s.mnist, 'test'),
  };
}

export const seedsUpTo = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i + 1);

/** Null where one is unknown. */
export const meanOrNull = (values: readonly (number | null)[]): number | null => {
  const known = values.flatMap((v) => v ?? []);
  return known.length === values.length ? mean(known) : null;
};
