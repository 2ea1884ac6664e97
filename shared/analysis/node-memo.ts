/**
 * Owns what inference remembers per node: results by input facts, so that a re-run after an edit costs only what the
 * edit reached. Nodes and facts are immutable, so equal inputs of one node object give equal outputs.
 */
import type { Node } from '../ir/model.ts';
import type { Facts, OpWork } from '../ops/declare.ts';
import { isUnread } from './source-facts.ts';

type FactsList = readonly (Facts | undefined)[];

export interface Remembered {
  readonly inputs: FactsList;
  /** What else the result depends on: the operator set version, or the local function and its scope. */
  readonly scope: unknown;
  readonly outputs: readonly Facts[];
  /** Filled in when the work is first asked. */
  work?: OpWork;
}

/** Versions kept per node: before and after an edit, each symbolic and with batch 1, and a few slider positions. */
const depth = 6;

const memory = new WeakMap<Node, Remembered[]>();

function sameList<T>(a: readonly T[] | null, b: readonly T[] | null): boolean {
  if (a === b) return true;
  if (a === null || b === null || a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function sameFacts(a: Facts | undefined, b: Facts | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined || a.elem !== b.elem || a.constant !== b.constant || a.other !== b.other)
    return false;
  if (!sameList(a.shape, b.shape) || isUnread(a) || isUnread(b)) return false;
  return sameList(a.content ?? null, b.content ?? null);
}

/** What this node gave for these inputs, or undefined. */
export function recall(node: Node, inputs: FactsList, scope: unknown): Remembered | undefined {
  const list = memory.get(node);
  if (list === undefined) return undefined;
  for (let k = 0; k < list.length; k++) {
    const entry = list[k];
    if (entry !== undefined && entry.scope === scope && matches(entry.inputs, inputs)) return entry;
  }
  return undefined;
}

function matches(a: FactsList, b: FactsList): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i] && !sameFacts(a[i], b[i])) return false;
  return true;
}

export function remember(node: Node, entry: Remembered): Remembered {
  const list = memory.get(node);
  if (list === undefined) memory.set(node, [entry]);
  else {
    list.unshift(entry);
    if (list.length > depth) list.pop();
  }
  return entry;
}
