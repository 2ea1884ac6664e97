/** Owns this computer on the command line: calibrating it, and what a model takes on it by that calibration. */
import { availableParallelism } from 'node:os';
import type { ShapeChoice } from '#shared/analysis/figures.ts';
import { estimateLatency, type LatencyEstimate } from '#shared/analysis/latency/estimate-latency.ts';
import { type WhyNotFaster, whyNotFaster } from '#shared/analysis/latency/why-not-faster.ts';
import { Fault } from '#shared/base/fault.ts';
import type { Model } from '#shared/ir/model.ts';
import { machineFolder } from '../host/data-folder.ts';
import { readMachine } from '../host/machine-file.ts';
import { openModelFile } from '../host/model-files.ts';
import { runtimeName } from '../host/runtime-name.ts';
import { inProcess } from './job-process.ts';
import { type OutputOptions, print } from './output.ts';
import { root } from './places.ts';
import { count, milliseconds, table } from './table.ts';

/** A figure as every report states it: never without its kind. */
export interface LatencyFigure {
  readonly value: number;
  readonly kind: 'estimated';
  /** Four of five outcomes lie within. */
  readonly plusMinusPercent: number;
}

/** As many as the studio takes, since a profile holds for one number of threads and both keep it in one file. */
const threads = availableParallelism();
const calibration = () => readMachine(machineFolder(), runtimeName(root), threads);

/** A figure, or why there is none: the machine is not calibrated, or a size is unknown. */
export type LatencyHere = LatencyFigure | 'uncalibrated' | 'size';

/** What a model takes on this machine. */
export function latencyHere(model: Model, shapes?: ShapeChoice): LatencyHere {
  const profile = calibration();
  if (profile === undefined) return 'uncalibrated';
  const { ms, plusMinusPercent } = estimateLatency(model, profile, shapes);
  return ms === null || plusMinusPercent === null ? 'size' : { value: ms, kind: 'estimated', plusMinusPercent };
}

const unknownText = {
  uncalibrated: 'unknown (calibrate this computer with "bantam device calibrate", about 60 s)',
  size: 'unknown, because a size is: give it with --shape name=1,3,224,224',
} as const;

export const latencyText = (figure: LatencyHere): string =>
  typeof figure === 'string'
    ? unknownText[figure]
    : `${milliseconds(figure.value)} estimated, plus or minus ${figure.plusMinusPercent.toFixed(0)} %`;

/** Why the second is estimated to be no faster here than the first; empty where it is, or where nothing is known. */
export function whyNotFasterHere(before: Model, after: Model, shapes?: ShapeChoice): readonly WhyNotFaster[] {
  const profile = calibration();
  if (profile === undefined) return [];
  return whyNotFaster(estimateLatency(before, profile, shapes), estimateLatency(after, profile, shapes));
}

/** null: unknown, for whichever reason. */
export const latencyJson = (figure: LatencyHere): LatencyFigure | null => (typeof figure === 'string' ? null : figure);

export interface CalibrateOptions extends OutputOptions {
  readonly seconds?: number;
}

export async function calibrate(options: CalibrateOptions): Promise<void> {
  const result = await inProcess({
    kind: 'job',
    spec: { kind: 'calibrate-machine', seconds: options.seconds ?? 50 },
    models: {},
    out: '',
    threads,
    checkpoint: machineFolder(),
  });
  const done = result.calibrated;
  const profile = calibration();
  if (done === undefined || profile === undefined) throw new Fault('internal', 'the calibration left no profile');
  const { machine, runtime, date, block, spread } = profile;
  print(options, { machine, runtime, date, block, ...done, spread }, () =>
    [
      `${machine}, ${runtime}: calibrated in ${count(done.seconds)} s`,
      `${count(done.samples)} kernels in ${count(done.chains)} chains, ${Object.keys(profile.forms).length} kinds`,
      `of chains left out, half lie within ${(100 * spread.median).toFixed(1)} %, four of five within ${(100 * spread.most).toFixed(1)} %`,
    ].join('\n'),
  );
}

const shown = 20;

function estimateText(found: LatencyEstimate): string {
  const slowest = [...found.layers]
    .sort((a, b) => (b.ms ?? Number.MAX_VALUE) - (a.ms ?? Number.MAX_VALUE))
    .slice(0, shown);
  const { ms, plusMinusPercent } = found;
  return [
    'This computer: ESTIMATED, not measured',
    '',
    ms === null || plusMinusPercent === null
      ? `latency: ${latencyText('size')}`
      : `latency: ${latencyText({ value: ms, kind: 'estimated', plusMinusPercent })}; changes of layout ${milliseconds(found.reorderMs)} of it`,
    ...(found.guessed.length > 0
      ? [`guessed, because calibration has met no such kernel: ${found.guessed.join(', ')}`]
      : []),
    '',
    table(
      ['layer', 'operator', 'kernel', 'time', ''],
      slowest.map((l) => [
        l.id,
        l.op,
        l.form ?? 'with another',
        l.ms === null ? 'unknown' : milliseconds(l.ms),
        l.guessed ? 'guessed' : '',
      ]),
    ),
    ...(found.layers.length > shown ? [`and ${count(found.layers.length - shown)} more (--json lists all)`] : []),
  ].join('\n');
}

/** Faults: `not-found` where this machine is not calibrated. */
export function estimateHere(
  path: string,
  shapesOf: (model: Model) => ShapeChoice | undefined,
  options: OutputOptions,
): void {
  const profile = calibration();
  if (profile === undefined)
    throw new Fault('not-found', 'this computer has not been calibrated with this runtime', {
      hint: 'Calibrate it with "bantam device calibrate" (about 60 s), or name another device with --device.',
    });
  const model = openModelFile(path);
  const found = estimateLatency(model, profile, shapesOf(model));
  print(options, { device: 'this', kind: 'estimated', ...found }, () => estimateText(found));
}
