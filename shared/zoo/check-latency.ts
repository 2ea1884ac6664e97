/** Owns the check of device estimates against published latencies of the zoo's networks. */
import { median } from 'simple-statistics';
import { worksOf } from '../analysis/latency/works-of.ts';
import { deviceOf } from '../devices/catalogue.ts';
import { estimateOn } from '../devices/estimate.ts';
import type { LayerType, LayerWork } from '../devices/layer-work.ts';
import { buildFromZoo } from './index.ts';
import { type PublishedLatency, publishedLatencies } from './published-latency.ts';

export interface LatencyCheck extends PublishedLatency {
  readonly title: string;
  readonly address: string;
  readonly estimatedMs: number | null;
  /** (estimated - published) / published; null where nothing could be estimated. */
  readonly error: number | null;
}

const widths: Readonly<Partial<Record<LayerType, number>>> = { fp32: 4, fp16: 2, int8: 1 };

/** The layers of a float network as if all were computed in `type`: same work, bytes by the type's width. */
export function retyped(layers: readonly LayerWork[], type: PublishedLatency['type']): readonly LayerWork[] {
  const share = (widths[type] ?? 4) / 4;
  const part = (bytes: number | null): number | null => (bytes === null ? null : bytes * share);
  return layers.map((l) =>
    l.type !== 'fp32' || type === 'fp32'
      ? l
      : {
          ...l,
          type,
          bytesRead: part(l.bytesRead),
          bytesWritten: part(l.bytesWritten),
          weightBytes: part(l.weightBytes),
        },
  );
}

function layersOf({ net, width, size }: PublishedLatency): readonly LayerWork[] {
  const model = buildFromZoo(net, {
    ...(width === undefined ? {} : { width }),
    ...(size === undefined ? {} : { input: [3, size, size] as const }),
  });
  return worksOf(model).layers;
}

let all: readonly LatencyCheck[] | undefined;

/** Published latencies, all or those given, beside their estimates. */
export function checkLatencies(rows?: readonly PublishedLatency[]): readonly LatencyCheck[] {
  if (rows !== undefined) return check(rows);
  all ??= check(publishedLatencies);
  return all;
}

function check(rows: readonly PublishedLatency[]): readonly LatencyCheck[] {
  const known = new Map<string, readonly LayerWork[]>();
  return rows.map((row) => {
    const key = `${row.net} ${row.width} ${row.size}`;
    const found = known.get(key) ?? layersOf(row);
    known.set(key, found);
    const profile = deviceOf(row.device);
    const estimatedMs = estimateOn(profile, retyped(found, row.type), row.unit)?.ms ?? null;
    const source = profile.sources[row.source];
    return {
      ...row,
      title: source?.title ?? row.source,
      address: source?.address ?? '',
      estimatedMs,
      error: estimatedMs === null ? null : (estimatedMs - row.ms) / row.ms,
    };
  });
}

/** Median of the absolute errors of what was not fitted; null where nothing could be estimated. */
export function medianError(checks: readonly LatencyCheck[]): number | null {
  const errors = checks.flatMap((c) => (c.fitted || c.error === null ? [] : [Math.abs(c.error)]));
  return errors.length === 0 ? null : median(errors);
}
