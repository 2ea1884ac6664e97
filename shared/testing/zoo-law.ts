/**
 * Owns the law on the zoo: every technique on every network, small (width 0.25, the least pictures its layers take) as CI holds it, or
 * at full size without writing the weights out: what the preview says must be what its written graph says when it is read again.
 */
import type { Figures } from '../analysis/figures.ts';
import { measureFigures } from '../analysis/measure-figures.ts';
import { Fault } from '../base/fault.ts';
import { fieldDefaults } from '../base/fields.ts';
import { elementCount, rawByteLength } from '../ir/element-type.ts';
import type { Model } from '../ir/model.ts';
import { lazyTensor } from '../ir/tensor.ts';
import { readSkeleton, skeletonOf } from '../onnx/skeleton.ts';
import { rewriteStep } from '../recipes/rewrite-step.ts';
import type { Technique } from '../techniques/declare.ts';
import { brokenPromise } from '../techniques/promises.ts';
import type { ZooEntry } from '../zoo/declare.ts';
import { buildFromZoo } from '../zoo/index.ts';

/** One small network of each kind of block: CI holds these; all of them, small, are held by `npm run law`. */
const small: ReadonlySet<string> = new Set([
  ...['lenet-5', 'resnet-20', 'preresnet-20', 'bottleneck-digits', 'densenet-digits', 'squeezenet-1.1'],
  ...['mobilenet-digits', 'mobilenet-v2-digits', 'shufflenet-digits'],
]);
export const heldInCi = (entry: ZooEntry): boolean => small.has(entry.id);

/** The least width and height that the layers take: most go down by 32, some heads want more. */
const least: Readonly<Record<string, number>> = { alexnet: 64, googlenet: 48, 'inception-v3': 96 };

export function smallFromZoo(entry: ZooEntry): Model {
  const [channels, height, width] = entry.input;
  const side = least[entry.id] ?? 32;
  const input = [channels, Math.min(side, height), Math.min(side, width)] as const;
  return buildFromZoo(entry.id, { width: entry.scales ? 0.25 : 1, input, classes: Math.min(10, entry.classes) });
}

export interface FullLaw {
  /** What does not hold, a line each. */
  readonly broken: readonly string[];
  readonly layersTaken: number;
  /** Why nothing is taken; undefined where something is. */
  readonly refused?: string;
  /** Why it was not tried. */
  readonly skipped?: string;
}

/** Weights up to this many are those of the seed; above it they are zeros, quickly made, and their ranking would say nothing. */
const seededParameters = 30_000_000;

/** A network of the zoo at its published size. */
export function fullFromZoo(entry: ZooEntry): Model {
  const model = buildFromZoo(entry.id);
  if (measureFigures(model).parameters <= seededParameters) return model;
  const initializers = model.graph.initializers.map((t) =>
    t.type === 'float'
      ? lazyTensor(t.name, t.type, t.dims, () => new Uint8Array(rawByteLength(t.type, elementCount(t.dims))))
      : t,
  );
  return { ...model, graph: { ...model.graph, initializers } };
}

const compared = ['parameters', 'macs', 'fileBytes', 'opset', 'nodes', 'peakActivationBytes'] as const;

const differences = (said: Figures, read: Figures): readonly string[] =>
  compared.flatMap((key) => (said[key] === read[key] ? [] : [`${key}: predicted ${said[key]}, written ${read[key]}`]));

/**
 * One technique with its first case on one network at full size. The written file is the skeleton: the same graph and byte counts,
 * large tensors without values.
 */
export function fullLaw(technique: Technique, model: Model, figures: Figures): FullLaw {
  const [one] = technique.cases;
  const params = { ...fieldDefaults(technique.params), ...one?.params };
  if (technique.exactness(params) !== 'shape' && figures.parameters > seededParameters)
    return { broken: [], layersTaken: 0, skipped: 'its form depends on the values of more than 30 million weights' };
  const given = Object.entries(one?.params ?? {}).flatMap(([k, v]) => (v === undefined ? [] : [[k, v] as const]));
  const step = { technique: technique.id, select: { all: true as const }, params: Object.fromEntries(given) };
  try {
    // Nothing is run, so ranges are made up: the form does not depend on them.
    const done = rewriteStep(model, step, { number: 1, seed: 1, ranges: () => ({ min: -1, max: 1 }) });
    const back = readSkeleton(skeletonOf(done.model));
    const after = measureFigures(back);
    const entered = done.context.model;
    const promise = brokenPromise(technique, entered, back, { before: measureFigures(entered), after });
    const broken = [...differences(measureFigures(done.model), after), ...(promise === undefined ? [] : [promise])];
    return { broken, layersTaken: done.layers.filter((l) => l.taken).length };
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    if (thrown.code !== 'bad-recipe' && thrown.code !== 'unsupported')
      return { broken: [`${thrown.code}: ${thrown.message}`], layersTaken: 0 };
    return {
      broken: [],
      layersTaken: 0,
      refused: [thrown.where, thrown.hint ?? thrown.message].filter(Boolean).join(': '),
    };
  }
}
