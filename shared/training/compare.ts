/** Owns compare: how far one model's outputs, and its layers' where both name them alike, are from another's. */
import type { Cancel } from '../base/cancel.ts';
import { Fault } from '../base/fault.ts';
import { text } from '../base/text.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model, ValueInfo } from '../ir/model.ts';
import { embedded } from '../onnx/embedded.ts';
import { writeModel } from '../onnx/write.ts';
import type { Dataset, Split } from '../ports/dataset.ts';
import type { RunTensor, Runtime } from '../ports/runtime.ts';
import { type BatchRun, batchSize } from './batches.ts';
import { argmax, classCount, floatsOf } from './class-scores.ts';
import { type Subject, sourceOf } from './evaluate.ts';
import { modelInput } from './model-input.ts';
import { preprocessBatch, startingPreprocess } from './preprocess.ts';
import type { Preprocess } from './preprocess-schema.ts';
import { randomBatch } from './random-samples.ts';

export interface CompareOptions {
  /** Samples to run; without it seeded random input. */
  readonly dataset?: Dataset;
  /** Validation by default: comparing is no accuracy, and may be looked at while choosing. Only `evaluate` says test. */
  readonly split?: Split;
  readonly preprocess?: Preprocess;
  readonly samples?: number;
  readonly seed?: number;
  /** Compare inner values too (default true where both files are small enough to be written with taps). */
  readonly layers?: boolean;
  readonly cancel?: Cancel;
}

/** As `comparisonSchema` of the contract has it. */
export interface ComparisonResult {
  agreement: number | null;
  maxAbsError: number;
  sqnrDb: number | null;
  samples: number;
  layers: { name: string; sqnrDb: number | null; maxAbsError: number }[];
}

/** Signal and noise sums of one value. */
class Difference {
  #signal = 0;
  #noise = 0;
  maxAbsError = 0;
  /** Values of different sizes cannot be told apart element by element. */
  comparable = true;

  add(a: Float32Array, b: Float32Array): void {
    if (a.length !== b.length) {
      this.comparable = false;
      return;
    }
    for (let i = 0; i < a.length; i++) {
      const x = a[i] ?? 0;
      const d = (b[i] ?? 0) - x;
      // Equal infinities differ by NaN, yet are equal.
      if (d === 0 || x === b[i]) {
        this.#signal += Number.isFinite(x) ? x * x : 0;
        continue;
      }
      this.#signal += x * x;
      this.#noise += d * d;
      const abs = Math.abs(d);
      if (!(abs <= this.maxAbsError)) this.maxAbsError = Number.isNaN(abs) ? Number.POSITIVE_INFINITY : abs;
    }
  }

