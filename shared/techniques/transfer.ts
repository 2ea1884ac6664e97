/** Owns the technique transfer: a new head for new classes on a trained trunk, learnt alone at first, then with the trunk. */
import { inferFacts } from '../analysis/infer-facts.ts';
import type { FieldValues } from '../base/fields.ts';
import { text } from '../base/text.ts';
import type { Model } from '../ir/model.ts';
import type { Rewrite, StepContext, Taken, Technique } from './declare.ts';
import { type Head, headOf } from './head.ts';
import { type NewHead, withNewHead } from './new-head.ts';
import { badTrainParams, outputOf, trainFields, trainSettingsOf } from './train-fields.ts';
import { fitsTraining, frozenNotes, trainedLayers } from './trainable-layers.ts';

const start = { epochs: 5, learningRate: 0.01 };

const namesOf = (params: FieldValues): readonly string[] =>
  String(params.names ?? '')
    .split(/[\n,]/)
    .map((s) => s.trim())
    .filter((s) => s !== '');

/** Classes asked for: by number, by their names, else those of the data set; undefined in a preview without data. */
function classesOf(
  c: Pick<StepContext, 'params' | 'classes'>,
): { count: number; names: readonly string[] } | undefined {
  const names = namesOf(c.params);
  const count = Number(c.params.classes ?? 0) || names.length;
  if (count > 0) return { count, names };
  return c.classes === undefined || c.classes.length < 2 ? undefined : { count: c.classes.length, names: c.classes };
}

/** Keys under which exporters keep class names; those of the old classes would be wrong. */
const nameKeys: ReadonlySet<string> = new Set(['classes', 'names', 'labels', 'class_names']);

function withNames(model: Model, names: readonly string[]): Model {
  const metadata = model.metadata.filter((m) => !nameKeys.has(m.key));
  if (names.length > 0) return { ...model, metadata: [...metadata, { key: 'classes', value: JSON.stringify(names) }] };
  return metadata.length === model.metadata.length ? model : { ...model, metadata };
}

interface Planned {
  readonly head: Head;
  /** Undefined: how many classes is not known yet. */
  readonly made: NewHead | undefined;
  readonly names: readonly string[];
  readonly count: number | undefined;
}

/** The step's head and what takes its place, or why it cannot be. */
function plan(c: StepContext): Planned | string {
  const output = outputOf(c.params);
  const head = headOf(c, output);
  if (typeof head === 'string') return head;
  const wanted = classesOf(c);
  if (wanted === undefined) return { head, made: undefined, names: [], count: undefined };
  const made = withNewHead(c.model, c.facts, head, wanted.count, c.seed);
  if (typeof made === 'string') return made;
  const name = output ?? c.model.graph.outputs[0]?.name ?? '';
  const wide = inferFacts(made.model)
    .get(name)
    ?.shape?.slice(1)
    .filter((d) => d !== 1);
  const row = wide?.length === 1 && wide[0] === wanted.count;
  if (!row && wanted.count > 1) return `the output ${name} is no row of one score a class`;
  return { head, made, ...wanted };
}

/** Layers of the trunk that are freed in the second phase. */
function trunkOf(c: StepContext, heads: readonly string[]): readonly Taken[] {
  const freed = Number(c.params.freedEpochs ?? 5) > 0;
  const head = new Set(heads);
  return trainedLayers(c, outputOf(c.params)).flatMap((l): readonly Taken[] => {
    if (head.has(l.id)) return [];
    if (!l.taken) return [l];
    return [
      freed
        ? { ...l, what: `${l.what} once the head has learnt` }
        : { id: l.id, taken: false, reason: 'stays as it is' },
    ];
  });
}

function rewrite(c: StepContext): Rewrite {
  const planned = plan(c);
  if (typeof planned === 'string')
    return { model: c.model, layers: c.selected.map((n) => ({ id: n.id, taken: false, reason: planned })), notes: [] };
  const { head, made, count, names } = planned;
  const trunk = trunkOf(c, made?.layers ?? [head.layer.id, ...head.tail.map((n) => n.id)]);
  const what =
    count === undefined ? 'new head for the classes of the data' : `new head: ${head.classes} -> ${count} classes`;
  const unknown = text(
    'As many classes as the data set holds: size and work are known once it has run.',
    '클래스 수는 데이터셋을 따릅니다. 크기와 연산량은 실행한 뒤에 알 수 있습니다.',
  );
  return {
    model: made === undefined ? c.model : withNames(made.model, names),
    layers: [...trunk, { id: head.layer.id, taken: true, what }],
    notes: [
      ...frozenNotes(trunk.filter((l) => !l.taken && l.reason !== 'stays as it is')),
      ...(made === undefined ? [unknown] : []),
    ],
  };
}

