/** Owns the work of an apply job: recipe run, file written, read back, and both models evaluated. */
import type { Figures, ShapeChoice } from '#shared/analysis/figures.ts';
import { measureFigures } from '#shared/analysis/measure-figures.ts';
import { Cancelled, checkCancel } from '#shared/base/cancel.ts';
import { Fault, faultHint } from '#shared/base/fault.ts';
import { text, textAround } from '#shared/base/text.ts';
import type { BrowserCheck } from '#shared/contract/browser-check.ts';
import type { Comparison, Evaluation, JobResult } from '#shared/contract/calls.ts';
import { headlineOf } from '#shared/contract/headline.ts';
import type { Model } from '#shared/ir/model.ts';
import type { Dataset } from '#shared/ports/dataset.ts';
import { type PreviewStep, previewRecipe } from '#shared/recipes/preview.ts';
import type { Preprocess, Recipe } from '#shared/recipes/recipe.ts';
import { runRecipe } from '#shared/recipes/run-recipe.ts';
import { techniqueOf } from '#shared/techniques/index.ts';
import { noData } from '#shared/techniques/run-step.ts';
import { compare } from '#shared/training/compare.ts';
import { evaluate, type Subject } from '#shared/training/evaluate.ts';
import { openDataset } from '../host/datasets/open-dataset.ts';
import { saveModelFile } from '../host/model-files.ts';
import type { StepData } from './calibrate-step.ts';
import { checkInBrowser } from './check-in-browser.ts';
import type { Checkpoint } from './checkpoint.ts';
import { packedStages } from './packed-stages.ts';
import { partOf, type Report } from './report.ts';
import { stepHost } from './step-host.ts';
import { DivergedTraining, StoppedTraining } from './train-step.ts';
import { clock, preprocessFor, subjectAt, type WorkParts } from './work-parts.ts';

export interface ApplyRequest {
  readonly model: string;
  readonly recipe: Recipe;
  readonly out: string;
  readonly data?: string | undefined;
  /** Where the recipe says nothing; `auto`: by trying, whatever the card beside the model says. */
  readonly preprocess?: Preprocess | 'auto' | undefined;
  /** Evaluate original and result afterwards. */
  readonly evaluate: boolean;
  readonly shapes?: ShapeChoice | undefined;
  /** Finds a teacher by what the recipe calls it; by default a file. */
  readonly openTeacher?: ((name: string) => Model) | undefined;
  /** Where the work keeps how far it is, and goes on from. */
  readonly checkpoint?: Checkpoint | undefined;
}

export interface Applied {
  readonly before: Figures;
  readonly predicted: Figures;
  /** Read back from the written file. */
  readonly after: Figures;
  readonly steps: NonNullable<JobResult['steps']>;
  /** Archive bytes of the original, where the steps' are told. */
  readonly packedBefore?: number | null;
  readonly evaluation?: { readonly before: Evaluation; readonly after: Evaluation };
  readonly comparison?: Comparison;
  /** Where the recipe's target is the browser: the file and the original there, timed in turn. */
  readonly browser?: BrowserCheck | null;
}

/** Cancelled, and the best epoch of the training that was under way stands at `out`. */
export class KeptOnCancel extends Cancelled {
  readonly result: JobResult;
  constructor(result: JobResult) {
    super();
    this.result = result;
  }
}

/** Failed, and the best epoch before stands at `out`. */
export class KeptOnFault extends Fault {
  readonly result: JobResult;
  constructor(why: Fault, result: JobResult) {
    super(why.code, why.message, {
      ...why.toData(),
      hint: textAround(
        faultHint(why),
        (h) => `The best epoch before is kept. ${h}`.trim(),
        (h) => `그 전의 가장 좋은 에폭을 남겼습니다. ${h}`.trim(),
      ),
    });
    this.result = result;
  }
}

/** Writes the best epoch of a stopped training; says what was not done. */
async function keepBest(
  report: Report,
  stopped: StoppedTraining | DivergedTraining,
  request: ApplyRequest,
  before: Figures,
): Promise<Error> {
  await saveModelFile(stopped.model, request.out);
  const why = stopped instanceof DivergedTraining ? 'the training diverged' : 'cancelled';
  report.log(`${why}: the best epoch so far is kept; what came after it in the recipe was not run`);
  const after = measureFigures(subjectAt(request.out).model, request.shapes);
  const result = { before: headlineOf(before), after: headlineOf(after) };
  return stopped instanceof DivergedTraining ? new KeptOnFault(stopped, result) : new KeptOnCancel(result);
}

type Judged = Pick<Applied, 'evaluation' | 'comparison'>;

/** Whether the model answers other classes afterwards: the original's answers are then no measure. */
const changesClasses = (recipe: Recipe): boolean =>
  recipe.steps.some((s) => s.off !== true && techniqueOf(s.technique).promises.includes('other-classes'));

/** The data as a model of other classes sees it: its labels say nothing about that model's answers. */
const unlabelled = (dataset: Dataset): Dataset => ({ ...dataset, info: { ...dataset.info, labelled: false } });

/**
 * Both models on the same samples: accuracy where there are labels; agreement and distance where both answer alike. `others`:
 * the original answers other classes.
 */
