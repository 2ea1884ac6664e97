/** Owns trainsOf: whether a model trains, found by training it: disturbed weights go back towards the model's own answers. */
import { measureFigures } from '../analysis/measure-figures.ts';
import { parametersOf, withValues } from '../autodiff/parameters.ts';
import { Fault, faultLine, toFault } from '../base/fault.ts';
import { rng } from '../base/random.ts';
import type { Model, ValueInfo } from '../ir/model.ts';
import { readModel } from '../onnx/read.ts';
import { writeModel } from '../onnx/write.ts';
import type { Dataset } from '../ports/dataset.ts';
import type { Runtime } from '../ports/runtime.ts';
import { modelInput } from '../training/model-input.ts';
import { startingPreprocess } from '../training/preprocess.ts';
import { type Trained, type TrainSettings, trainModel } from '../training/train-model.ts';
import { dimOf } from './feeds.ts';

export type Trains =
  | { readonly trains: true; readonly parameters: number }
  | { readonly trains: false; readonly why: string };

const clock = { now: () => performance.now() };

/** Normal numbers of the input's size, without labels: the model's own answers teach. */
export function noise(model: Model, count: number): Dataset {
  const dims = modelInput(model).shape.slice(1).map(dimOf);
  const length = dims.reduce((a, b) => a * b, 1);
  return {
    info: {
      id: 'noise',
      source: 'made by the test',
      labelled: false,
      classes: [],
      sample: { kind: 'vector', length, dims },
      counts: { train: count, validation: count, test: 0 },
      splitRule: 'none',
    },
    read: async (split, indices) =>
      indices.map((i) => {
        const random = rng(9).fork(`${split} ${i}`);
        return { values: Float32Array.from({ length }, random.normal), label: null };
      }),
  };
}

/** Every parameter moved by a share of its own size; zeros of masks stay. */
export function disturbed(model: Model, share: number, seed = 5): Model {
  const random = rng(seed);
  const values = parametersOf(model).map((p) => {
    const size = Math.sqrt(p.values.reduce((a, v) => a + v * v, 0) / p.values.length) || 0.01;
    const moved = p.values.map((v) => (p.mask !== undefined && v === 0 ? 0 : v + share * size * random.normal()));
    return [p.name, moved] as const;
  });
  return withValues(model, new Map(values));
}

/** The model with its data input's open sizes set as the tests feed them; a batch stays as it is. */
function sized(model: Model): Model {
  const input = modelInput(model);
  const set = (i: ValueInfo): ValueInfo =>
    i.name === input.name && i.type.kind === 'tensor'
      ? { ...i, type: { ...i.type, shape: [input.shape[0] ?? 1, ...input.shape.slice(1).map(dimOf)] } }
      : i;
  return { ...model, graph: { ...model.graph, inputs: model.graph.inputs.map(set) } };
}

const settings: Omit<TrainSettings, 'batch' | 'epochs' | 'learningRate'> = {
  optimizer: 'adam',
  momentum: 0.9,
  weightDecay: 0,
  schedule: 'constant',
  augment: false,
  keep: 'last',
};

const signature = (infos: readonly ValueInfo[]): string =>
  JSON.stringify(
    infos.map((i) => [i.name, i.type]),
    (_, v) => (typeof v === 'bigint' ? String(v) : v),
  );

/** Work of one sample beyond which fewer of them are taken. */
const heavy = 4e7;
/**
 * Tried until the loss falls: what is shown is that the gradient leads downwards. Answers that are all but certain say nothing by
 * cross-entropy; what is rounded on the way moves by large steps alone.
 */
const tries = [
  { learningRate: 1e-4, disturb: 0.1, loss: { kind: 'auto' } },
  { learningRate: 1e-3, disturb: 0.5, loss: { kind: 'auto' } },
  { learningRate: 1e-4, disturb: 0.5, loss: { kind: 'mean-squared-error' } },
  { learningRate: 0.3, disturb: 0.5, loss: { kind: 'mean-squared-error' } },
] as const;

const held = (holds: boolean, why: string): void => {
  if (!holds) throw new Error(why);
};

/** Trains for a few steps of one batch. What a training refuses is a reason; what must not happen is thrown. */
export async function trainsOf(runtime: Runtime, source: Model): Promise<Trains> {
  let trained: Trained | undefined;
  let model = source;
  let student = source;
  try {
    model = sized(source);
    const few = (measureFigures(model).macs ?? 0) > heavy;
    const dataset = noise(model, few ? 1 : 2);
    const preprocess = startingPreprocess(dataset.info.sample);
    for (const { learningRate, disturb, loss } of tries) {
      student = disturbed(model, disturb);
      const how = { ...settings, epochs: few ? 2 : 4, batch: 2, learningRate, loss };
      const parts = { runtime, clock, model: student, teacher: model, dataset, preprocess, settings: how, seed: 1 };
      trained = await trainModel({ ...parts, batchStatistics: false });
      const [first, last] = [trained.curve[0]?.loss ?? 0, trained.curve.at(-1)?.loss ?? 0];
      if (last < first) break;
      trained = undefined;
    }
  } catch (thrown) {
    const fault = toFault(thrown);
    if (!(thrown instanceof Fault) || fault.code === 'internal' || fault.code === 'runtime') throw thrown;
    const { code, message } = fault;
    return { trains: false, why: faultLine({ code, message }).replace(/\.$/, '') };
  }
  if (trained === undefined) return { trains: false, why: 'the loss does not fall' };
  const back = readModel(writeModel(trained.model));
  const { graph } = readModel(writeModel(model));
  held(signature(back.graph.outputs) === signature(graph.outputs), 'the outputs changed');
  held(signature(back.graph.inputs) === signature(graph.inputs), 'the inputs changed');
  const before = new Map(parametersOf(student).map((p) => [p.name, p.values]));
  const moved = parametersOf(back).filter((p) => p.values.some((v, i) => v !== before.get(p.name)?.[i]));
  held(
    moved.every((p) => p.values.every(Number.isFinite)),
    'a weight is no number',
  );
  const session = await runtime.open({ bytes: writeModel(trained.model) });
  await session.release();
  return { trains: true, parameters: moved.length };
}