  /** 10 log10(signal / noise); null: identical. */
  get sqnrDb(): number | null {
    if (this.#noise === 0) return null;
    const db = 10 * Math.log10(this.#signal / this.#noise);
    return Number.isFinite(db) ? db : Number.isNaN(db) ? -Number.MAX_VALUE : Math.sign(db) * Number.MAX_VALUE;
  }
}

const mostTaps = 200;

/** Values that nodes of both models make under one name, in a's order; graph outputs left out. */
function commonValues(a: Model, b: Model): readonly string[] {
  const theirs = new Set(b.graph.nodes.flatMap((n) => n.outputs));
  const outputs = graphIndex(a.graph).outputNames;
  const skip = new Set(['Constant', 'Shape', 'Gather', 'Cast', 'Identity']);
  const found = graphIndex(a.graph).order.flatMap((n) =>
    skip.has(n.op) ? [] : n.outputs.slice(0, 1).filter((o) => o !== '' && theirs.has(o) && !outputs.has(o)),
  );
  const step = Math.max(1, Math.ceil(found.length / mostTaps));
  return found.filter((_, i) => i % step === 0);
}

/** The model with these values as further outputs (the runtime finds their types). */
function tapped(model: Model, names: readonly string[]): Model {
  const outputs: ValueInfo[] = names.map((name) => ({ name, type: { kind: 'unknown' } }));
  return { ...model, graph: { ...model.graph, outputs: [...model.graph.outputs, ...outputs] } };
}

const isFloat = (t: RunTensor | undefined): t is RunTensor =>
  t !== undefined && (t.type === 'float' || t.type === 'double' || t.type === 'float16');

/**
 * Runs both on the same samples. agreement: share with the same argmax, where output 0 is class scores. SQNR over all
 * float outputs. Layers: values of the same name and size. Faults: those of `evaluate`; `does-not-fit` for outputs of other
 * sizes, or none of floats.
 */
export async function compare(
  runtime: Runtime,
  a: Subject,
  b: Subject,
  options: CompareOptions = {},
): Promise<ComparisonResult> {
  const taps = options.layers === false ? [] : commonValues(a.model, b.model);
  const source = (s: Subject) =>
    taps.length === 0 ? sourceOf(s) : { bytes: writeModel(tapped(embedded(s.model), taps)) };
  const split = options.split ?? 'validation';
  const data = options.dataset;
  const count = Math.min(options.samples ?? 200, data?.info.counts[split] ?? 16);
  const maker = (model: Model): BatchRun['make'] => {
    const input = modelInput(model);
    if (data === undefined) return async (indices) => randomBatch(input, indices, options.seed ?? 1);
    const p = options.preprocess ?? startingPreprocess(data.info.sample);
    return async (indices) => preprocessBatch(await data.read(split, indices), data.info.sample, input, p);
  };
  const first = await runtime.open(source(a), { restful: true });
  try {
    const second = await runtime.open(source(b), { restful: true });
    try {
      const cancel = options.cancel === undefined ? {} : { cancel: options.cancel };
      const runs = [
        { session: first, input: modelInput(a.model), count, make: maker(a.model), ...cancel },
        { session: second, input: modelInput(b.model), count, make: maker(b.model), ...cancel },
      ] as const;
      return await compareRuns(runs, a, b, taps, count);
    } finally {
      await second.release();
    }
  } finally {
    await first.release();
  }
}

/** Outputs of different sizes say nothing about each other: never "identical". */
const incomparable = (name: string, a: RunTensor, b: RunTensor): Fault =>
  new Fault(
    'does-not-fit',
    text(
      `the outputs cannot be compared: ${a.dims.join(' x ')} and ${b.dims.join(' x ')}`,
      `출력을 비교할 수 없습니다: ${a.dims.join(' x ')}와(과) ${b.dims.join(' x ')}`,
    ),
    {
      where: name,
      hint: text('Compare two versions of one model.', '한 모델의 두 버전을 비교하세요.'),
    },
  );

async function compareRuns(
  runs: readonly [BatchRun, BatchRun],
  a: Subject,
  b: Subject,
  taps: readonly string[],
  count: number,
): Promise<ComparisonResult> {
  const outputsA = a.model.graph.outputs.map((o) => o.name);
  const outputsB = b.model.graph.outputs.map((o) => o.name);
  const whole = new Difference();
  const layers = new Map(taps.map((name) => [name, new Difference()]));
  let same = 0;
  let scored = true;
  let compared = false;
  const size = Math.min(await batchSize(runs[0]), await batchSize(runs[1]));
  for (let from = 0; from < count; from += size) {
    const indices = Array.from({ length: size }, (_, i) => Math.min(from + i, count - 1));
    const real = Math.min(size, count - from);
    const [x, y] = await Promise.all(runs.map(async (r) => r.session.run({ [r.input.name]: await r.make(indices) })));
    if (x === undefined || y === undefined) continue;
    for (const [k, name] of outputsA.entries()) {
      const [p, q] = [x[name], y[outputsB[k] ?? '']];
      if (!isFloat(p) || !isFloat(q)) {
        if (k === 0) scored = false;
        continue;
      }
      if (p.data.length !== q.data.length) throw incomparable(name, p, q);
      compared = true;
      whole.add(floatsOf(p), floatsOf(q));
      const classes = classCount(p.dims, size);
      if (k > 0) continue;
      if (classes === undefined || classes < 2 || classCount(q.dims, size) !== classes) scored = false;
      else
        for (let n = 0; n < real; n++) if (argmax(floatsOf(p), n, classes) === argmax(floatsOf(q), n, classes)) same++;
    }
    for (const [name, difference] of layers) {
      const [p, q] = [x[name], y[name]];
      if (isFloat(p) && isFloat(q) && p.dims.join() === q.dims.join()) difference.add(floatsOf(p), floatsOf(q));
      else difference.comparable = false;
    }
  }
  if (!compared)
    throw new Fault(
      'does-not-fit',
      text(
        'the models share no output of floating-point numbers to compare',
        '두 모델에 공통된 실수 출력이 없어 비교할 수 없습니다',
      ),
      {
        where: outputsA.join(', '),
      },
    );
  return {
    agreement: scored && count > 0 ? same / count : null,
    maxAbsError: whole.maxAbsError,
    sqnrDb: whole.sqnrDb,
    samples: count,
    layers: [...layers].flatMap(([name, d]) =>
      d.comparable ? [{ name, sqnrDb: d.sqnrDb, maxAbsError: d.maxAbsError }] : [],
    ),
  };
}
