/**
 * Owns grownOrders: where the copies of channel units stand along every axis, so that what concatenates, splits, flattens
 * or shuffles them stays what it was. Knows no weights.
 */
import type { ChannelGroup } from '../analysis/channel-groups.ts';
import type { SlotTable } from '../analysis/channel-slots.ts';

type Relation = SlotTable['relations'][number];

/** Units of a group that get copies: the source of each copy, repeats allowed. */
export interface Growth {
  readonly group: ChannelGroup;
  readonly sources: readonly number[];
}

/** One axis after growing: which old index stands at each place, and which copy of it (0: the old one). */
export interface Order {
  readonly indices: readonly number[];
  readonly copies: readonly number[];
}

/** How often each index of a class stands in it afterwards; classes that do not grow are missing. */
function timesByClass(table: SlotTable, growths: readonly Growth[]): ReadonlyMap<number, Uint32Array> {
  const out = new Map<number, Uint32Array>();
  for (const { group, sources } of growths)
    for (const a of group.axes) {
      if (sources.length === 0) continue;
      const times = out.get(a.axisClass) ?? new Uint32Array(table.sizes[a.axisClass] ?? 0).fill(1);
      out.set(a.axisClass, times);
      for (const unit of sources)
        for (let k = 0; k < a.perUnit; k++) {
          const i = a.indices[unit * a.perUnit + k] ?? 0;
          times[i] = (times[i] ?? 0) + 1;
        }
    }
  return out;
}

/** Each copy right behind its original. */
function plainOrder(size: number, times: Uint32Array | undefined): Order {
  const indices: number[] = [];
  const copies: number[] = [];
  for (let i = 0; i < size; i++)
    for (let k = 0; k < (times?.[i] ?? 1); k++) {
      indices.push(i);
      copies.push(k);
    }
  return { indices, copies };
}

/** Blocks of `inner` behind one another for each entry of the small axis, `outer` times. */
function repeated(of: Order, size: number, outer: number, inner: number): Order {
  const indices: number[] = [];
  const copies: number[] = [];
  for (let o = 0; o < outer; o++)
    of.indices.forEach((i, k) => {
      for (let r = 0; r < inner; r++) {
        indices.push((o * size + i) * inner + r);
        copies.push(of.copies[k] ?? 0);
      }
    });
  return { indices, copies };
}

type Part = Extract<Relation, { kind: 'part' }>;
type Repeat = Extract<Relation, { kind: 'repeat' }>;

/** What stands in a whole: the parts in their order, the rest as it is. The longest part that begins at an index is taken. */
function joinedParts(
  size: number,
  times: Uint32Array | undefined,
  parts: readonly Part[],
  sizeOf: (c: number) => number,
  orderOf: (c: number) => Order,
): Order {
  const starts = new Map<number, Part>();
  for (const p of parts) {
    const known = starts.get(p.offset);
    if (p.stride === 1 && (known === undefined || sizeOf(known.part) < sizeOf(p.part))) starts.set(p.offset, p);
  }
  const indices: number[] = [];
  const copies: number[] = [];
  for (let i = 0; i < size; ) {
    const p = starts.get(i);
    if (p !== undefined && sizeOf(p.part) > 0) {
      const order = orderOf(p.part);
      order.indices.forEach((j, k) => {
        indices.push(i + j);
        copies.push(order.copies[k] ?? 0);
      });
      i += sizeOf(p.part);
      continue;
    }
    for (let k = 0; k < (times?.[i] ?? 1); k++) {
      indices.push(i);
      copies.push(k);
    }
    i++;
  }
  return { indices, copies };
}

const equal = (a: Order, b: Order): boolean =>
  a.indices.length === b.indices.length && a.indices.every((i, k) => i === b.indices[k] && a.copies[k] === b.copies[k]);

/** True where a relation still says the same between the grown axes. */
function holds(r: Relation, sizeOf: (c: number) => number, orderOf: (c: number) => Order): boolean {
  if (r.kind === 'repeat') return equal(orderOf(r.big), repeated(orderOf(r.of), sizeOf(r.of), r.outer, r.inner));
  const [whole, part, n] = [orderOf(r.whole), orderOf(r.part), sizeOf(r.part)];
  if (r.stride !== 1) return false;
  const from = whole.indices.findIndex((i) => i >= r.offset && i < r.offset + n);
  if (from < 0) return n === 0;
  const cut = {
    indices: whole.indices.slice(from, from + part.indices.length).map((i) => i - r.offset),
    copies: whole.copies.slice(from, from + part.indices.length),
  };
  const all = whole.indices.filter((i) => i >= r.offset && i < r.offset + n).length;
  return all === part.indices.length && equal(cut, part);
}

export interface Grown {
  readonly orders: ReadonlyMap<number, Order>;
  /** Classes in which copies cannot stand so that everything fits: growths that touch one of them must be given up. */
  readonly torn: ReadonlySet<number>;
}

/** Orders of every class that grows. Pure; iterative over relations. */
export function grownOrders(table: SlotTable, growths: readonly Growth[]): Grown {
  const times = timesByClass(table, growths);
  const near = table.relations.filter((r) =>
    r.kind === 'part' ? times.has(r.part) || times.has(r.whole) : times.has(r.of) || times.has(r.big),
  );
  const bigs = new Map<number, Repeat>();
  const wholes = new Map<number, Part[]>();
  for (const r of near)
    if (r.kind === 'repeat') bigs.set(r.big, bigs.get(r.big) ?? r);
    else wholes.set(r.whole, [...(wholes.get(r.whole) ?? []), r]);
  const sizeOf = (c: number): number => table.sizes[c] ?? 0;
  const orders = new Map<number, Order>();
  const orderOf = (c: number): Order => orders.get(c) ?? plainOrder(sizeOf(c), times.get(c));
  const needsOf = (c: number): readonly number[] => {
    const big = bigs.get(c);
    return big !== undefined ? [big.of] : (wholes.get(c) ?? []).map((p) => p.part);
  };
  const asked = new Set<number>();
  for (const start of new Set([...times.keys(), ...bigs.keys(), ...wholes.keys()])) {
    const stack = [start];
    for (let c = stack.at(-1); c !== undefined; c = stack.at(-1)) {
      const open = asked.has(c) ? [] : needsOf(c).filter((n) => !orders.has(n) && !asked.has(n));
      asked.add(c);
      if (open.length > 0) {
        stack.push(...open);
        continue;
      }
      stack.pop();
      if (orders.has(c)) continue;
      const big = bigs.get(c);
      const parts = wholes.get(c);
      if (big !== undefined) orders.set(c, repeated(orderOf(big.of), sizeOf(big.of), big.outer, big.inner));
      else if (parts !== undefined) orders.set(c, joinedParts(sizeOf(c), times.get(c), parts, sizeOf, orderOf));
      else orders.set(c, plainOrder(sizeOf(c), times.get(c)));
    }
  }
  const torn = new Set<number>();
  for (const r of near)
    if (!holds(r, sizeOf, orderOf)) for (const c of r.kind === 'part' ? [r.part, r.whole] : [r.of, r.big]) torn.add(c);
  return { orders: new Map([...orders].filter(([c]) => times.has(c))), torn };
}
