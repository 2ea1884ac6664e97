/**
 * Owns calibrate: activation ranges of values from running samples through the model. Min-max; percentile (99.99 % of the values);
 * entropy (Migacz, "8-bit inference with TensorRT", 2017: the clipping that loses the least information, KL over 2048 bins); mse (the clipping of least squared error).
 */
import { type Cancel, checkCancel } from '../base/cancel.ts';
import { Fault } from '../base/fault.ts';
import { text } from '../base/text.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model } from '../ir/model.ts';
import { writeModel } from '../onnx/write.ts';
import type { Feeds, RunTensor, Runtime, Session } from '../ports/runtime.ts';
import { clippedRange, Histogram } from './histogram.ts';
import type { CalibrationRequest, Range, Ranges } from './ranges.ts';
import { tapped, tapsAtOnce } from './tapped.ts';

async function* observed(session: Session, feeds: Feeds, values: readonly string[]) {
  const fed = values.filter((v) => v in feeds);
  for (const name of fed) yield [name, feeds[name] as RunTensor] as const;
  const made = values.filter((v) => !(v in feeds));
  for (let at = 0; at < made.length; at += tapsAtOnce) {
    const some = made.slice(at, at + tapsAtOnce);
    const got = await session.run(feeds, some);
    for (const name of some) if (got[name] !== undefined) yield [name, got[name]] as const;
  }
}

/** Samples as the model's inputs; iterated twice by percentile and entropy, so an iterable that starts anew each time. */
export type CalibrationFeeds = Iterable<Feeds> | AsyncIterable<Feeds>;

/**
 * Runs the feeds through the model and gives the ranges of the requested values. A value that stayed empty or not finite faults
 * `runtime`; no feeds at all, `no-data`. Memory: one batch of at most 64 tapped values, and 2048 bins a value.
 */
export async function calibrate(
  runtime: Runtime,
  model: Model,
  request: CalibrationRequest,
  feeds: CalibrationFeeds,
  cancel: Cancel,
  report: (share: number) => void = () => {},
): Promise<Ranges> {
  const { producer, requiredInputs } = graphIndex(model.graph);
  const inputs = new Set(requiredInputs.map((i) => i.name));
  const values = request.values.filter((v) => producer.has(v) || inputs.has(v));
  const made = values.filter((v) => producer.has(v));
  const session = await runtime.open({ bytes: writeModel(tapped(model, made)) });
  try {
    const ranges = new Map<string, Range>();
    let runs = 0;
    const passes = request.method === 'min-max' ? 1 : 2;
    for await (const batch of feeds) {
      checkCancel(cancel);
      for await (const [name, tensor] of observed(session, batch, values))
        ranges.set(name, widened(ranges.get(name), tensor));
      runs++;
      report(Math.min(1, (runs * batchSize(batch)) / request.samples) / passes);
    }
    if (runs === 0) throw new Fault('no-data', text('no samples to calibrate with', '보정할 샘플이 없습니다'));
    if (passes === 2) await clip(session, values, ranges, request, feeds, cancel, report);
    report(1);
    return rangesOf(ranges);
  } finally {
    await session.release();
  }
}

const batchSize = (feeds: Feeds): number => Object.values(feeds)[0]?.dims[0] ?? 1;

function widened(range: Range | undefined, tensor: RunTensor): Range {
  let min = range?.min ?? Number.POSITIVE_INFINITY;
  let max = range?.max ?? Number.NEGATIVE_INFINITY;
  for (const v of tensor.data as Float32Array) {
    if (v < min) min = v;
    if (v > max) max = v;
  }
  return { min, max };
}

async function clip(
  session: Session,
  values: readonly string[],
  ranges: Map<string, Range>,
  request: CalibrationRequest,
  feeds: CalibrationFeeds,
  cancel: Cancel,
  report: (share: number) => void,
): Promise<void> {
  const histograms = new Map<string, Histogram>();
  for (const [name, range] of ranges) histograms.set(name, new Histogram(range));
  let runs = 0;
  for await (const batch of feeds) {
    checkCancel(cancel);
    for await (const [name, tensor] of observed(session, batch, values))
      histograms.get(name)?.add(tensor.data as Float32Array);
    runs++;
    report(0.5 + Math.min(1, (runs * batchSize(batch)) / request.samples) / 2);
  }
  for (const [name, histogram] of histograms)
    ranges.set(name, clippedRange(histogram, request.method === 'min-max' ? 'percentile' : request.method));
}

function rangesOf(ranges: ReadonlyMap<string, Range>): Ranges {
  return (value) => {
    const range = ranges.get(value);
    if (range === undefined)
      throw new Fault('no-data', text('this value was not calibrated', '이 값은 보정되지 않았습니다'), {
        where: value,
      });
    if (!Number.isFinite(range.min) || !Number.isFinite(range.max))
      throw new Fault('runtime', text('its values are empty or not finite', '값이 비어 있거나 유한하지 않습니다'), {
        where: value,
      });
    return range;
  };
}
