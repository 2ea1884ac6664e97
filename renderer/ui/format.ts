/** Owns how figures are printed: counts, bytes, shares, ratios, durations, shapes. Unknown is '?', never 0. */
import type { Dim } from '#shared/ir/model.ts';

const significant = (value: number, digits: number): string => {
  const places = Math.max(0, digits - 1 - Math.floor(Math.log10(Math.max(Math.abs(value), 1e-12))));
  return value.toFixed(Math.min(places, digits));
};

const scaled = (value: number, units: readonly string[], base: number): string => {
  let unit = 0;
  let v = value;
  while (Math.abs(v) >= base * 0.9995 && unit < units.length - 1) {
    v /= base;
    unit++;
  }
  return `${unit === 0 ? String(Math.round(v)) : significant(v, 3)}\u202f${units[unit]}`.trimEnd();
};

/** 1234567 -> '1.23 M' */
export const shortCount = (n: number | null): string => (n === null ? '?' : scaled(n, ['', 'K', 'M', 'G', 'T'], 1000));

/** 1234567 -> '1,234,567' */
export const fullCount = (n: number | null): string => (n === null ? '?' : n.toLocaleString('en-US'));

/** Decimal units: 1 KB is 1,000 bytes. */
export const shortBytes = (n: number | null): string => (n === null ? '?' : scaled(n, ['B', 'KB', 'MB', 'GB'], 1000));

/** 0.0812 -> '8.1 %' */
export const percent = (share: number | null, digits = 1): string =>
  share === null ? '?' : `${(share * 100).toFixed(share > 0 && share < 0.001 ? 2 : digits)}\u202f%`;

/** before / now: '3.6×'; equal figures give '1×'; near ones enough digits to tell them apart ('1.004×'). */
export const ratio = (before: number, now: number): string => {
  if (before === now) return '1×';
  if (now === 0) return '∞';
  const r = before / now;
  if (r >= 100) return `${Math.round(r)}×`;
  const digits = r >= 10 ? 3 : Math.abs(r - 1) < 0.005 ? 4 : Math.abs(r - 1) < 0.05 ? 3 : 2;
  return `${significant(r, digits)}×`;
};

/** 8.06 -> '8.1 bit' */
export const bits = (n: number): string => `${n.toFixed(Number.isInteger(n) || n >= 10 ? 0 : 1)}\u202fbit`;

export const milliseconds = (ms: number): string =>
  ms >= 1000 ? `${significant(ms / 1000, 3)}\u202fs` : `${significant(ms, 2)}\u202fms`;

/** Times of layers: 0.0312 -> "31 µs". `tiny`: below what the trace can tell. */
export const layerTime = (ms: number, tiny = false): string => {
  if (tiny) return '<20\u202fµs';
  return ms < 0.1 ? `${Math.round(ms * 1000)}\u202fµs` : milliseconds(ms);
};

/** [1, 64, 28, 28] -> '1×64×28×28'; unknown dims as '?', unknown rank as '?'. */
export const shapeText = (shape: readonly Dim[] | null): string =>
  shape === null ? '?' : shape.length === 0 ? 'scalar' : shape.map((d) => d ?? '?').join('×');

/** A number of any size, short: 0.0312, 1.2e-5. */
export const shortNumber = (v: number): string => {
  const a = Math.abs(v);
  return v === 0 ? '0' : a >= 1e5 || a < 1e-3 ? v.toExponential(1) : String(Number(v.toPrecision(3)));
};
