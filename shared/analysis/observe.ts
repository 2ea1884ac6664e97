/** Owns observe: values of a model tapped while samples run through it, as statistics per channel and rows of layers. */
import { type Cancel, checkCancel } from '../base/cancel.ts';
import { Fault } from '../base/fault.ts';
import { rng } from '../base/random.ts';
import { text } from '../base/text.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model, Node } from '../ir/model.ts';
import { bfloatToNumber, halfToNumber } from '../ir/values.ts';
import { writeModel } from '../onnx/write.ts';
import type { Feeds, RunTensor, Runtime } from '../ports/runtime.ts';
import { axisKey, type ChannelAxis, type ChannelStatistics, type EvidenceRequest, type LayerRows } from './evidence.ts';
import { inferFacts } from './infer-facts.ts';
import { drawRows, type RowSink, rowSink, rowSizes } from './layer-rows.ts';
import { tapped, tapsAtOnce } from './tapped.ts';

/** A run's tensor as numbers, float16 and bfloat16 decoded. */
function numbersOf({ type, data }: RunTensor): ArrayLike<number> {
  if (type === 'float16') return Float32Array.from(data as Uint16Array, halfToNumber);
  if (type === 'bfloat16') return Float32Array.from(data as Uint16Array, bfloatToNumber);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return Float64Array.from(data, Number);
  return data as Float32Array;
}

/** Sums that become moments. */
interface Sums {
  readonly sum: Float64Array;
  readonly abs: Float64Array;
  readonly square: Float64Array;
  count: number;
}

function addTo(sums: Map<string, Sums>, want: ChannelAxis, tensor: RunTensor): void {
  const n = tensor.dims[want.axis] ?? 0;
  const inner = tensor.dims.slice(want.axis + 1).reduce((a, b) => a * b, 1);
  const key = axisKey(want);
  let s = sums.get(key);
  if (s === undefined) {
    s = { sum: new Float64Array(n), abs: new Float64Array(n), square: new Float64Array(n), count: 0 };
    sums.set(key, s);
  }
  const data = numbersOf(tensor);
  for (let at = 0, c = 0; at < data.length; c = (c + 1) % n) {
    let [sum, abs, square] = [0, 0, 0];
    for (let k = 0; k < inner; k++) {
      const v = data[at++] ?? 0;
      sum += v;
      abs += Math.abs(v);
      square += v * v;
    }
    s.sum[c] = (s.sum[c] ?? 0) + sum;
    s.abs[c] = (s.abs[c] ?? 0) + abs;
    s.square[c] = (s.square[c] ?? 0) + square;
  }
  s.count += data.length / Math.max(1, n);
}

/** One thing to watch, and the values it needs. */
interface Watch {
  readonly values: readonly string[];
  take(tensors: Readonly<Record<string, RunTensor>>, batch: number): void;
}

interface Rows {
  readonly node: Node;
  readonly kernel: readonly number[];
  readonly perSample: number;
  readonly sink: RowSink;
}

function rowsOf(model: Model, request: EvidenceRequest): ReadonlyMap<string, Rows> {
  const facts = inferFacts(model);
  const { nodeById } = graphIndex(model.graph);
  return new Map(
    (request.rows ?? []).map(({ node: id, rows }) => {
      const node = nodeById.get(id);
      const sizes = node === undefined ? undefined : rowSizes(facts, node);
      if (node === undefined || sizes === undefined)
        throw new Fault(
          'internal',
          text('rows were asked of a node that has none', '행이 없는 노드에 행을 요청했습니다'),
          { where: id },
        );
      const weight = facts.get(node.inputs[1] ?? '')?.shape ?? [];
      const kernel = weight.slice(2).map((d) => (typeof d === 'number' ? d : 1));
      const perSample = Math.max(1, Math.ceil(rows / Math.max(1, request.samples)));
      return [id, { node, kernel, perSample, sink: rowSink(sizes, rows) }] as const;
    }),
  );
}

