/**
 * Owns latency tables as NetAdapt uses them (Yang et al. 2018, section 3.2): measured milliseconds by layer shape, read from CSV, and
 * the estimate that looks layers up. Between measured channel counts it interpolates; beyond them it says nothing.
 */
import { Fault } from '../base/fault.ts';
import { type Said, text } from '../base/text.ts';
import { type LayerWork, layerTypes } from './layer-work.ts';

/** Columns that a row may give; what it leaves out holds for any layer. */
const columns = [
  'layer',
  'op',
  'type',
  'batch',
  'height',
  'width',
  'kernel_height',
  'kernel_width',
  'stride',
  'groups',
  'in_channels',
  'out_channels',
  'ms',
] as const;
type Column = (typeof columns)[number];
const channelColumns: ReadonlySet<string> = new Set(['in_channels', 'out_channels', 'ms']);
const textColumns: ReadonlySet<string> = new Set(['layer', 'op', 'type']);

/** Rows that agree in everything but channels: a grid of milliseconds over input and output channels. */
interface Grid {
  readonly inChannels: readonly number[];
  readonly outChannels: readonly number[];
  /** By `${in} ${out}`. */
  readonly ms: ReadonlyMap<string, number>;
}

export interface LatencyTable {
  /** Columns of the file other than the channels and the time, in its order. */
  readonly keys: readonly Column[];
  readonly grids: ReadonlyMap<string, Grid>;
  readonly rows: number;
}

const known = (name: string): name is Column => (columns as readonly string[]).includes(name);
const ascending = (values: Iterable<number>): number[] => [...new Set(values)].sort((a, b) => a - b);

/**
 * Reads a table. The first line names the columns; `ms` and at least one of `layer`, `op` are needed. Lines that begin with #
 * are passed over. Faults: `bad-file`, naming file and line.
 */
export function readLatencyTable(content: string, file: string): LatencyTable {
  const lines = content
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((line, k) => ({ line: line.trim(), at: k + 1 }))
    .filter(({ line }) => line !== '' && !line.startsWith('#'));
  const wrong = (at: number, message: Said, hint?: Said): Fault =>
    new Fault('bad-file', message, {
      where: text(`${file}, line ${at}`, `${file}, ${at}번째 줄`),
      ...(hint === undefined ? {} : { hint }),
    });
  const [first, ...rest] = lines;
  if (first === undefined)
    throw new Fault('bad-file', text('the table is empty', '표가 비어 있습니다'), { where: file });
  const head = first.line.split(',').map((c) => c.trim().toLowerCase());
  const names = head.map((name) => {
    if (!known(name))
      throw wrong(
        first.at,
        text(`there is no column "${name}"`, `열 "${name}"이(가) 없습니다`),
        text(`Columns are ${columns.join(', ')}.`, `열은 ${columns.join(', ')}입니다.`),
      );
    return name;
  });
  if (new Set(names).size < names.length)
    throw wrong(first.at, text('a column stands twice', '같은 열이 두 번 있습니다'));
  if (!names.includes('ms')) throw wrong(first.at, text('there is no column "ms"', '"ms" 열이 없습니다'));
  if (!names.includes('layer') && !names.includes('op'))
    throw wrong(
      first.at,
      text('there is neither a column "layer" nor a column "op"', '"layer" 열도 "op" 열도 없습니다'),
    );
  const keys = names.filter((n) => !channelColumns.has(n));
  const found = new Map<string, { at: number; cin: number; cout: number; ms: number }[]>();
  for (const { line, at } of rest) {
    const cells = line.split(',').map((c) => c.trim());
    if (cells.length !== names.length)
      throw wrong(
        at,
        text(
          `${cells.length} cells instead of ${names.length}`,
          `칸이 ${names.length}개가 아니라 ${cells.length}개입니다`,
        ),
      );
    const cell = (name: Column): string | undefined => cells[names.indexOf(name)];
    for (const [k, name] of names.entries()) {
      const value = cells[k] ?? '';
      if (name === 'type' && !(layerTypes as readonly string[]).includes(value))
        throw wrong(
          at,
          text(`"${value}" is no type`, `"${value}"은(는) 형식이 아닙니다`),
          text(`Types are ${layerTypes.join(', ')}.`, `형식은 ${layerTypes.join(', ')}입니다.`),
        );
      if (name === 'ms' ? !(Number(value) > 0) || !Number.isFinite(Number(value)) : false)
        throw wrong(
          at,
          text(`"${value}" is no time in milliseconds`, `"${value}"은(는) 밀리초로 나타낸 시간이 아닙니다`),
        );
      if (name !== 'ms' && !textColumns.has(name) && !/^[1-9]\d{0,8}$/.test(value))
        throw wrong(
          at,
          text(
            `"${value}" in column ${name} is no whole number above 0`,
            `${name} 열의 "${value}"은(는) 0보다 큰 정수가 아닙니다`,
          ),
        );
      if (textColumns.has(name) && value === '')
        throw wrong(at, text(`column ${name} is empty`, `${name} 열이 비어 있습니다`));
    }
    const key = keys.map((n) => cell(n) ?? '').join('\n');
    const [cin, cout] = [Number(cell('in_channels') ?? 0), Number(cell('out_channels') ?? 0)];
    const list = found.get(key) ?? [];
    const twice = list.find((r) => r.cin === cin && r.cout === cout);
    if (twice !== undefined)
      throw wrong(at, text(`the same layer stands on line ${twice.at}`, `같은 레이어가 ${twice.at}번째 줄에 있습니다`));
    list.push({ at, cin, cout, ms: Number(cell('ms')) });
    found.set(key, list);
  }
  if (found.size === 0)
    throw new Fault('bad-file', text('the table has no rows', '표에 행이 없습니다'), { where: file });
  const grids = [...found].map(([key, list]): [string, Grid] => [
    key,
    {
      inChannels: ascending(list.map((r) => r.cin)),
      outChannels: ascending(list.map((r) => r.cout)),
      ms: new Map(list.map((r) => [`${r.cin} ${r.cout}`, r.ms])),
    },
  ]);
  return { keys, grids: new Map(grids), rows: rest.length };
}

