/**
 * Owns what inference remembers per node: results by input facts, so that a re-run after an edit costs only what the
 * edit reached. Nodes and facts are immutable, so equal inputs of one node object give equal outputs.
 */
import type { Node } from '../ir/model.ts';
import type { Facts, OpWork } from '../ops/declare.ts';
import { factsId } from './interned-facts.ts';

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
const depth = 8;

/** The last `depth` results of a node. Keys stand together, so that a search touches no entry that does not match. */
interface Memory {
  readonly keys: number[];
  readonly entries: Remembered[];
  /** Where the next one goes: over the oldest. */
  next: number;
}

const memory = new WeakMap<Node, Memory>();

/** A hash of what facts come in, by their numbers. */
function keyOf(inputs: FactsList): number {
  let key = inputs.length;
  for (let k = 0; k < inputs.length; k++) key = (Math.imul(key, 31) + factsId(inputs[k])) | 0;
  return key;
}

function matches(a: FactsList, b: FactsList): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i] && factsId(a[i]) !== factsId(b[i])) return false;
  return true;
}

/** What this node gave for these inputs; worked out by `make` where it is new. */
export function remembered(node: Node, inputs: FactsList, scope: unknown, make: () => readonly Facts[]): Remembered {
  const key = keyOf(inputs);
  const known = memory.get(node);
  if (known !== undefined)
    for (let k = 0; k < known.keys.length; k++) {
      if (known.keys[k] !== key) continue;
      const entry = known.entries[k];
      if (entry !== undefined && entry.scope === scope && matches(entry.inputs, inputs)) return entry;
    }
  const entry: Remembered = { inputs, scope, outputs: make() };
  if (known === undefined) memory.set(node, { keys: [key], entries: [entry], next: 1 });
  else {
    const at = known.next % depth;
    known.keys[at] = key;
    known.entries[at] = entry;
    known.next = at + 1;
  }
  return entry;
}
