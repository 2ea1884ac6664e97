/** Owns opening a training: who teaches, which loss, the training graph and its sessions. */
import { blockedConvolutions } from '../autodiff/blocked-convolutions.ts';
import type { LossKind } from '../autodiff/losses.ts';
import { type ScoringGraph, scoringGraph } from '../autodiff/scoring-graph.ts';
import { type TrainingGraph, trainingGraph } from '../autodiff/training-graph.ts';
import { Fault } from '../base/fault.ts';
import { text } from '../base/text.ts';
import type { Model } from '../ir/model.ts';
import { embedded } from '../onnx/embedded.ts';
import { writeModel } from '../onnx/write.ts';
import type { Dataset } from '../ports/dataset.ts';
import type { Session } from '../ports/runtime.ts';
import { convBlock } from './conv-block.ts';
import { type ModelInput, modelInput } from './model-input.ts';
import { preprocessBatch, startingPreprocess } from './preprocess.ts';
import type { Preprocess } from './preprocess-schema.ts';
import type { DistillSettings } from './settings.ts';
import { balancedWeights, type TargetRule } from './targets.ts';
import { openTeachers, type Teachers } from './teachers.ts';
import { withoutTest } from './test-guard.ts';
import type { TrainParts } from './train-parts.ts';

/** A training, opened: its graph, sessions and rules. */
export interface Training {
  readonly parts: TrainParts;
  readonly data: Dataset;
  readonly graph: TrainingGraph;
  readonly input: ModelInput;
  /** As asked for, or what the data starts with. */
  readonly preprocess: Preprocess;
  readonly batch: number;
  readonly step: Session;
  readonly judge: Session;
  readonly target: TargetRule;
  /** Answers are class scores: argmax (or the sign of a single one) is an answer. */
  readonly answers: boolean;
  readonly teachers?: Teachers;
}

/** Who teaches: as the settings say; without labels the original. */
function distillOf(parts: TrainParts, labelled: boolean): DistillSettings | undefined {
  const { distill } = parts.settings;
  if (distill !== undefined) return labelled ? distill : { ...distill, softShare: 1 };
  if (labelled) return undefined;
  if (parts.settings.loss?.kind === 'none') return undefined;
  return { teachers: [{ kind: 'original' }], temperature: 1, softShare: 1 };
}

function teacherModels(parts: TrainParts, distill: DistillSettings): readonly Model[] {
  return distill.teachers.map((ref) => {
    const model = ref.kind === 'original' ? parts.teacher : parts.openTeacher?.(ref.path);
    if (model === undefined)
      throw new Fault(
        'no-data',
        text('there is no model to learn from', '배울 모델이 없습니다'),
        ref.kind === 'file' ? { where: ref.path } : {},
      );
    return model;
  });
}

/** The model with sizes that its input leaves open set to those of the data: gradients are built for known shapes. */
async function sized(model: Model, data: Dataset, preprocess: Preprocess): Promise<Model> {
  const input = modelInput(model);
  if (input.shape.slice(1).every((d) => typeof d === 'number')) return model;
  const { dims } = preprocessBatch(await data.read('train', [0]), data.info.sample, input, preprocess);
  const shape = input.shape.map((d, i) => (i === 0 || typeof d === 'number' ? d : (dims[i] ?? d)));
  const inputs = model.graph.inputs.map((i) =>
    i.name === input.name && i.type.kind === 'tensor' ? { ...i, type: { ...i.type, shape } } : i,
  );
  return { ...model, graph: { ...model.graph, inputs, valueInfos: [] } };
}

