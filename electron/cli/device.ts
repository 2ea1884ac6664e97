/** Owns `bantam device list`, `show` and `check`: profiles as text, and estimates against published latencies. */
import { existsSync } from 'node:fs';
import { deviceOf, devices } from '#shared/devices/catalogue.ts';
import { type DeviceProfile, originOf, parseDeviceProfile, quantitiesOf } from '#shared/devices/profile.ts';
import { checkLatencies, medianError } from '#shared/zoo/check-latency.ts';
import { readJson } from './options.ts';
import { type OutputOptions, print } from './output.ts';
import { table } from './table.ts';

/** A shipped profile by id, or one read from a file. Faults: `not-found`, `bad-path`, `bad-file`, `bad-input`. */
export const findDevice = (id: string): DeviceProfile =>
  /\.json$/i.test(id) || existsSync(id) ? parseDeviceProfile(readJson(id), id) : deviceOf(id);

/** 22.4 G, 1.92 T: decimal units of rates. */
function scaled(value: number): string {
  const units = ['', 'k', 'M', 'G', 'T'];
  let unit = 0;
  let rest = value;
  while (rest >= 1000 && unit < units.length - 1) {
    rest /= 1000;
    unit++;
  }
  return `${Number(rest.toPrecision(4))} ${units[unit]}`.trimEnd();
}

export function deviceList(options: OutputOptions): void {
  const rows = devices().map((d) => ({
    id: d.id,
    name: d.name,
    kind: d.kind,
    year: d.year,
    units: d.units.map((u) => ({ id: u.id, name: u.name })),
  }));
  print(options, rows, () =>
    table(
      ['device', 'name', 'kind', 'year', 'units'],
      rows.map((r) => [r.id, r.name, r.kind, String(r.year), r.units.map((u) => u.id).join(', ')]),
    ),
  );
}

/** The unit of a number, by the name of its field. */
function measureOf(path: readonly (string | number)[]): string {
  const name = String(path.at(-1));
  if (path.includes('peak')) return 'MAC/s';
  if (/^(bandwidth|link)$/.test(name)) return 'B/s';
  if (name === 'bytes') return 'B';
  if (/Us$/.test(name)) return 'us';
  if (/Pj$/.test(name) || path.includes('macPj')) return 'pJ';
  return '';
}

const valueText = (value: number, measure: string): string =>
  measure === 'us' || measure === 'pJ' || measure === ''
    ? `${value} ${measure}`.trimEnd()
    : `${scaled(value)}${measure}`;

/** A unit without a bandwidth of its own has the memory's. */
const unknownOf = (path: readonly (string | number)[]): string =>
  path[0] === 'units' && path.at(-1) === 'bandwidth' ? "the memory's" : 'unknown';

export function deviceShow(id: string, options: OutputOptions): void {
  const profile = findDevice(id);
  print(options, profile, () => {
    const named = (path: readonly (string | number)[]): string =>
      path.map((k, at) => (path[at - 1] === 'units' ? (profile.units[Number(k)]?.id ?? k) : k)).join('.');
    const rows = quantitiesOf(profile).map(({ path, quantity }) => [
      named(path),
      quantity === null ? unknownOf(path) : `${valueText(quantity.value, measureOf(path))}`,
      quantity === null ? '' : originOf(profile, quantity),
    ]);
    const operators = profile.units.map((u) =>
      u.operators === 'all'
        ? `${u.id} (${u.software}): all operators`
        : `${u.id} (${u.software}): ${'only' in u.operators ? `only ${u.operators.only.join(', ')}` : `all but ${u.operators.except.join(', ')}`}`,
    );
    const sources = Object.entries(profile.sources).map(([k, s]) => `${k}: ${s.title}, ${s.date}, ${s.address}`);
    return [
      `${profile.name}: ${profile.kind}, ${profile.year}, ${profile.memory.kind}`,
      '',
      table(['number', 'value', 'from'], rows),
      '',
      ...operators,
      ...profile.notes.map((n) => n.en),
      ...(profile.energy === null
        ? ['Energy: no figures of its own; those of 45 nm logic are used (Horowitz 2014).']
        : []),
      '',
      ...sources,
    ].join('\n');
  });
}

const signed = (error: number | null): string =>
  error === null ? 'unknown' : `${error >= 0 ? '+' : ''}${(error * 100).toFixed(0)} %`;

export function deviceCheck(options: OutputOptions): void {
  const rows = checkLatencies();
  print(options, { medianErrorPercent: (medianError(rows) ?? 0) * 100, rows }, () =>
    [
      table(
        ['device', 'unit', 'network', 'type', 'published', 'estimated', 'error', ''],
        rows.map((r) => [
          r.device,
          r.unit,
          `${r.net}${r.width === undefined ? '' : ` x ${r.width}`}${r.size === undefined ? '' : ` at ${r.size}`}`,
          r.type,
          `${r.ms.toFixed(2)} ms`,
          r.estimatedMs === null ? 'unknown' : `${r.estimatedMs.toFixed(2)} ms`,
          r.fitted ? '' : signed(r.error),
          r.fitted ? 'fitted' : '',
        ]),
      ),
      '',
      `Median error of those not fitted: ${((medianError(rows) ?? 0) * 100).toFixed(0)} %.`,
    ].join('\n'),
  );
}
