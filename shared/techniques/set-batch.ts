/** Owns the technique set-batch: another number of samples a run, or any number, with Reshapes that had the old one mended. */
import { inferFacts } from '../analysis/infer-facts.ts';
import { setBatch as withBatch } from '../autodiff/set-batch.ts';
import { Fault } from '../base/fault.ts';
import { text } from '../base/text.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Dim, Model, ValueInfo } from '../ir/model.ts';
import type { Rewrite, StepContext, Technique } from './declare.ts';

const symbol = 'batch';

const shapeOf = (v: ValueInfo): readonly Dim[] | null => (v.type.kind === 'tensor' ? v.type.shape : null);

/** Outputs as they come out under the new batch; refused where the first axis of one that had it is another then. */
function withOutputs(model: Model, was: Dim, to: number | string): Model | string {
  const facts = inferFacts(model);
  let wrong: string | undefined;
  const outputs = model.graph.outputs.map((o) => {
    const stated = shapeOf(o);
    if (o.type.kind !== 'tensor' || stated?.[0] !== was) return o;
    const now = facts.get(o.name)?.shape;
    const lead = now?.[0];
    if (lead !== to) wrong ??= `the batch is written into the graph in a way that cannot be followed (${o.name})`;
    return { ...o, type: { ...o.type, shape: [to, ...stated.slice(1)] } };
  });
  return wrong ?? { ...model, graph: { ...model.graph, outputs } };
}

function changed(model: Model, to: number | string): Model | string {
  const inputs = graphIndex(model.graph).requiredInputs;
  const was = shapeOf(inputs[0] ?? { name: '', type: { kind: 'unknown' } })?.[0];
  if (was === undefined) return 'the input has no known rank';
  const other = inputs.find((i) => shapeOf(i)?.length !== 0 && shapeOf(i)?.[0] !== was);
  if (other !== undefined) return `the inputs do not share one batch:  has another leading size`;
  const batched = inputs.filter((i) => shapeOf(i)?.[0] === was);
  try {
    return withOutputs(
      batched.reduce((m, i) => withBatch(m, i.name, to), model),
      was,
      to,
    );
  } catch (thrown) {
    const refuses = thrown instanceof Fault && ['unsupported', 'bad-graph'].includes(thrown.code);
    if (refuses) return `${thrown.message} (${thrown.where ?? ''})`;
    throw thrown;
  }
}

function rewrite(c: StepContext): Rewrite {
  const to = c.params.free === true ? symbol : Number(c.params.batch ?? 1);
  const done = changed(c.model, to);
  if (typeof done === 'string')
    return {
      model: c.model,
      layers: c.selected.slice(0, 1).map((n) => ({ id: n.id, taken: false, reason: done })),
      notes: [],
    };
  const what = `batch ${c.params.free === true ? 'free' : to}`;
  return { model: done, layers: c.selected.map((n) => ({ id: n.id, taken: true, what })), notes: [] };
}

export const setBatch: Technique = {
  id: 'set-batch',
  group: 'clean-up',
  version: 1,
  title: text('Set the batch', '배치 크기 정하기'),
  summary: text(
    'How many samples one run takes: a number, or any number.',
    '한 번에 처리할 샘플 수를 정합니다. 고정하거나 자유롭게 둘 수 있습니다.',
  ),
  cites: [],
  params: {
    free: { kind: 'switch', label: text('Any number', '자유롭게'), default: false },
    batch: {
      kind: 'number',
      label: text('Samples', '샘플 수'),
      min: 1,
      max: 4096,
      step: 1,
      default: 1,
      integer: true,
      unit: 'count',
      when: { field: 'free', is: [false] },
    },
  },
  exactness: () => 'shape',
  needs: {},
  fits: () => ({ fits: true }),
  rewrite,
  knobs: ['batch'],
  promises: ['same-parameters'],
  cases: [{ params: { batch: 4 } }, { params: { free: true } }],
  explain: () =>
    text(
      'More samples a run use the machine better, at the price of memory and of waiting for the last one.',
      '한 번에 여러 샘플을 처리하면 기기를 더 잘 쓰지만, 메모리와 대기 시간이 늘어납니다.',
    ),
  migrations: [],
};