/** Opens what a training runs on; each session that was opened is put into `opened`. Faults: as `trainModel`. */
export async function openTraining(parts: TrainParts, opened: Session[]): Promise<Training> {
  const data = withoutTest(parts.dataset);
  const { runtime, settings } = parts;
  const preprocess = parts.preprocess ?? startingPreprocess(data.info.sample);
  const { labelled, counts, id } = data.info;
  const distill = distillOf(parts, labelled);
  if (!labelled && parts.teacher === undefined && settings.distill === undefined)
    throw new Fault(
      'no-data',
      text(
        'the data has no labels, and there is no model to learn from',
        '데이터에 레이블이 없고 배울 모델도 없습니다',
      ),
      { where: id },
    );
  if (settings.labelsOnly === true && (!labelled || data.info.classes.length < 2))
    throw new Fault(
      'no-data',
      text(
        'new classes are learnt from labels of at least two, which the data has not',
        '새 클래스를 배우려면 레이블이 두 가지 이상 있어야 하는데 데이터에 없습니다',
      ),
      {
        where: id,
      },
    );
  if (counts.train === 0)
    throw new Fault('no-data', text('the data has no training samples', '데이터에 학습 샘플이 없습니다'), {
      where: id,
    });
  const batch = Math.max(1, Math.min(settings.batch, counts.train));
  const model = await sized(parts.model, data, preprocess);
  const input = modelInput(model);
  const output = settings.output === undefined ? {} : { output: settings.output };

  const scored = scoringGraph(model, input.name, { batch, ...output });
  const asked = settings.loss?.kind ?? 'auto';
  const loss: LossKind = asked !== 'auto' ? asked : autoLoss(scored, labelled);
  if ((labelled || loss === 'cross-entropy') && loss !== 'none' && !oneRow(scored)) {
    // One softmax over all positions together would train, and mean nothing.
    const what = labelled ? text('labels want', '레이블에는') : text('the cross-entropy wants', '교차 엔트로피에는');
    const message = text(
      `${what.en} one row of class scores, the output gives [${scored.shape}]`,
      `${what.ko} 클래스 점수 한 행이 필요한데 출력은 [${scored.shape}]입니다`,
    );
    throw new Fault('does-not-fit', message, {
      where: settings.output ?? model.graph.outputs[0]?.name ?? '',
      hint: labelled
        ? text(
            'Choose another output, or data without labels: the original model then teaches.',
            '다른 출력을 고르거나 레이블 없는 데이터를 쓰세요. 그러면 원본 모델이 가르칩니다.',
          )
        : text(
            'Take the squared error, as by itself, or another output.',
            '기본값인 제곱 오차를 쓰거나 다른 출력을 고르세요.',
          ),
    });
  }
  const open = async (m: Model): Promise<Session> => {
    const session = await runtime.open({ bytes: writeModel(embedded(m)) });
    opened.push(session);
    return session;
  };
  const softKind = loss === 'none' ? 'cross-entropy' : loss;
  const teachers =
    distill === undefined
      ? undefined
      : await openTeachers({
          models: await Promise.all(teacherModels(parts, distill).map((m) => sized(m, data, preprocess))),
          batch,
          kind: softKind,
          temperature: distill.temperature,
          hints: distill.hints ?? [],
          student: input,
          sample: data.info.sample,
          preprocess,
          open,
          ...output,
        });
  const softShare = loss === 'none' ? 0 : (distill?.softShare ?? 0);
  const { layers, parameters, distill: _, loss: __, ...plain } = settings;
  const hints = (distill?.hints ?? []).map((h, k) => ({
    value: h.to,
    dims: teachers?.hintDims[k] ?? [],
    weight: h.weight,
  }));
  const graph = trainingGraph(model, input.name, {
    ...plain,
    batch,
    loss,
    batchStatistics: parts.batchStatistics ?? batch >= 8,
    rowWeights: true,
    seed: parts.seed,
    hints,
    ...(softShare === 0 ? {} : { soft: { kind: softKind, temperature: distill?.temperature ?? 1, share: softShare } }),
    ...(layers === undefined ? {} : { layers: new Set(layers) }),
    ...(parameters === undefined ? {} : { parameters: new Set(parameters) }),
    ...(settings.remask === undefined ? {} : { masks: new Set(settings.remask.parameters) }),
  });
  if (softShare > 0 && teachers !== undefined && teachers.classes !== graph.classes)
    throw new Fault(
      'does-not-fit',
      text(
        `the teacher scores ${teachers.classes} classes, the model ${graph.classes}`,
        `교사 모델의 클래스는 ${teachers.classes}개, 모델의 클래스는 ${graph.classes}개입니다`,
      ),
    );
  const { classes } = graph;
  if (labelled && loss !== 'none' && data.info.classes.length > Math.max(2, classes))
    throw new Fault(
      'does-not-fit',
      text(
        `the data has ${data.info.classes.length} classes, the output scores ${classes}`,
        `데이터의 클래스는 ${data.info.classes.length}개인데 출력은 ${classes}개를 매깁니다`,
      ),
      {
        where: settings.output ?? model.graph.outputs[0]?.name ?? '',
        hint: text(
          'Take data with the classes that the model scores, or give it a new head for these (technique transfer).',
          '모델이 매기는 클래스의 데이터를 쓰거나, 이 클래스에 맞는 새 헤드를 다세요(transfer 기법).',
        ),
      },
    );
  const given = settings.loss?.classWeights ?? [];
  if (given !== 'balanced' && given.length > 0 && given.length !== Math.max(2, classes))
    throw new Fault(
      'does-not-fit',
      text(
        `${given.length} class weights for ${Math.max(2, classes)} classes`,
        `클래스는 ${Math.max(2, classes)}개인데 클래스 가중치는 ${given.length}개입니다`,
      ),
      {
        hint: text('Give one a class, in the order of the classes.', '클래스마다 하나씩, 클래스 순서대로 적으세요.'),
      },
    );
  const block = await convBlock(runtime);
  const fast = (m: Model): Model => (block === null ? m : blockedConvolutions(m, block));
  const weights = given === 'balanced' ? await balancedWeights(data, classes) : given;
  return {
    parts,
    data,
    graph,
    input,
    preprocess,
    batch,
    step: await open(fast(graph.step)),
    judge: await open(fast(graph.judge)),
    target: { kind: loss, classes, smoothing: settings.loss?.labelSmoothing ?? 0, weights },
    answers: labelled ? loss !== 'none' || classes > 1 : softShare > 0 && loss === 'cross-entropy',
    ...(teachers === undefined ? {} : { teachers }),
  };
}

/** One row of scores a sample, one score a class. */
const oneRow = (scored: ScoringGraph): boolean => scored.shape.slice(1).filter((d) => d > 1).length <= 1;

/** Without a say: by how the output ends and, without labels, by whether it is one row of class scores. */
function autoLoss(scored: ScoringGraph, labelled: boolean): LossKind {
  if (scored.end === 'sigmoid') return 'binary-cross-entropy';
  return labelled || oneRow(scored) ? 'cross-entropy' : 'mean-squared-error';
}