async function judge(
  parts: WorkParts,
  a: Subject,
  b: Subject,
  data: StepData | undefined,
  others: boolean,
): Promise<Judged> {
  const { runtime, cancel, report } = parts;
  report.progress(0, 'comparing with the original');
  const how = { cancel, layers: false, ...(data ?? {}) };
  const compared: Judged = others ? {} : { comparison: await compare(runtime, a, b, how) };
  if (data === undefined) return compared;
  const on = async (subject: Subject, what: string, from: number, to: number): Promise<Evaluation> => {
    const part = partOf(report, from, to);
    const progress = (share: number): void => part.progress(share, what);
    const dataset = others && subject === a ? unlabelled(data.dataset) : data.dataset;
    return evaluate(runtime, clock, subject, dataset, { preprocess: data.preprocess, cancel, progress });
  };
  const before = await on(a, 'evaluating the original', 0.1, 0.5);
  const after = await on(b, 'evaluating the result', 0.5, 1);
  return { ...compared, evaluation: { before, after } };
}

/** Faults `runtime` where the target does not take what was written for it. */
async function inBrowser({ runtime, report }: WorkParts, request: ApplyRequest): Promise<BrowserCheck | null> {
  report.progress(0.99, 'checking in the browser runtime');
  const { model: original, out: written, shapes } = request;
  const check = await checkInBrowser(runtime, { written, original, shapes });
  if (check?.loads === false)
    throw new Fault(
      'runtime',
      text(
        `${check.runtime} does not load the result: ${check.why ?? ''}`,
        `${check.runtime}이(가) 결과를 불러오지 못합니다: ${check.why ?? ''}`,
      ),
      { where: written },
    );
  return check;
}

/** Said before anything runs: an hour of steps must not end at one that lacks its data. */
function checkNeedsNoData(steps: readonly PreviewStep[]): void {
  for (const step of steps) {
    const what = step.needsData();
    if (what !== undefined)
      throw noData(step.technique, what, text(`step ${step.index + 1}`, `단계 ${step.index + 1}`));
  }
}

/**
 * Applies a recipe to a file and writes the result to `out`. Faults: `bad-recipe`, `no-data`, `runtime`, file faults; Cancelled
 * between stages; KeptOnCancel or KeptOnFault (`diverged`) in a training with something to show.
 */
export async function applyRecipe(parts: WorkParts, request: ApplyRequest): Promise<Applied> {
  const { report } = parts;
  const { recipe, shapes } = request;
  report.progress(0, 'opening the model');
  const original = subjectAt(request.model);
  const dataset = request.data === undefined ? undefined : await openDataset(request.data);
  const preview = previewRecipe(original.model, recipe, {
    ...(shapes === undefined ? {} : { shapes }),
    ...(dataset?.info.labelled === true ? { classes: dataset.info.classes } : {}),
  });
  const { before, figures: predicted } = preview;
  if (dataset === undefined) checkNeedsNoData(preview.steps);
  const others = changesClasses(recipe);
  let data: StepData | undefined;
  if (dataset !== undefined) {
    const asked = recipe.preprocess ?? request.preprocess;
    // Labels of other classes cannot tell which preprocessing suits the original.
    const tried = others ? unlabelled(dataset) : dataset;
    data = {
      dataset,
      preprocess: await preprocessFor(parts, original, tried, asked),
      original: original.model,
      ...(request.openTeacher === undefined ? {} : { openTeacher: request.openTeacher }),
    };
  }
  const running = { ...parts, report: partOf(report, 0.02, request.evaluate ? 0.8 : 0.95) };
  const { checkpoint } = request;
  for (const point of checkpoint?.curve ?? []) report.curve(point);
  const host = stepHost(running, data, checkpoint);
  const stages = packedStages(original.model, recipe, checkpoint);
  const outcome = await runRecipe(original.model, recipe, host, shapes, stages.journal).catch(async (thrown) => {
    const kept = thrown instanceof StoppedTraining || thrown instanceof DivergedTraining;
    throw kept ? await keepBest(report, thrown, request, before) : thrown;
  });
  checkCancel(parts.cancel);
  report.progress(request.evaluate ? 0.8 : 0.95, 'writing the file');
  await saveModelFile(outcome.model, request.out);
  const result = subjectAt(request.out);
  const after = measureFigures(result.model, shapes);
  const judging = { ...parts, report: partOf(report, 0.82, 1) };
  const judged = request.evaluate ? await judge(judging, original, result, data, others) : {};
  const steps = outcome.steps.map((s, k) => ({
    technique: s.technique,
    layers: s.layers.map((l) => ({ id: l.id, taken: l.taken, what: l.taken ? l.what : l.reason })),
    notes: [...s.notes],
    ...(s.training === undefined ? {} : { training: s.training }),
    after: headlineOf(s.figures),
    ...(stages.after.has(k) ? { packedBytes: stages.after.get(k) ?? null } : {}),
  }));
  const packed = stages.before === undefined ? {} : { packedBefore: stages.before };
  const there = recipe.target?.runtime === 'onnxruntime-web' ? { browser: await inBrowser(parts, request) } : {};
  return { before, predicted, after, steps, ...packed, ...judged, ...there };
}