export const transfer: Technique = {
  id: 'transfer',
  version: 1,
  group: 'train',
  title: text('Transfer', '전이 학습'),
  summary: text(
    'Puts a new layer of class scores in the place of the old one. It learns alone while all before it stays bit for bit what it is; then the selected layers learn on at a lower rate.',
    '클래스 점수를 내는 층을 새것으로 바꿉니다. 먼저 앞의 층을 모두 그대로 둔 채 새 층만 학습하고, 이어서 선택한 층을 더 낮은 학습률로 함께 학습합니다.',
  ),
  cites: [
    {
      title: 'How transferable are features in deep neural networks?',
      authors: 'Yosinski, Clune, Bengio, Lipson',
      year: 2014,
      where: 'NIPS, sections 2 and 4',
    },
  ],
  params: {
    classes: {
      kind: 'number',
      label: text('Classes', '클래스 수'),
      help: text('0: as many as the data set has.', '0이면 데이터셋의 클래스 수를 따릅니다.'),
      min: 0,
      max: 100_000,
      step: 1,
      default: 0,
      integer: true,
      unit: 'count',
    },
    names: {
      kind: 'text',
      label: text('Names of the classes', '클래스 이름'),
      help: text(
        'Separated by commas, in the order of the labels; kept in the metadata of the file.',
        '레이블 순서대로 쉼표로 구분합니다. 파일의 메타데이터에 저장됩니다.',
      ),
      default: '',
    },
    freedEpochs: {
      kind: 'number',
      label: text('Epochs with the trunk freed', '본체까지 학습하는 에폭'),
      help: text(
        'After the epochs of the head alone; 0: the trunk stays as it is.',
        '새 층만 학습하는 에폭이 끝난 뒤입니다. 0이면 본체는 그대로 둡니다.',
      ),
      min: 0,
      max: 1000,
      step: 1,
      default: 5,
      integer: true,
      unit: 'epochs',
    },
    freedRate: {
      kind: 'number',
      label: text('Its learning rate', '이때의 학습률'),
      help: text(
        'As a share of the rate at which the head learns alone.',
        '새 층만 학습할 때의 학습률에 대한 비율입니다.',
      ),
      min: 0,
      max: 1,
      step: 0.01,
      default: 0.1,
      unit: 'share',
    },
    ...trainFields(start),
  },
  validate: (params) => {
    const named = namesOf(params).length;
    const count = Number(params.classes ?? 0);
    if (named > 0 && count > 0 && named !== count)
      return text(`${count} classes, but ${named} names`, `클래스는 ${count}개인데 이름은 ${named}개입니다`);
    return count === 1 || (count === 0 && named === 1)
      ? text(
          'one class is nothing to choose from: give at least 2',
          '클래스가 하나면 고를 것이 없습니다. 2개 이상으로 하세요',
        )
      : badTrainParams(params);
  },
  exactness: (params) => (Number(params.classes ?? 0) > 0 || namesOf(params).length > 0 ? 'shape' : 'training'),
  needs: { training: true },
  fits: (node, c) => {
    const head = headOf(c);
    return typeof head !== 'string' && head.layer === node ? { fits: true } : fitsTraining(node, c);
  },
  rewrite,
  train: (c) => {
    const planned = plan(c);
    if (typeof planned === 'string') return undefined;
    const heads = planned.made?.layers ?? [planned.head.layer.id];
    const settings = trainSettingsOf(c.params, start);
    const freed = Number(c.params.freedEpochs ?? 5);
    const trunk = trunkOf(c, heads).flatMap((l) => (l.taken ? [l.id] : []));
    const layers = [...trunk, ...heads];
    const learningRate = settings.learningRate * Number(c.params.freedRate ?? 0.1);
    const first = { epochs: settings.epochs, learningRate: settings.learningRate, layers: heads };
    return {
      ...settings,
      layers,
      labelsOnly: true,
      phases: freed > 0 ? [first, { epochs: freed, learningRate, layers }] : [first],
    };
  },
  knobs: ['epochs', 'freedEpochs'],
  promises: ['other-classes'],
  cases: [
    { params: { classes: 7, epochs: 1 } },
    { params: { classes: 2, names: 'yes, no', freedEpochs: 0 } },
    { params: { classes: 0 } },
  ],
  explain: () =>
    text(
      'Only the last layer changes its size: as fast as before, but for the classes that came or went.',
      '마지막 층의 크기만 바뀝니다. 늘거나 준 클래스를 빼면 속도는 그대로입니다.',
    ),
  migrations: [],
};
