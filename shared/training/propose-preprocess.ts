/** Owns proposePreprocess: common preprocessings tried on a few labelled training samples, the best first, with its figures. */
import { measureFigures } from '../analysis/measure-figures.ts';
import { type Cancel, checkCancel, neverCancelled } from '../base/cancel.ts';
import { type Fault, toFault } from '../base/fault.ts';
import type { Dataset, DatasetInfo } from '../ports/dataset.ts';
import type { Runtime, Session } from '../ports/runtime.ts';
import { runBatches } from './batches.ts';
import { argmax, classCount, floatsOf } from './class-scores.ts';
import { runOver, type Subject, sourceOf } from './evaluate.ts';
import { layoutOf, modelInput } from './model-input.ts';
import { preprocessPresets } from './preprocess.ts';
import type { Preprocess } from './preprocess-schema.ts';

export interface Proposal {
  /** A preset's name, and what was changed of it: "imagenet, bgr". */
  readonly name: string;
  readonly preprocess: Preprocess;
  /** Share of `samples` training samples answered right. */
  readonly top1: number;
  readonly samples: number;
}

export interface ProposeOptions {
  readonly samples?: number;
  readonly output?: string;
  readonly cancel?: Cancel;
  readonly progress?: (share: number) => void;
}

interface Tried extends Proposal {
  readonly loss: number;
}

/** Scores as logarithms: probabilities and log-probabilities are recognised, other scores stand as they are. */
function logarithms(row: Float32Array): Float32Array {
  const sum = row.reduce((a, b) => a + b, 0);
  const shares = row.every((v) => v >= 0 && v <= 1.001) && Math.abs(sum - 1) < 0.01;
  return shares ? row.map((v) => Math.log(Math.max(v, 1e-12))) : row;
}

const temperatures = [64, 32, 16, 8, 4, 2, 1, 0.5, 0.25, 1 / 16];

/**
 * Mean negative log-likelihood at the temperature that suits it best (Guo et al. 2017): what tells apart candidates that answer
 * alike. Without the temperature, larger inputs would win by larger scores.
 */
export function calibratedLoss(rows: readonly Float32Array[], labels: readonly number[]): number {
  const logs = rows.map(logarithms);
  const at = (t: number): number => {
    let sum = 0;
    for (const [n, row] of logs.entries()) {
      const top = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
      const whole = row.reduce((a, b) => a + Math.exp((b - top) / t), 0);
      sum += Math.log(whole) - ((row[labels[n] ?? 0] ?? Number.NEGATIVE_INFINITY) - top) / t;
    }
    return sum / Math.max(1, rows.length);
  };
  return temperatures.map(at).reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
}

interface Trial {
  readonly session: Session;
  readonly subject: Subject;
  readonly dataset: Dataset;
  readonly count: number;
  readonly options: ProposeOptions;
}

/** How one candidate does; undefined where the output is no class score. */
async function tryOne(t: Trial, name: string, preprocess: Preprocess): Promise<Tried | undefined> {
  const { output, cancel } = t.options;
  const fetch = output === undefined ? undefined : [output];
  const run = runOver(t.session, t.subject, t.dataset, 'train', preprocess, t.count, fetch);
  const rows: Float32Array[] = [];
  const labels: number[] = [];
  let [right, scored] = [0, true];
  await runBatches({ ...run, ...(cancel === undefined ? {} : { cancel }) }, (outputs, indices) => {
    const tensor = outputs[output ?? t.session.outputNames[0] ?? ''];
    const classes = tensor === undefined ? undefined : classCount(tensor.dims, indices.length);
    if (tensor === undefined || classes === undefined || classes < 2) {
      scored = false;
      return;
    }
    const scores = floatsOf(tensor);
    for (const [n, i] of indices.entries()) {
      const label = run.labels.get(i) ?? -1;
      if (argmax(scores, n, classes) === label) right++;
      rows.push(scores.slice(n * classes, (n + 1) * classes));
      labels.push(label);
    }
  });
  if (!scored) return undefined;
  return { name, preprocess, top1: right / t.count, samples: t.count, loss: calibratedLoss(rows, labels) };
}

type Named = readonly [string, Preprocess];

/** Layouts that the input's shape leaves open beside the one it suggests; named. */
function otherLayouts(
  info: DatasetInfo['sample'],
  subject: Subject,
): readonly (readonly [string, Preprocess['layout']])[] {
  if (info.kind === 'vector') return [];
  const { shape } = modelInput(subject.model);
  const layout = layoutOf(shape);
  if (layout === 'flat') return info.channels === 3 ? [['pixel by pixel', 'flat-hwc']] : [];
  const [, channels, , last] = shape;
  // A dimension of more than four is no channel.
  const sized = (d: unknown): boolean => typeof d === 'number' && d > 4;
  if (layout === 'nchw') return sized(last) ? [] : [['NHWC', 'nhwc']];
  return sized(channels) ? [] : [['NCHW', 'nchw']];
}

