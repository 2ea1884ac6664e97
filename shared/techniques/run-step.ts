/**
 * Owns runStep: the one driver of a step, calibrate -> rewrite -> train -> bake -> verify, over ports. No technique runs a
 * session or awaits, so cancelling, progress and the laws exist once, here.
 */
import type { Figures, ShapeChoice } from '../analysis/figures.ts';
import { measureFigures } from '../analysis/measure-figures.ts';
import { type Cancel, checkCancel } from '../base/cancel.ts';
import { Fault } from '../base/fault.ts';
import { type Text, text } from '../base/text.ts';
import type { Model } from '../ir/model.ts';
import { bakeModel } from './bake-model.ts';
import type {
  CalibrationRequest,
  Evidence,
  EvidenceRequest,
  Ranges,
  Rewrite,
  StepContext,
  Technique,
  TrainRequest,
} from './declare.ts';
import { brokenPromise } from './promises.ts';

/** What a host supplies to run steps. */
export interface StepHost {
  readonly cancel: Cancel;
  /** Share of this step, 0 to 1, and what is being done. */
  progress(share: number, what: string): void;
  /** Names of the data set's classes; absent where the job has no data, or none with labels. */
  readonly classes?: readonly string[];
  log(line: string): void;
  /** Runs samples through the model; absent where the job has no data. */
  calibrate?(model: Model, request: CalibrationRequest, report: (share: number) => void): Promise<Ranges>;
  /** Runs samples through the model to answer what a step asks beside ranges; absent where the job has no data. */
  evidence?(
    model: Model,
    request: EvidenceRequest,
    context: StepContext,
    report: (share: number) => void,
  ): Promise<Evidence>;
  /** Trains the model; absent where the job has no data. */
  train?(model: Model, request: TrainRequest, context: StepContext, report: (share: number) => void): Promise<Learnt>;
}

export interface Learnt {
  readonly model: Model;
  /** Parameters of the request's penalty. */
  readonly own: readonly Float32Array[];
  readonly training?: TrainingTold;
}

/** What a training says of itself. */
export interface TrainingTold {
  /** Epochs run. */
  readonly epochs: number;
  /** Whose weights were kept, from 1; 0: none was better than the start. */
  readonly bestEpoch: number;
  /** Share of validation samples answered right (without labels: as the teacher answers them) by what was kept. */
  readonly validation: number | null;
  readonly samplesPerSecond: number;
}

export interface StepOutcome extends Rewrite {
  /** Of the baked model. */
  readonly figures: Figures;
  readonly training?: TrainingTold;
}

/** What a step needs data for. */
export type DataNeed = 'calibrate' | 'look at samples' | 'train';

const needWords: Readonly<Record<DataNeed, string>> = {
  calibrate: '보정하려면',
  'look at samples': '샘플을 보려면',
  train: '학습하려면',
};

/** The fault of a step whose data is missing. */
export const noData = (technique: string, what: DataNeed, where?: Text): Fault =>
  new Fault(
    'no-data',
    text(`${technique} needs data to ${what}`, `${technique} 기법으로 ${needWords[what]} 데이터가 필요합니다`),
    {
      hint: text(
        'Give a data set (--data), for example digits.',
        '데이터를 고르세요(명령줄에서는 --data). 예: 내장된 숫자 데이터.',
      ),
      ...(where === undefined ? {} : { where }),
    },
  );

/** The context with what every round of `needs.evidence` gathered. */
async function gathered(technique: Technique, context: StepContext, host: StepHost): Promise<StepContext> {
  let ready = context;
  for (let round = 0; ; round++) {
    const request = technique.needs.evidence?.(ready, round);
    if (request === undefined) return ready;
    if (host.evidence === undefined) throw noData(technique.id, 'look at samples');
    const report = (s: number): void => host.progress(0.3 * (1 - (1 - s * 0.5) * 0.5 ** round), 'looking at samples');
    const found = await host.evidence(context.model, request, ready, report);
    ready = { ...ready, evidence: [...(ready.evidence ?? []), found] };
    checkCancel(host.cancel);
  }
}

/**
 * Runs one resolved step. `rewrite` is the technique's rewrite with whatever checks the recipe puts around it. Throws
 * Cancelled between stages; faults `no-data`, `internal` where a promise is broken.
 */
export async function runStep(
  technique: Technique,
  context: StepContext,
  rewrite: (c: StepContext) => Rewrite,
  host: StepHost,
  shapes?: ShapeChoice,
): Promise<StepOutcome> {
  checkCancel(host.cancel);
  const request = technique.needs.calibration?.(context);
  let ready: StepContext = host.classes === undefined ? context : { ...context, classes: host.classes };
  if (request !== undefined) {
    if (host.calibrate === undefined) throw noData(technique.id, 'calibrate');
    host.progress(0, 'calibrating');
    const ranges = await host.calibrate(request.model ?? context.model, request, (s) =>
      host.progress(s * 0.3, 'calibrating'),
    );
    ready = { ...ready, ranges };
    checkCancel(host.cancel);
  }
  ready = await gathered(technique, ready, host);
  host.progress(0.3, 'rewriting');
  const done = rewrite(ready);
  const predicted = measureFigures(done.model, shapes);
  let model = done.model;
  let told: TrainingTold | undefined;
  const training = technique.train?.(ready);
  if (training !== undefined) {
    if (host.train === undefined) throw noData(technique.id, 'train');
    host.progress(0.3, 'training');
    const learnt = await host.train(technique.latent?.(ready) ?? model, training, ready, (s) =>
      host.progress(0.3 + s * 0.5, 'training'),
    );
    checkCancel(host.cancel);
    model = technique.bake?.(learnt.model, ready, learnt.own) ?? learnt.model;
    told = learnt.training;
  }
  model = await bakeModel(model, host.cancel, (s) => host.progress(0.8 + s * 0.2, 'computing weights'));
  const figures = measureFigures(model, shapes);
  const exact = training === undefined;
  const broken = brokenPromise(technique, context.model, model, {
    before: measureFigures(context.model, shapes),
    after: figures,
    ...(exact ? { predicted } : {}),
  });
  if (broken !== undefined) throw new Fault('internal', `${technique.id} broke its promise: ${broken}`);
  host.progress(1, 'done');
  const notes = [...done.notes, ...(done.findings?.() ?? [])];
  return { model, layers: done.layers, notes, figures, ...(told === undefined ? {} : { training: told }) };
}
