/**
 * Owns one object for equal facts, with a number: what inference remembers is then found by comparing numbers, not shapes.
 * Facts with a content read on demand stay the objects they are, and are numbered by identity.
 */
import type { Dim } from '../ir/model.ts';
import type { Facts, Scalar } from '../ops/declare.ts';
import { isLazy } from '../ops/lazy-content.ts';

/** Contents longer than this are not compared. */
const longest = 16;
/** The table starts anew beyond this many, so that a long session does not grow; a value met again is only worked out again. */
const most = 50_000;

let nextId = 1;

/** Facts that stand for all that equal them. */
class Interned implements Facts {
  readonly elem: Facts['elem'];
  readonly shape: Facts['shape'];
  readonly constant: boolean;
  declare readonly content?: readonly Scalar[];
  readonly #id: number;

  constructor(elem: Facts['elem'], shape: Facts['shape'], constant: boolean, content: Facts['content']) {
    this.elem = elem;
    this.shape = shape;
    this.constant = constant;
    if (content !== undefined) this.content = content;
    this.#id = nextId++;
  }

  /** The number of facts that went through `interned`; 0 for others. */
  static idOf(facts: Facts): number {
    return #id in facts ? facts.#id : 0;
  }
}

let table = new Map<number, Interned[]>();
let count = 0;

const symbols = new Map<string, number>();
function hashOf(x: Dim | Scalar): number {
  if (typeof x === 'number') return x;
  if (x === null) return -1;
  let id = symbols.get(x);
  if (id === undefined) {
    id = -2 - symbols.size;
    symbols.set(x, id);
  }
  return id;
}

function hashList(list: readonly (Dim | Scalar)[], seed: number): number {
  let h = seed;
  for (let i = 0; i < list.length; i++) h = Math.imul(h ^ hashOf(list[i] ?? null), 0x9e3779b1) ^ (h >>> 15);
  return h;
}

function sameList<T>(a: readonly T[] | null | undefined, b: readonly T[] | null | undefined): boolean {
  if (a === b) return true;
  if (!a || !b || a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** The one object for facts equal to these; the very same where they cannot be compared. */
export function interned(facts: Facts): Facts {
  if (Interned.idOf(facts) !== 0 || facts.other !== undefined || isLazy(facts)) return facts;
  const { content } = facts;
  if (content !== undefined && content.length > longest) return facts;
  return theOne(facts.elem, facts.shape, facts.constant, content);
}

/** The one object for a constant of this content, made only where none stands yet. */
export const internedConstant = (
  elem: Facts['elem'],
  shape: readonly number[],
  content: readonly number[],
): Facts | undefined => (content.length > longest ? undefined : theOne(elem, shape, true, content));

function theOne(elem: Facts['elem'], shape: Facts['shape'], constant: boolean, content: Facts['content']): Facts {
  let h = shape === null ? 7 : hashList(shape, constant ? 1 : 2);
  if (content !== undefined) h = hashList(content, h);
  const bucket = table.get(h);
  if (bucket !== undefined)
    for (let k = 0; k < bucket.length; k++) {
      const one = bucket[k];
      if (one === undefined || one.elem !== elem || one.constant !== constant) continue;
      if (sameList(one.shape, shape) && sameList(one.content, content)) return one;
    }
  const made = new Interned(elem, shape, constant, content);
  if (++count > most) {
    table = new Map();
    count = 1;
  }
  const now = bucket !== undefined && count > 1 ? bucket : [];
  now.push(made);
  table.set(h, now);
  return made;
}

const others = new WeakMap<Facts, number>();

/** A number that two facts share only where they are equal; 0 for an omitted input. */
export function factsId(facts: Facts | undefined): number {
  if (facts === undefined) return 0;
  const known = Interned.idOf(facts) || others.get(facts);
  if (known !== undefined) return known;
  const id = nextId++;
  others.set(facts, id);
  return id;
}
