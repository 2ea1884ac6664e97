/**
 * Owns the table of channel classes: sizes, what is frozen, and which relations stand between classes, once every
 * operator has spoken.
 */
import type { Node } from '../ir/model.ts';
import type { ChannelRelation, Facts, Slot } from '../ops/declare.ts';
import { makerClassesOf, settleMerges } from './channel-merges.ts';
import { type Frozen, labelOf, type Maker, type SlotTable } from './channel-slots.ts';
import type { SlotInterner } from './slot-interner.ts';

/** A relation between two classes, and the node that speaks it. */
export type ClassRelation = { readonly node: Node } & (
  | {
      readonly kind: 'part';
      readonly part: number;
      readonly whole: number;
      readonly offset: number;
      readonly stride: number;
    }
  | {
      readonly kind: 'repeat';
      readonly of: number;
      readonly big: number;
      readonly outer: number;
      readonly inner: number;
    }
);

/** Classes from the merged slots, with sizes, freezes and relations settled. */
export function joined(
  interner: SlotInterner,
  raw: readonly { relation: ChannelRelation; node: Node }[],
  freezes: readonly { slot: number; why: Frozen }[],
  makers: readonly Maker[],
  mentions: ReadonlyMap<Node, readonly Slot[]>,
  facts: ReadonlyMap<string, Facts>,
): SlotTable {
  const classOfRoot = new Map<number, number>();
  const slots: Slot[][] = [];
  const classes = interner.slots.map((slot, id) => {
    const root = interner.root(id);
    let c = classOfRoot.get(root);
    if (c === undefined) {
      c = slots.length;
      classOfRoot.set(root, c);
      slots.push([]);
    }
    slots[c]?.push(slot);
    return c;
  });
  const idOf = (slot: Slot): number | undefined => interner.axesOf(slot.value)[slot.axis];
  const classOf = (slot: Slot): number | undefined => {
    const id = idOf(slot);
    return id === undefined ? undefined : classes[id];
  };
  const frozen: (Frozen | undefined)[] = slots.map(() => undefined);
  const freeze = (c: number, why: Frozen): void => {
    frozen[c] ??= why;
  };
  for (const f of freezes) {
    const c = classes[f.slot];
    if (c !== undefined) freeze(c, f.why);
  }
  const sizes: (number | undefined)[] = slots.map((members, c) => knownSize(members, facts, (why) => freeze(c, why)));
  const said = raw.flatMap(({ relation, node }) => classRelation(relation, node, classOf) ?? []);
  const relations = settleMerges(
    said,
    slots.length,
    makerClassesOf(makers, (m) => classOf(m.output)),
    frozen,
    freeze,
  );
  spreadSizes(sizes, relations);
  for (const r of relations) checkRelation(r, sizes, freeze);
  sizes.forEach((size, c) => {
    if (size === undefined)
      freeze(c, { reason: 'the size of this axis is unknown', where: slots[c]?.[0]?.value ?? '' });
  });
  return { classOf, sizes: sizes.map((s) => s ?? 0), frozen, slots, relations, makers, mentions };
}

function classRelation(
  r: ChannelRelation,
  node: Node,
  classOf: (s: Slot) => number | undefined,
): ClassRelation | undefined {
  if (r.kind === 'part') {
    const [part, whole] = [classOf(r.part), classOf(r.whole)];
    if (part === undefined || whole === undefined) return undefined;
    return { node, kind: 'part', part, whole, offset: r.offset, stride: r.stride ?? 1 };
  }
  if (r.kind === 'repeat') {
    const [of, big] = [classOf(r.of), classOf(r.big)];
    if (of === undefined || big === undefined) return undefined;
    return { node, kind: 'repeat', of, big, outer: r.outer, inner: r.inner };
  }
  return undefined;
}

/** The length that the facts give; a class whose axes disagree is frozen, because some rule speaks nonsense. */
function knownSize(
  slots: readonly Slot[],
  facts: ReadonlyMap<string, Facts>,
  freeze: (why: Frozen) => void,
): number | undefined {
  let size: number | undefined;
  for (const slot of slots) {
    if (slot.value.startsWith('#') && !facts.has(slot.value)) continue;
    const dim = facts.get(slot.value)?.shape?.[slot.axis];
    if (typeof dim !== 'number') freeze({ reason: 'the size of this axis is unknown', where: slot.value });
    else if (size !== undefined && size !== dim) freeze({ reason: 'joined axes differ in length', where: slot.value });
    else size = dim;
  }
  return size;
}

/** Lengths of axes that only a rule knows (`#...`) follow from `repeat`. */
function spreadSizes(sizes: (number | undefined)[], relations: readonly ClassRelation[]): void {
  for (let changed = true; changed; ) {
    changed = false;
    for (const r of relations) {
      if (r.kind !== 'repeat') continue;
      const [of, big, times] = [sizes[r.of], sizes[r.big], r.outer * r.inner];
      if (of === undefined && big !== undefined && big % times === 0) {
        sizes[r.of] = big / times;
        changed = true;
      } else if (of !== undefined && big === undefined) {
        sizes[r.big] = of * times;
        changed = true;
      }
    }
  }
}

function checkRelation(
  r: ClassRelation,
  sizes: readonly (number | undefined)[],
  freeze: (c: number, why: Frozen) => void,
): void {
  const [small, large] = r.kind === 'part' ? [r.part, r.whole] : [r.of, r.big];
  const [n, m] = [sizes[small], sizes[large]];
  if (n === undefined || m === undefined) return;
  const fits =
    r.kind === 'repeat'
      ? n * r.outer * r.inner === m
      : n === 0 || (r.offset >= 0 && r.offset + (n - 1) * r.stride < m && r.offset + (n - 1) * r.stride >= 0);
  if (fits) return;
  const why: Frozen = {
    reason: `${labelOf(r.node)}: axes of ${n} and ${m} do not relate as its rule says`,
    where: r.node.id,
  };
  freeze(small, why);
  freeze(large, why);
}
