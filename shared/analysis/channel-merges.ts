/**
 * Owns settleMerges: an operator that merges several axes into one (Flatten, Reshape) says one `repeat` per axis; only
 * the axis that the channels come from may be followed, or every index would be tied to every other.
 */
import type { Frozen, Maker } from './channel-slots.ts';
import type { ClassRelation } from './channel-table.ts';
import { UnionFind } from './union-find.ts';

type Repeat = Extract<ClassRelation, { kind: 'repeat' }>;

/** The relations that are followed; axes that are merged away and not followed are frozen. */
export function settleMerges(
  relations: readonly ClassRelation[],
  classCount: number,
  makerClasses: ReadonlySet<number>,
  frozen: readonly (Frozen | undefined)[],
  freeze: (c: number, why: Frozen) => void,
): readonly ClassRelation[] {
  const merges = new Map<string, Repeat[]>();
  for (const r of relations) {
    if (r.kind !== 'repeat') continue;
    const key = `${r.big} ${r.node.id}`;
    const list = merges.get(key);
    if (list === undefined) merges.set(key, [r]);
    else list.push(r);
  }
  const open = new Set([...merges.values()].filter((list) => list.length > 1).flat());
  if (open.size === 0) return relations;
  const uf = new UnionFind(classCount);
  for (const r of relations)
    if (r.kind === 'part') uf.merge(r.part, r.whole);
    else if (!open.has(r)) uf.merge(r.of, r.big);
  const made = new Set([...makerClasses].map((c) => uf.root(c)));
  const dropped = new Set<Repeat>();
  /** Patterns that settled merges left on a merged axis: a weight reshaped to meet it must cut it alike. */
  const patterns = new Map<number, Set<string>>();
  const settle = (list: readonly Repeat[], chosen: Repeat): void => {
    const at = uf.root(chosen.big);
    patterns.set(at, (patterns.get(at) ?? new Set()).add(`${chosen.outer} ${chosen.inner}`));
    for (const r of list) {
      if (r === chosen) continue;
      dropped.add(r);
      freeze(r.of, { reason: 'merged with the channel axis', where: r.node.id });
    }
  };
  const waiting: Repeat[][] = [];
  for (const list of merges.values()) {
    if (list.length === 1) continue;
    const free = list.filter((r) => frozen[r.of] === undefined);
    const chosen = free.find((r) => made.has(uf.root(r.of)));
    if (chosen !== undefined) settle(list, chosen);
    else waiting.push(list);
  }
  for (const list of waiting) {
    const free = list.filter((r) => frozen[r.of] === undefined);
    const known = (r: Repeat): boolean => patterns.get(uf.root(r.big))?.has(`${r.outer} ${r.inner}`) === true;
    const chosen = free.find(known) ?? free[0] ?? list[0];
    if (chosen !== undefined) settle(list, chosen);
  }
  return relations.filter((r) => r.kind !== 'repeat' || !dropped.has(r));
}

/** Classes that hold the output of a maker. */
export const makerClassesOf = (
  makers: readonly Maker[],
  classOf: (m: Maker) => number | undefined,
): ReadonlySet<number> => new Set(makers.flatMap((m) => classOf(m) ?? []));
