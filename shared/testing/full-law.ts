/**
 * Owns the law at full size: one technique with its first case on one published network. What the preview says must be what its
 * written graph says when it is read again; and the graph runs. Nobody waits for values that say nothing of the form.
 */
import { calibrate } from '../analysis/calibration.ts';
import type { Figures } from '../analysis/figures.ts';
import { measureFigures } from '../analysis/measure-figures.ts';
import { neverCancelled } from '../base/cancel.ts';
import { Fault } from '../base/fault.ts';
import { hash32 } from '../base/random.ts';
import { elementCount } from '../ir/element-type.ts';
import type { Model } from '../ir/model.ts';
import { lazyTensor, type Tensor } from '../ir/tensor.ts';
import { int64Tensor, packNumbers } from '../ir/values.ts';
import { readSkeleton, skeletonOf } from '../onnx/skeleton.ts';
import { writeModel } from '../onnx/write.ts';
import type { Runtime } from '../ports/runtime.ts';
import { finishStep, type ResolvedStep, resolveStep } from '../recipes/rewrite-step.ts';
import type { Technique } from '../techniques/declare.ts';
import { brokenPromise } from '../techniques/promises.ts';
import type { ZooEntry } from '../zoo/declare.ts';
import { buildFromZoo } from '../zoo/index.ts';
import { randomFeeds } from './feeds.ts';
import { runsWell } from './runs-well.ts';

export interface FullLaw {
  /** What does not hold, a line each. */
  readonly broken: readonly string[];
  readonly layersTaken: number;
  /** Why nothing is taken; undefined where something is. */
  readonly refused?: string;
  /** How the written file was run: with its own values and compared where the function is promised, with stand-ins, or not. */
  readonly run: 'values' | 'form' | 'no';
}

/** Networks of more parameters hold quick numbers, not their seed's. */
const seededParameters = 30_000_000;

/** Small floats that the form may depend on (Clip's bounds, Resize's scales) keep their values; codebooks need not be computed. */
const scalarBytes = 32;

/** Numbers in place of a large tensor's values: floats around 1 / fan-in, so that activations keep their size; integers 0. */
function standIn(t: Tensor): Tensor {
  const count = elementCount(t.dims);
  return lazyTensor(t.name, t.type, t.dims, () => {
    const float = /float|double/.test(t.type);
    const values = new Float64Array(count);
    if (float) {
      const fan = t.dims.length > 1 ? count / (t.dims[0] ?? 1) : 1;
      let state = hash32(t.name) | 1;
      for (let i = 0; i < count; i++) {
        // xorshift32 (Marsaglia 2003): quick, and nothing depends on its quality.
        state ^= state << 13;
        state ^= state >>> 17;
        state ^= state << 5;
        values[i] = (0.5 + (state >>> 0) / 2 ** 32) / fan;
      }
    }
    return packNumbers(t.type, values);
  });
}

/** Positions of a sparse tensor's values: the first ones, ascending as they must be. */
const counting = (t: Tensor): Tensor =>
  int64Tensor(
    t.name,
    t.dims,
    Array.from({ length: elementCount(t.dims) }, (_, k) => k),
  );

function isAbsent(t: Tensor): boolean {
  try {
    t.bytes();
    return false;
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === 'no-data') return true;
    throw thrown;
  }
}

/** One number a channel (biases, scales, statistics) is soon computed, and kernels are chosen by how such numbers agree. */
const perChannel = (t: Tensor): boolean => t.dims.length <= 1 && elementCount(t.dims) <= 16_384;

/** The model that a skeleton describes, with numbers of some kind in all its tensors: those a channel are `real`'s own. */
function withStandIns(skeleton: Model, real: Model): Model {
  const own = new Map(real.graph.initializers.map((t) => [t.name, t]));
  const given = (t: Tensor): Tensor =>
    isAbsent(t) ? ((perChannel(t) ? own.get(t.name) : undefined) ?? standIn(t)) : t;
  const { graph } = skeleton;
  const sparseInitializers = graph.sparseInitializers.map((s) => ({
    dims: s.dims,
    values: given(s.values),
    indices: isAbsent(s.indices) ? counting(s.indices) : s.indices,
  }));
  return { ...skeleton, graph: { ...graph, initializers: graph.initializers.map(given), sparseInitializers } };
}

/** A network of the zoo at its published size; the largest hold quick numbers, not their seed's. */
export function fullFromZoo(entry: ZooEntry): Model {
  const model = buildFromZoo(entry.id);
  if (measureFigures(model).parameters <= seededParameters) return model;
  const initializers = model.graph.initializers.map((t) => (t.type === 'float' && t.dims.length > 1 ? standIn(t) : t));
  return { ...model, graph: { ...model.graph, initializers } };
}

const compared = ['parameters', 'macs', 'fileBytes', 'opset', 'nodes', 'peakActivationBytes'] as const;

const differences = (said: Figures, read: Figures): readonly string[] =>
  compared.flatMap((key) => (said[key] === read[key] ? [] : [`${key}: predicted ${said[key]}, written ${read[key]}`]));

/** The step with the ranges that it asks for, of one random sample. */
async function calibrated(step: ResolvedStep, runtime: Runtime): Promise<ResolvedStep> {
  const { context } = step;
  const request = step.technique.needs.calibration?.(context);
  if (request === undefined) return step;
  const from = request.model ?? context.model;
  const ranges = await calibrate(runtime, from, request, [randomFeeds(from)], neverCancelled);
  return { ...step, context: { ...context, ranges } };
}

/**
 * Holds `technique` with its first case on `model`. The written file is the skeleton: the same graph and byte counts, large
 * tensors without values. With a runtime it is run too: with its own values where the function is promised to stay, else with
 * stand-ins for the large tensors.
 */
export async function fullLaw(technique: Technique, model: Model, runtime?: Runtime): Promise<FullLaw> {
  const [one] = technique.cases;
  const given = Object.entries(one?.params ?? {}).flatMap(([k, v]) => (v === undefined ? [] : [[k, v] as const]));
  const step = { technique: technique.id, select: { all: true as const }, params: Object.fromEntries(given) };
  try {
    // Where nothing is run, ranges are made up: form and size do not depend on them.
    const resolved = resolveStep(model, step, { number: 1, seed: 1, ranges: () => ({ min: -1, max: 1 }) });
    const done = finishStep(runtime === undefined ? resolved : await calibrated(resolved, runtime), 1);
    const back = readSkeleton(skeletonOf(done.model, scalarBytes));
    const after = measureFigures(back);
    const entered = done.context.model;
    const promise = brokenPromise(technique, entered, back, { before: measureFigures(entered), after });
    const broken = [...differences(measureFigures(done.model), after), ...(promise === undefined ? [] : [promise])];
    const layersTaken = done.layers.filter((l) => l.taken).length;
    if (runtime === undefined) return { broken, layersTaken, run: 'no' };
    const values = technique.promises.includes('function-preserved') ? 'true' : 'stand-ins';
    const written = values === 'true' ? done.model : withStandIns(back, done.model);
    broken.push(...(await runsWell(technique, runtime, model, writeModel(written), values)));
    return { broken, layersTaken, run: values === 'true' ? 'values' : 'form' };
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    if (thrown.code !== 'bad-recipe' && thrown.code !== 'unsupported')
      return { broken: [`${thrown.code}: ${thrown.message}`], layersTaken: 0, run: 'no' };
    const refused = [thrown.where, thrown.hint ?? thrown.message].filter(Boolean).join(': ');
    return { broken: [], layersTaken: 0, refused, run: 'no' };
  }
}
