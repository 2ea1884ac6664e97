/** Owns the technique distill: the model learns from what larger ones answer, beside the labels or in their place. */
import { Fault } from '../base/fault.ts';
import type { FieldValues } from '../base/fields.ts';
import { text } from '../base/text.ts';
import type { DistillSettings, Hint, TeacherRef } from '../training/settings.ts';
import type { StepContext, Technique } from './declare.ts';
import { badTrainParams, trainFields, trainSettingsOf } from './train-fields.ts';
import { fitsTraining } from './trainable-layers.ts';
import { inTrainedForm, learningLayers, learningNotes, learningOf, scalesField } from './trained-form.ts';

const start = { epochs: 20, learningRate: 0.01 };

/** Names in a field, separated by commas or lines. */
export const listed = (value: unknown): readonly string[] =>
  String(value ?? '')
    .split(/[\n,]/)
    .map((s) => s.trim())
    .filter((s) => s !== '');

/** Teachers that a host has to find: all but the original. */
export const teacherNames = (params: FieldValues): readonly string[] =>
  listed(params.teachers ?? 'original').filter((t) => t !== 'original');

/** `original`, or whatever the host knows a model by: a file on the command line, a model that it holds in the studio. */
const teachersOf = (params: FieldValues): readonly TeacherRef[] =>
  listed(params.teachers ?? 'original').map((t) =>
    t === 'original' ? { kind: 'original' } : { kind: 'file', path: t },
  );

/** `relu3 > relu2`, or one name that stands in both; `2: relu3 > relu2` of the second teacher. */
function hintOf(line: string, weight: number): Hint {
  const found = /^(?:(\d+)\s*:)?\s*([^>]+?)\s*(?:>\s*(.+))?$/.exec(line);
  const from = found?.[2] ?? line;
  const teacher = found?.[1] === undefined ? {} : { teacher: Number(found[1]) - 1 };
  return { from, to: found?.[3] ?? from, weight, ...teacher };
}

function distillOf(params: FieldValues): DistillSettings {
  const weight = Number(params.hintWeight ?? 1);
  return {
    teachers: teachersOf(params),
    temperature: Number(params.temperature ?? 4),
    softShare: Number(params.softShare ?? 0.9),
    hints: listed(params.hints).map((h) => hintOf(h, weight)),
  };
}

/** A hint's value must stand in the student; those of teachers are looked up where they are open. */
function checkHints(c: StepContext): void {
  for (const { to } of distillOf(c.params).hints ?? [])
    if (c.facts.get(to) === undefined)
      throw new Fault('bad-recipe', text(`the model has no value "${to}"`, `모델에 값 "${to}"이(가) 없습니다`), {
        where: 'hints',
        hint: text(
          'Name values as the graph shows them: teacher value > value of this model.',
          '그래프에 보이는 이름으로 적으세요: 교사 모델의 값 > 이 모델의 값.',
        ),
      });
}

export const distill: Technique = {
  id: 'distill',
  group: 'train',
  formula: 'L = (1 − λ) · H(y, p) + λ · T² · KL(softmax(z_t / T) ‖ softmax(z_s / T))',
  version: 1,
  title: text('Distill', '지식 증류'),
  summary: text(
    'Trains the selected layers to answer as one or several teachers do, by their softened probabilities and, where asked, by values inside them. Several teach by the mean of their probabilities.',
    '선택한 레이어가 교사 모델처럼 답하도록, 온도로 부드럽게 한 확률과 원하면 내부 값까지 따라 배우게 합니다. 교사가 여럿이면 확률의 평균을 따릅니다.',
  ),
  cites: [
    {
      title: 'Distilling the Knowledge in a Neural Network',
      authors: 'Hinton, Vinyals, Dean',
      year: 2015,
      where: 'arXiv:1503.02531, sections 2 and 3',
    },
    {
      title: 'FitNets: Hints for Thin Deep Nets',
      authors: 'Romero, Ballas, Kahou, Chassang, Gatta, Bengio',
      year: 2015,
      where: 'ICLR, section 2.2',
    },
  ],
  params: {
    teachers: {
      kind: 'text',
      label: text('Teachers', '교사 모델'),
      help: text(
        '"original" (the model that entered the recipe), or models, separated by commas: files on the command line, ids of models that the studio holds.',
        '"original"(레시피에 처음 들어온 모델) 또는 쉼표로 구분한 모델: 명령줄에서는 파일, 스튜디오에서는 열어 둔 모델의 id입니다.',
      ),
      default: 'original',
      names: 'models',
    },
    temperature: {
      kind: 'number',
      label: text('Temperature', '온도'),
      help: text(
        'Scores of both sides are divided by it: the higher, the more the small probabilities say.',
        '양쪽 점수를 이 값으로 나눕니다. 높을수록 작은 확률의 차이가 잘 드러납니다.',
      ),
      min: 0.5,
      max: 50,
      step: 0.5,
      default: 4,
      unit: 'none',
    },
    softShare: {
      kind: 'number',
      label: text('Share of the teachers', '교사의 비중'),
      help: text(
        'The labels have the rest; without labels the teachers have all.',
        '나머지는 레이블의 몫입니다. 레이블이 없으면 교사가 전부를 맡습니다.',
      ),
      min: 0,
      max: 1,
      step: 0.05,
      default: 0.9,
      unit: 'share',
    },
    hints: {
      kind: 'text',
      label: text('Hints', '힌트'),
      help: text(
        'Pairs of values "teacher value > value of this model", separated by commas; one name where both carry it.',
        '쉼표로 구분한 값의 쌍 "교사의 값 > 이 모델의 값". 이름이 같으면 하나만 적습니다.',
      ),
      default: '',
    },
    hintWeight: {
      kind: 'number',
      label: text('Weight of hints', '힌트의 가중치'),
      min: 0,
      max: 100,
      step: 0.1,
      default: 1,
      unit: 'none',
    },
    ...trainFields(start),
    scales: scalesField,
  },
  validate: (params) =>
    teachersOf(params).length === 0
      ? text('name at least one teacher, or "original"', '교사 모델을 하나 이상 적거나 "original"이라고 적으세요')
      : badTrainParams(params),
  exactness: () => 'shape',
  needs: { training: true },
  fits: fitsTraining,
  rewrite: (c) => {
    checkHints(c);
    const layers = learningLayers(c);
    return { model: c.model, layers, notes: learningNotes(c, layers) };
  },
  train: (c) => ({
    ...trainSettingsOf(c.params, start),
    ...learningOf(c),
    distill: distillOf(c.params),
  }),
  ...inTrainedForm,
  knobs: ['epochs'],
  promises: ['same-io', 'same-parameters', 'same-macs'],
  cases: [{ params: { epochs: 1 } }],
  explain: () =>
    text(
      'Changes the values of weights, never their number: the accuracy of a small model rises, its size and speed stay.',
      '가중치의 값만 바꾸고 개수는 바꾸지 않습니다. 작은 모델의 정확도를 올리며 크기와 속도는 그대로입니다.',
    ),
  migrations: [],
};
