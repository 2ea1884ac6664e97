/** Owns the teachers of a training: sessions that answer a batch with probabilities and with the values of hints. */
import type { LossKind } from '../autodiff/losses.ts';
import { scoringGraph } from '../autodiff/scoring-graph.ts';
import { Fault } from '../base/fault.ts';
import { text } from '../base/text.ts';
import type { Model } from '../ir/model.ts';
import type { DatasetInfo, Sample } from '../ports/dataset.ts';
import type { RunTensor, Session } from '../ports/runtime.ts';
import { type ModelInput, modelInput } from './model-input.ts';
import { preprocessBatch } from './preprocess.ts';
import type { Preprocess } from './preprocess-schema.ts';
import type { Hint } from './settings.ts';
import { answers } from './targets.ts';

export interface Taught {
  /** [batch, classes]: mean over the teachers. */
  readonly soft: Float32Array;
  /** One a hint. */
  readonly hints: readonly RunTensor[];
}

export interface Teachers {
  readonly classes: number;
  /** Dimensions of each hint's value, batch first. */
  readonly hintDims: readonly (readonly number[])[];
  teach(samples: readonly Sample[], feed: RunTensor): Promise<Taught>;
}

export interface TeacherParts {
  readonly models: readonly Model[];
  readonly batch: number;
  readonly kind: LossKind;
  readonly temperature: number;
  readonly hints: readonly Hint[];
  /** Output of the student; taken of a teacher too where it has one of this name. */
  readonly output?: string;
  readonly student: ModelInput;
  readonly sample: DatasetInfo['sample'];
  readonly preprocess: Preprocess;
  readonly open: (model: Model) => Promise<Session>;
}

const same = (a: ModelInput, b: ModelInput): boolean =>
  a.elem === b.elem && a.shape.length === b.shape.length && a.shape.slice(1).every((d, i) => d === b.shape[i + 1]);

/** Opens the teachers. Faults: `does-not-fit` where they score different classes, `not-found` for a hint's value. */
export async function openTeachers(p: TeacherParts): Promise<Teachers> {
  const opened: {
    readonly session: Session;
    readonly input: ModelInput;
    readonly scores: string;
    readonly dims: ReadonlyMap<string, readonly number[]>;
    readonly classes: number;
  }[] = [];
  for (const [k, model] of p.models.entries()) {
    const input = modelInput(model);
    const output = model.graph.outputs.find((o) => o.name === p.output)?.name;
    const graph = scoringGraph(model, input.name, {
      batch: p.batch,
      squashed: p.kind === 'mean-squared-error',
      values: p.hints.filter((h) => (h.teacher ?? 0) === k).map((h) => h.from),
      ...(output === undefined ? {} : { output }),
    });
    opened.push({ ...graph, session: await p.open(graph.model), input });
  }
  const [first] = opened;
  if (first === undefined) throw new Fault('bad-input', text('there is no teacher', '교사 모델이 없습니다'));
  for (const t of opened)
    if (t.classes !== first.classes)
      throw new Fault(
        'does-not-fit',
        text(
          `the teachers score ${first.classes} and ${t.classes} classes`,
          `교사 모델들의 클래스 수가 ${first.classes}개와 ${t.classes}개로 다릅니다`,
        ),
      );
  const hintDims = p.hints.map((h) => {
    const dims = opened[h.teacher ?? 0]?.dims.get(h.from);
    if (dims === undefined)
      throw new Fault('bad-input', text(`there is no teacher ${h.teacher}`, `교사 모델 ${h.teacher}이(가) 없습니다`), {
        where: h.from,
      });
    return dims;
  });
  // Answers to samples that a data set gives again as the same objects: plain ones, asked once a training. Hints are asked anew.
  const remembers = p.hints.length === 0;
  const known = new WeakMap<Sample, Float32Array>();
  const remembered = (samples: readonly Sample[]): Float32Array | undefined => {
    if (!remembers || samples.length < p.batch) return undefined;
    const rows = samples.flatMap((s) => known.get(s) ?? []);
    if (rows.length < samples.length) return undefined;
    const soft = new Float32Array(p.batch * first.classes);
    for (const [n, row] of rows.entries()) soft.set(row, n * first.classes);
    return soft;
  };
  const teach = async (samples: readonly Sample[], feed: RunTensor): Promise<Taught> => {
    const before = remembered(samples);
    if (before !== undefined) return { soft: before, hints: [] };
    const soft = new Float32Array(p.batch * first.classes);
    const outs: Readonly<Record<string, RunTensor>>[] = [];
    for (const t of opened) {
      const own = same(t.input, p.student) ? feed : preprocessBatch(samples, p.sample, t.input, p.preprocess);
      const out = await t.session.run({ [t.input.name]: own });
      const given = answers(out[t.scores]?.data as Float32Array, t.classes, p.kind, p.temperature);
      for (let i = 0; i < soft.length; i++) soft[i] = (soft[i] ?? 0) + (given[i] ?? 0) / opened.length;
      outs.push(out);
    }
    if (remembers)
      for (const [n, s] of samples.entries()) known.set(s, soft.slice(n * first.classes, (n + 1) * first.classes));
    return { soft, hints: p.hints.map((h) => outs[h.teacher ?? 0]?.[h.from] as RunTensor) };
  };
  return { classes: first.classes, hintDims, teach };
}