/** A layer's value in a column; undefined where it has none. */
function cellOf(l: LayerWork, column: Column): string | undefined {
  const s = l.shape;
  const text = (n: number | undefined): string | undefined => (n === undefined ? undefined : String(n));
  switch (column) {
    case 'layer':
      return l.id;
    case 'op':
      return l.op;
    case 'type':
      return l.type;
    default:
      break;
  }
  if (s?.kind === 'window')
    switch (column) {
      case 'batch':
        return text(s.batch);
      case 'height':
        return text(s.inSpatial[0]);
      case 'width':
        return text(s.inSpatial[1]);
      case 'kernel_height':
        return text(s.kernel[0]);
      case 'kernel_width':
        return text(s.kernel[1]);
      case 'stride':
        return text(s.strides[0]);
      case 'groups':
        return text(s.groups);
      case 'in_channels':
        return text(s.inChannels);
      case 'out_channels':
        return text(s.outChannels);
      default:
        return undefined;
    }
  if (s?.kind === 'product')
    switch (column) {
      case 'batch':
        return text(s.count);
      case 'height':
        return text(s.rows);
      case 'in_channels':
        return text(s.inner);
      case 'out_channels':
        return text(s.columns);
      // A fully connected layer is a 1 x 1 convolution of a 1 x 1 picture.
      default:
        return '1';
    }
  return undefined;
}

/** The neighbours of a value in an ascending list, and how far it is from the first to the second; undefined beyond its ends. */
function between(
  list: readonly number[],
  value: number,
): readonly [low: number, high: number, share: number] | undefined {
  const high = list.find((v) => v >= value);
  const low = list.findLast((v) => v <= value);
  if (high === undefined || low === undefined) return undefined;
  return [low, high, high === low ? 0 : (value - low) / (high - low)];
}

/** Milliseconds of a layer by the table; null where the table has no such layer or does not reach so far. */
export function lookUp(table: LatencyTable, layer: LayerWork): number | null {
  const cells = table.keys.map((k) => cellOf(layer, k));
  if (cells.some((c) => c === undefined)) return null;
  const grid = table.grids.get(cells.join('\n'));
  if (grid === undefined) return null;
  const channel = (list: readonly number[], column: Column): ReturnType<typeof between> =>
    // 0: the file has no such column, so it holds for any number.
    list.length === 1 && list[0] === 0 ? [0, 0, 0] : between(list, Number(cellOf(layer, column) ?? Number.NaN));
  const [cin, cout] = [channel(grid.inChannels, 'in_channels'), channel(grid.outChannels, 'out_channels')];
  if (cin === undefined || cout === undefined) return null;
  // Depthwise: both channel counts move together, so the corners are the ends of a line.
  const line = layer.kernel === 'depthwise-conv';
  const at = (a: number, b: number): number | undefined => grid.ms.get(`${a} ${b}`);
  if (line) {
    const [low, high] = [at(cin[0], cout[0]), at(cin[1], cout[1])];
    // A column that the file does not have is 0 of the way along.
    const along = Math.max(cin[2], cout[2]);
    return low === undefined || high === undefined ? null : low + along * (high - low);
  }
  const corners = [at(cin[0], cout[0]), at(cin[1], cout[0]), at(cin[0], cout[1]), at(cin[1], cout[1])];
  const [ll, hl, lh, hh] = corners;
  if (ll === undefined || hl === undefined || lh === undefined || hh === undefined) return null;
  const low = ll + cin[2] * (hl - ll);
  const high = lh + cin[2] * (hh - lh);
  return low + cout[2] * (high - low);
}

export interface TableEstimate {
  /** Milliseconds of the layers that the table has; null where it has none. */
  readonly ms: number | null;
  readonly layers: readonly { readonly id: string; readonly op: string; readonly ms: number | null }[];
  /** Layers that do arithmetic and are not in the table. */
  readonly missing: number;
}

/** A model's layers by a table: their sum, as NetAdapt takes it. */
export function estimateByTable(table: LatencyTable, works: readonly LayerWork[]): TableEstimate {
  const layers = works.map((l) => ({ id: l.id, op: l.op, ms: lookUp(table, l), macs: l.macs }));
  const found = layers.filter((l) => l.ms !== null);
  return {
    ms: found.length === 0 ? null : found.reduce((s, l) => s + (l.ms ?? 0), 0),
    layers: layers.map(({ id, op, ms }) => ({ id, op, ms })),
    missing: layers.filter((l) => l.ms === null && l.macs !== 0).length,
  };
}