function chunks(watches: readonly Watch[]): readonly (readonly Watch[])[] {
  const out: Watch[][] = [];
  for (let at = 0; at < watches.length; at += tapsAtOnce) out.push(watches.slice(at, at + tapsAtOnce));
  return out;
}

const moments = ({ sum, abs, square, count }: Sums): ChannelStatistics => ({
  mean: sum.map((s) => s / count),
  meanAbs: abs.map((s) => s / count),
  meanSquare: square.map((s) => s / count),
  count,
});

const finished = (sink: RowSink): LayerRows => ({
  rows: sink.at,
  inputs: sink.inputs.subarray(0, sink.at * sink.sizes.columns),
  columns: sink.sizes.columns,
  outputs: sink.outputs.subarray(0, sink.at * sink.sizes.width),
  width: sink.sizes.width,
});

export interface Observed {
  readonly channels: ReadonlyMap<string, ChannelStatistics>;
  readonly rows: ReadonlyMap<string, LayerRows>;
}

/**
 * Runs the feeds through the model and watches what `request` asks of channels and rows. Memory: the rows, and one batch of at
 * most 64 watched values. Faults: `no-data` without feeds, `runtime`.
 */
export async function observe(
  runtime: Runtime,
  model: Model,
  request: EvidenceRequest,
  feeds: AsyncIterable<Feeds> | Iterable<Feeds>,
  seed: number,
  cancel: Cancel,
  report: (share: number) => void = () => {},
): Promise<Observed> {
  const sums = new Map<string, Sums>();
  const rows = rowsOf(model, request);
  const placesOf = new Map((request.rows ?? []).map((r) => [r.node, r.as ?? r.node]));
  const watches: Watch[] = [
    ...(request.channels ?? []).map(
      (want): Watch => ({
        values: [want.value],
        take: (t) => {
          const tensor = t[want.value];
          if (tensor !== undefined) addTo(sums, want, tensor);
        },
      }),
    ),
    ...[...rows.values()].map(({ node, kernel, perSample, sink }): Watch => {
      const [x = '', y = ''] = [node.inputs[0], node.outputs[0]];
      return {
        values: [x, y],
        take: (t, batch) => {
          const [into, out] = [t[x], t[y]];
          if (into === undefined || out === undefined) return;
          // By node and batch: another model with the same node is asked at the same places.
          const random = rng(seed).fork(`${placesOf.get(node.id) ?? node.id} ${batch}`);
          const dense = (r: RunTensor) => ({ data: numbersOf(r), dims: r.dims });
          drawRows(node, dense(into), dense(out), kernel, perSample * (into.dims[0] ?? 1), random, sink);
        },
      };
    }),
  ];
  if (watches.length === 0) return { channels: new Map(), rows: new Map() };
  const { producer, initializer } = graphIndex(model.graph);
  const made = (v: string): boolean => producer.has(v) || initializer.has(v);
  const session = await runtime.open({
    bytes: writeModel(tapped(model, watches.flatMap((w) => w.values).filter(made))),
  });
  try {
    let runs = 0;
    for await (const batch of feeds) {
      for (const some of chunks(watches)) {
        checkCancel(cancel);
        const wanted = [...new Set(some.flatMap((w) => w.values))];
        const fetch = wanted.filter(made);
        const got = fetch.length === 0 ? {} : await session.run(batch, fetch);
        for (const w of some) w.take({ ...batch, ...got }, runs);
      }
      runs++;
      const size = Object.values(batch)[0]?.dims[0] ?? 1;
      report(Math.min(1, (runs * size) / Math.max(1, request.samples)));
    }
    if (runs === 0) throw new Fault('no-data', text('no samples to learn from', '배울 샘플이 없습니다'));
    return {
      channels: new Map([...sums].map(([k, s]) => [k, moments(s)])),
      rows: new Map([...rows].map(([id, r]) => [id, finished(r.sink)])),
    };
  } finally {
    await session.release();
  }
}