/** What may be turned of a preprocessing, one thing at a time: order of colours, inversion, way of resizing. */
function variants(p: Preprocess, info: DatasetInfo['sample'], subject: Subject): readonly Named[] {
  const inverted: Named = [p.invert ? 'not inverted' : 'inverted', { ...p, invert: !p.invert }];
  if (info.kind === 'vector') return [inverted];
  const { shape } = modelInput(subject.model);
  const layout = p.layout ?? layoutOf(shape);
  const [, a, b, c] = shape;
  const turned = p.colour === 'bgr' ? 'rgb' : 'bgr';
  const colours: Named[] =
    info.channels === 3 && !shape.slice(1).includes(1) ? [[turned, { ...p, colour: turned }]] : [];
  const [height, width] = layout === 'nhwc' ? [a, b] : [b, c];
  const same = (info.height === height && info.width === width) || layout.startsWith('flat');
  const other = p.resize === 'crop' ? 'fit' : 'crop';
  return [...colours, inverted, ...(same ? [] : [[other, { ...p, resize: other }] as Named])];
}

const better = (a: Tried, b: Tried): boolean => a.top1 > b.top1 || (a.top1 === b.top1 && a.loss < b.loss);

/** A minute's work at most on a slow machine: few samples where one costs much. */
const work = 2e10;
const samplesFor = (macs: number | null): number =>
  Math.round(Math.min(200, Math.max(24, work / Math.max(1, macs ?? 1e8))));

/**
 * Tries the presets on labelled training samples, then turns the best one's colours, layout, inversion and resizing, and returns all
 * that were tried, best first: by answers, then by likelihood. A wrong preprocessing fails silently: 99 % becomes 60 %. Empty
 * without labels or class scores. Faults: those of feeding, where no candidate fits.
 */
export async function proposePreprocess(
  runtime: Runtime,
  subject: Subject,
  dataset: Dataset,
  options: ProposeOptions = {},
): Promise<readonly Proposal[]> {
  if (!dataset.info.labelled || dataset.info.counts.train === 0) return [];
  const wanted = options.samples ?? samplesFor(measureFigures(subject.model).macs);
  const session = await runtime.open(sourceOf(subject));
  try {
    const count = Math.min(wanted, dataset.info.counts.train);
    const trial: Trial = { session, subject, dataset, count, options };
    const found: Tried[] = [];
    const asked = new Set<string>();
    let refused: Fault | undefined;
    const info = dataset.info.sample;
    const vector = info.kind === 'vector';
    // Plain numbers have no colours; as they stand is what they most often are.
    const presets = Object.entries(preprocessPresets).filter(([name]) => !vector || !/imagenet|cifar|caffe/.test(name));
    const attempt = async (name: string, preprocess: Preprocess): Promise<void> => {
      checkCancel(options.cancel ?? neverCancelled);
      const key = JSON.stringify(preprocess);
      if (asked.has(key)) return;
      asked.add(key);
      try {
        const tried = await tryOne(trial, name, preprocess);
        if (tried !== undefined) found.push(tried);
      } catch (thrown) {
        refused ??= toFault(thrown);
        if (!['does-not-fit', 'bad-input', 'runtime'].includes(refused.code)) throw thrown;
      }
      options.progress?.(Math.min(1, found.length / (presets.length + 4)));
    };
    for (const [name, preprocess] of presets) await attempt(name, preprocess);
    for (const [what, layout] of otherLayouts(info, subject))
      for (const [name, preprocess] of presets)
        await attempt(`${name}, ${what}`, layout === undefined ? preprocess : { ...preprocess, layout });
    const best = (): Tried | undefined =>
      found.reduce<Tried | undefined>((a, b) => (a === undefined || better(b, a) ? b : a), undefined);
    // Each turn starts from the best so far, so that a turned colour is kept when the next thing is turned.
    for (let k = 0; ; k++) {
      const top = best();
      const next = top === undefined ? undefined : variants(top.preprocess, info, subject)[k];
      if (top === undefined || next === undefined) break;
      await attempt(`${top.name}, ${next[0]}`, next[1]);
    }
    if (found.length === 0 && refused !== undefined) throw refused;
    return [...found]
      .sort((a, b) => (better(a, b) ? -1 : better(b, a) ? 1 : 0))
      .map(({ loss: _loss, ...proposal }) => proposal);
  } finally {
    await session.release();
  }
}
