/** Owns `bantam estimate`: a model's time, memory and energy on another device, by a profile or by a table, or its time here. */
import { worksOf } from '#shared/analysis/latency/works-of.ts';
import { Fault } from '#shared/base/fault.ts';
import { type DeviceEstimate, estimateOn } from '#shared/devices/estimate.ts';
import { estimateByTable, readLatencyTable, type TableEstimate } from '#shared/devices/latency-table.ts';
import type { DeviceProfile } from '#shared/devices/profile.ts';
import { refusalWords } from '#shared/devices/words.ts';
import { openModelFile } from '../host/model-files.ts';
import { findDevice } from './device.ts';
import type { ShapeOption } from './inspect.ts';
import { readText } from './options.ts';
import { type OutputOptions, print } from './output.ts';
import { shapeChoice } from './shapes.ts';
import { bytes, count, milliseconds, table } from './table.ts';
import { estimateHere } from './this-machine.ts';

export interface EstimateOptions extends OutputOptions, ShapeOption {
  readonly device?: string;
  readonly table?: string;
  readonly unit?: string;
}

export function estimate(path: string, options: EstimateOptions): void {
  if (options.device !== undefined && options.table !== undefined)
    throw new Fault('bad-input', '--device and --table were both given', {
      hint: 'Give one of them; without either the estimate is for this computer.',
    });
  if (options.unit !== undefined && options.device === undefined)
    throw new Fault('bad-input', '--unit was given without --device', {
      hint: 'Name the device whose unit it is with --device, or leave --unit out.',
    });
  if (options.device === undefined && options.table === undefined) {
    estimateHere(path, (model) => shapeChoice(model, options.shape), options);
    return;
  }
  const model = openModelFile(path);
  const shapes = shapeChoice(model, options.shape);
  const { layers } = worksOf(model, shapes);
  if (options.table !== undefined) {
    const found = estimateByTable(readLatencyTable(readText(options.table), options.table), layers);
    print(options, { kind: 'estimated', table: options.table, ...found }, () => tableText(found));
    return;
  }
  const profile = findDevice(options.device ?? '');
  const found = estimateOn(profile, layers, options.unit);
  if (found === null)
    throw new Fault('not-found', `${profile.name} has no unit "${options.unit}"`, {
      hint: `It has: ${profile.units.map((u) => u.id).join(', ')}.`,
    });
  print(options, { kind: 'estimated', ...found }, () => estimateText(profile, found));
}

const tableText = (found: TableEstimate): string =>
  [
    `ESTIMATED from the table: ${found.ms === null ? 'unknown' : `${found.missing > 0 ? 'at least ' : ''}${milliseconds(found.ms)}`}`,
    ...(found.missing > 0 ? [`${count(found.missing)} layers that do arithmetic are not in the table`] : []),
    '',
    table(
      ['layer', 'operator', 'time'],
      found.layers.map((l) => [l.id, l.op, l.ms === null ? 'not in the table' : milliseconds(l.ms)]),
    ),
  ].join('\n');

const shown = 20;

/** The estimate as text: the whole, what it is bound by, memory, energy, and the slowest layers. */
export function estimateText(profile: DeviceProfile, found: DeviceEstimate): string {
  const unit = profile.units.find((u) => u.id === found.unit);
  const { memory, byBound, ms } = found;
  const lines = [
    `${profile.name}, ${unit?.name} (${unit?.software}): ESTIMATED, not measured`,
    '',
    ms === null
      ? 'latency: unknown'
      : `latency: ${found.notTimed > 0 ? 'at least ' : ''}${milliseconds(ms)}; bound by arithmetic ${milliseconds(byBound.compute)}, by memory ${milliseconds(byBound.memory)}, by fixed costs ${milliseconds(byBound.launch)}`,
    `memory: ${bytes(memory.weightBytes)} of weights and ${bytes(memory.activationBytes)} of activations, of ${bytes(memory.deviceBytes)}${memory.fits === false ? ': DOES NOT FIT' : ''}`,
    ...(memory.onChip === null
      ? []
      : [
          `on the chip: ${bytes(memory.onChip.needed)} of ${bytes(memory.onChip.bytes)}${memory.onChip.fits ? '' : '; the rest comes from outside at every run'}`,
        ]),
    found.energyMj === null
      ? 'energy: unknown'
      : `energy: about ${found.energyMj.toPrecision(2)} mJ a run (multiply-accumulates and bytes moved, ${found.energyOf === 'general' ? 'by figures of 45 nm logic, Horowitz 2014' : 'by figures of the device'}${found.energyNotKnown > 0 ? `; ${count(found.energyNotKnown)} layers not known` : ''})`,
  ];
  if (found.fallenBack > 0) lines.push(`${count(found.fallenBack)} layers fall back to another unit`);
  if (found.notTimed > 0) lines.push(`${count(found.notTimed)} layers could not be timed`);
  const slowest = [...found.layers]
    .sort((a, b) => (b.ms ?? Number.MAX_VALUE) - (a.ms ?? Number.MAX_VALUE))
    .slice(0, shown);
  return [
    ...lines,
    '',
    table(
      ['layer', 'operator', 'type', 'unit', 'time', 'bound by', ''],
      slowest.map((l) => [
        l.id,
        l.op,
        l.computedIn === null || l.computedIn === l.type ? l.type : `${l.type} as ${l.computedIn}`,
        l.unit ?? 'none',
        l.ms === null ? 'unknown' : milliseconds(l.ms),
        l.bound ?? '',
        l.refused === undefined ? '' : refusalWords(l.refused, unit?.name ?? '').en,
      ]),
    ),
    ...(found.layers.length > shown ? [`and ${count(found.layers.length - shown)} more (--json lists all)`] : []),
  ].join('\n');
}
