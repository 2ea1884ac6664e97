/** Owns `bantam train`: one model trained, or taught by others, written, and judged before and after on the test split. */
import { inferFacts } from '#shared/analysis/infer-facts.ts';
import { measureFigures } from '#shared/analysis/measure-figures.ts';
import { Fault } from '#shared/base/fault.ts';
import type { Job } from '#shared/contract/calls.ts';
import { headlineOf } from '#shared/contract/headline.ts';
import type { Model } from '#shared/ir/model.ts';
import type { Preprocess, Recipe, Step } from '#shared/recipes/recipe.ts';
import { selectNodes } from '#shared/recipes/select.ts';
import { augmentFields } from '#shared/training/augment.ts';
import { openModelFile } from '../host/model-files.ts';
import { type Applied, applyRecipe, KeptOnCancel } from '../jobs/apply-recipe.ts';
import { accuracyText, comparisonText, differenceText, preprocessText } from './evaluation-report.ts';
import { headlineTable } from './figures-report.ts';
import { type OutputOptions, print } from './output.ts';
import { checkOutput } from './output-path.ts';
import { type RunOptions, withParts } from './parts.ts';
import { layersTold, stepsText } from './steps-report.ts';
import { percent, table } from './table.ts';

export interface TrainOptions extends OutputOptions, RunOptions {
  readonly data: string;
  readonly output: string;
  readonly preprocess?: Preprocess | 'auto';
  readonly seed?: number;
  readonly teacher?: readonly string[];
  readonly hint?: readonly string[];
  readonly freeze?: string;
  readonly augment?: string;
  /** What goes into the step as it stands: epochs, batch, optimizer, learningRate ... */
  readonly [param: string]: unknown;
}

/** Options that are parameters of the technique under the same name. */
const passed = [
  'epochs',
  'batch',
  'optimizer',
  'learningRate',
  'momentum',
  'nesterov',
  'weightDecay',
  'schedule',
  'warmUp',
  'clipNorm',
  'patience',
  'loss',
  'labelSmoothing',
  'balance',
  'classWeights',
  'trainOutput',
] as const;
const passedToDistill = ['temperature', 'softShare', 'hintWeight'] as const;

type Params = Record<string, string | number | boolean>;

/** `none`, or `shift=0.1,rotate=5,flip`: what is not named is off. */
export function augmentParams(words: string): Params {
  if (words === 'none') return { augment: false };
  const { augment: _, ...fields } = augmentFields;
  const params: Params = { augment: true };
  for (const [name, field] of Object.entries(fields)) params[name] = field.kind === 'switch' ? false : 0;
  for (const word of words.split(',')) {
    const [name = '', value] = word.split('=').map((s) => s.trim());
    const field = fields[name];
    if (field === undefined)
      throw new Fault('bad-input', `augmentation knows no "${name}"`, {
        where: '--augment',
        hint: `Known: none, ${Object.keys(fields).join(', ')}.`,
      });
    params[name] = field.kind === 'switch' ? value !== 'false' : Number(value);
  }
  return params;
}

/** Layers that learn: all but those that the query freezes. */
function selectOf(model: Model, freeze: string | undefined): Step['select'] {
  if (freeze === undefined) return { all: true };
  const facts = inferFacts(model);
  const context = { facts, figures: () => measureFigures(model) };
  const frozen = new Set(selectNodes(model, { query: freeze }, context).map((n) => n.id));
  if (frozen.size === 0) throw new Fault('bad-input', 'the query freezes no layer', { where: freeze });
  const names = model.graph.nodes.flatMap((n) => (frozen.has(n.id) ? [] : [n.id]));
  if (names.length === 0) throw new Fault('bad-input', 'the query freezes every layer', { where: freeze });
  return { names };
}

