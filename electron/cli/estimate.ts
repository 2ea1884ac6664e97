/** Owns `bantam estimate`: a model's time, memory and energy on a device that is not here. */
import { worksOf } from '#shared/analysis/latency/works-of.ts';
import { measureFigures } from '#shared/analysis/measure-figures.ts';
import { Fault } from '#shared/base/fault.ts';
import { type DeviceEstimate, estimateOn, inOutBytes } from '#shared/devices/estimate.ts';
import type { DeviceProfile } from '#shared/devices/profile.ts';
import { refusalWords } from '#shared/devices/words.ts';
import { openModelFile } from '../host/model-files.ts';
import { findDevice } from './device.ts';
import type { ShapeOption } from './inspect.ts';
import { type OutputOptions, print } from './output.ts';
import { shapeChoice } from './shapes.ts';
import { bytes, count, milliseconds, table } from './table.ts';

export interface EstimateOptions extends OutputOptions, ShapeOption {
  readonly device: string;
  readonly unit?: string;
}

export function estimate(path: string, options: EstimateOptions): void {
  const profile = findDevice(options.device);
  const model = openModelFile(path);
  const shapes = shapeChoice(model, options.shape);
  const { layers } = worksOf(model, shapes);
  const needs = {
    activationBytes: measureFigures(model, shapes).peakActivationBytes,
    inOutBytes: inOutBytes(layers),
  };
  const found = estimateOn(profile, layers, needs, options.unit);
  if (found === null)
    throw new Fault('not-found', `${profile.name} has no unit "${options.unit}"`, {
      hint: `It has: ${profile.units.map((u) => u.id).join(', ')}.`,
    });
  print(options, { kind: 'estimated', ...found }, () => estimateText(profile, found));
}

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
