/** Owns what `bantam reproduce deep-compression` prints: means over seeds, every seed, each stage beside the paper's figure. */
import type { WorkParts } from '../../jobs/work-parts.ts';
import { type OutputOptions, print } from '../output.ts';
import { type RunOptions, withParts } from '../parts.ts';
import { corpusFolder } from '../places.ts';
import { count, table } from '../table.ts';
import {
  deepCompressionNets,
  fullSchedule,
  openDigits,
  runSeed,
  type Schedule,
  type SeedRun,
  type Stage,
} from './deep-compression.ts';

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const meanOrNull = (values: readonly (number | null)[]): number | null => {
  const known = values.flatMap((v) => v ?? []);
  return known.length === values.length ? mean(known) : null;
};

export interface NetReport {
  readonly name: string;
  readonly denseBytes: number;
  readonly archiveBytes: number;
  readonly ratio: number;
  readonly errorBefore: number;
  readonly errorAfter: number;
  readonly control: number;
  readonly seeds: readonly SeedRun[];
  readonly stages: readonly Stage[];
}

/** Means over the seeds of one net. */
export function reportOf(name: string, seeds: readonly SeedRun[]): NetReport {
  const of = (pick: (s: SeedRun) => number): number => mean(seeds.map(pick));
  const stages = (seeds[0]?.stages ?? []).map((first, k): Stage => {
    const all = seeds.flatMap((s) => s.stages[k] ?? []);
    return {
      ...first,
      bytes: mean(all.map((s) => s.bytes)),
      ratio: mean(all.map((s) => s.ratio)),
      error: mean(all.map((s) => s.error)),
      mnistTest: meanOrNull(all.map((s) => s.mnistTest)),
    };
  });
  return {
    name,
    denseBytes: seeds[0]?.stages[0]?.bytes ?? 0,
    archiveBytes: of((s) => s.archiveBytes),
    ratio: of((s) => s.ratio),
    errorBefore: of((s) => s.errorBefore),
    errorAfter: of((s) => s.errorAfter),
    control: of((s) => s.control),
    seeds,
    stages,
  };
}

const points = (n: number | null): string => (n === null ? 'unknown' : `${n.toFixed(2)} %`);
const times = (n: number): string => `${n.toFixed(1)}x`;

export function reportText(nets: readonly NetReport[]): string {
  return nets
    .map((n) => {
      const stages = table(
        ['stage', 'bytes', 'ratio', 'paper', 'error', 'MNIST test'],
        n.stages.map((s) => [
          s.stage,
          count(Math.round(s.bytes)),
          times(s.ratio),
          times(s.paperRatio),
          points(s.error),
          points(s.mnistTest),
        ]),
      );
      const seeds = table(
        ['seed', 'archive bytes', 'ratio', 'error dense', 'error after', 'dense control', 'seconds'],
        n.seeds.map((s) => [
          String(s.seed),
          count(s.archiveBytes),
          times(s.ratio),
          points(s.errorBefore),
          points(s.errorAfter),
          points(s.control),
          s.seconds.toFixed(0),
        ]),
      );
      const loss = n.errorAfter - n.errorBefore;
      return [
        `${n.name}: ${times(n.ratio)}, error ${points(n.errorBefore)} -> ${points(n.errorAfter)} (${loss >= 0 ? '+' : ''}${loss.toFixed(2)} points; dense control ${points(n.control)})`,
        stages,
        seeds,
      ].join('\n\n');
    })
    .join('\n\n');
}

/** Both nets with these seeds (1, 2, ...). */
export async function deepCompressionReport(
  parts: WorkParts,
  seeds: number,
  schedule: Schedule = fullSchedule,
): Promise<readonly NetReport[]> {
  const data = await openDigits(corpusFolder());
  const reports: NetReport[] = [];
  for (const net of deepCompressionNets) {
    const runs: SeedRun[] = [];
    for (let seed = 1; seed <= seeds; seed++) runs.push(await runSeed(parts, data, net, seed, schedule));
    reports.push(reportOf(net.name, runs));
  }
  return reports;
}

export interface DeepCompressionOptions extends OutputOptions, RunOptions {
  readonly seeds?: number;
}

export async function reproduceDeepCompression(options: DeepCompressionOptions): Promise<void> {
  const models = await withParts(options, (parts) => deepCompressionReport(parts, options.seeds ?? 1));
  print(options, { models }, () => reportText(models));
}