function recipeOf(model: Model, o: TrainOptions): Recipe {
  const distills = o.teacher !== undefined || o.hint !== undefined;
  const given: readonly string[] = distills ? [...passed, ...passedToDistill] : passed;
  const stray = passedToDistill.find((name) => !distills && o[name] !== undefined);
  if (stray !== undefined)
    throw new Fault('bad-input', 'this option needs a teacher', { where: stray, hint: 'Add --teacher.' });
  const params: Params = o.augment === undefined ? {} : augmentParams(o.augment);
  for (const name of given) {
    const value = o[name];
    if (value !== undefined) params[name === 'trainOutput' ? 'output' : name] = value as Params[string];
  }
  if (distills) {
    params.teachers = (o.teacher ?? ['original']).join(', ');
    if (o.hint !== undefined) params.hints = o.hint.join(', ');
  }
  const technique = distills ? 'distill' : 'train';
  const seed = o.seed === undefined ? {} : { seed: o.seed };
  return { bantam: 1, ...seed, steps: [{ technique, select: selectOf(model, o.freeze), params }] };
}

const curveText = (curve: Job['curve']): string =>
  table(
    ['epoch', 'loss', 'validation', 'validation loss', 'rate'],
    curve.map((p) => [
      String(p.epoch),
      p.loss.toPrecision(4),
      percent(p.validation),
      p.validationLoss?.toPrecision(4) ?? 'unknown',
      p.rate?.toPrecision(3) ?? 'unknown',
    ]),
  );

function trainedText(done: Applied, curve: Job['curve']): string {
  const training = done.steps[0]?.training;
  const lines = [
    headlineTable(headlineOf(done.before), headlineOf(done.after)),
    stepsText(done.steps),
    curveText(curve),
  ];
  const best = training?.bestEpoch === 0 ? 'none better than the start' : String(training?.bestEpoch ?? 'unknown');
  lines.push(`best epoch: ${best}, validation ${percent(training?.validation ?? null)}`);
  if (done.evaluation !== undefined) {
    const { before, after } = done.evaluation;
    lines.push(
      `test accuracy before  ${accuracyText(before)}\ntest accuracy after   ${accuracyText(after)}, ${differenceText(before, after)}\n` +
        `on ${after.samples} samples of ${after.data}, split ${after.split}\npreprocessing ${preprocessText(after)}`,
    );
  }
  if (done.comparison !== undefined) lines.push(`against the original:\n${comparisonText(done.comparison)}`);
  return lines.join('\n\n');
}

/** Faults: as `applyRecipe`; `bad-input` for options that do not go together. */
export async function train(path: string, options: TrainOptions): Promise<void> {
  const model = openModelFile(path);
  checkOutput(options.output, path);
  for (const teacher of options.teacher ?? []) {
    if (teacher === 'original') continue;
    openModelFile(teacher);
    checkOutput(options.output, teacher);
  }
  const recipe = recipeOf(model, options);
  const curve: Job['curve'] = [];
  try {
    const done = await withParts(options, (parts) => {
      const { report } = parts;
      const own = {
        ...report,
        curve: (p: Job['curve'][number]) => {
          curve.push(p);
          report.curve(p);
        },
      };
      const { data, output, preprocess } = options;
      return applyRecipe(
        { ...parts, report: own },
        { model: path, recipe, out: output, data, preprocess, evaluate: true },
      );
    });
    const { steps, evaluation, comparison } = done;
    const { bestEpoch = null, validation = null, samplesPerSecond = null } = steps[0]?.training ?? {};
    const json = {
      output: options.output,
      curve,
      bestEpoch,
      validation,
      samplesPerSecond,
      test: evaluation === undefined ? null : evaluation,
      comparison: comparison ?? null,
      layers: layersTold(steps[0]?.layers ?? []),
    };
    print(options, json, () => `${trainedText(done, curve)}\n\nwritten: ${options.output}`);
  } catch (thrown) {
    if (!(thrown instanceof KeptOnCancel)) throw thrown;
    print(
      options,
      { output: options.output, curve, cancelled: true },
      () => `cancelled; the best epoch is written: ${options.output}`,
    );
  }
}
