/**
 * Owns what inference remembers per node: results by input facts, so that a re-run after an edit costs only what the
 * edit reached. Nodes and facts are immutable, so equal inputs of one node object give equal outputs.
 */
import type { Node } from '../ir/model.ts';
import type { Wiring } from '../ir/wiring.ts';
import type { Facts, OpWork } from '../ops/declare.ts';
import { factsId } from './interned-facts.ts';

export interface Remembered {
  readonly node: Node;
  /** What else the result depends on: the operator set version, or the local function and its scope. */
  readonly scope: unknown;
  readonly outputs: readonly Facts[];
  /** `factsId` of the outputs. */
  readonly numbers: readonly number[];
  /** Filled in when the work is first asked. */
  work?: OpWork;
}

/** Versions kept per node: before and after an edit, each symbolic and with batch 1, and a few slider positions. */
const depth = 8;

/** Where a node's results stand. */
interface Place {
  readonly memo: NodeMemo;
  readonly at: number;
}
const places = new WeakMap<Node, Place>();
const memos = new WeakMap<Wiring, NodeMemo>();

/** The memory of all graphs so wired. */
export function memoOf(wiring: Wiring): NodeMemo {
  let memo = memos.get(wiring);
  if (memo === undefined) {
    memo = new NodeMemo(wiring);
    memos.set(wiring, memo);
  }
  return memo;
}

/**
 * The last `depth` results at each position; versions of a node (another group) share their place. Keys and inputs stand
 * in flat arrays, so that a search touches no object that does not match.
 */
export class NodeMemo {
  readonly #start: Int32Array;
  /** `depth` hashes of inputs a position, 0 where empty. */
  readonly #keys: Int32Array;
  /** Fact numbers of what came in: slot s of position p begins at start[p] * depth + s * (inputs of p). */
  readonly #inputs: Int32Array;
  readonly #entries: (Remembered | undefined)[];
  /** Where the next result goes (over the oldest), and 128 once the position has been met. */
  readonly #next: Uint8Array;

  constructor(wiring: Wiring) {
    const count = wiring.inputStart.length - 1;
    this.#start = wiring.inputStart;
    this.#keys = new Int32Array(count * depth);
    this.#inputs = new Int32Array(wiring.inputs.length * depth);
    this.#entries = new Array<Remembered | undefined>(count * depth).fill(undefined);
    this.#next = new Uint8Array(count);
  }

  #count(at: number): number {
    return (this.#start[at + 1] ?? 0) - (this.#start[at] ?? 0);
  }

  /** First time at this position: what the same node gave in a graph wired otherwise. */
  #meet(at: number, node: Node): void {
    this.#next[at] = 128;
    const place = places.get(node);
    places.set(node, { memo: this, at });
    if (place === undefined || place.memo === this || place.memo.#count(place.at) !== this.#count(at)) return;
    const { memo, at: from } = place;
    const n = this.#count(at);
    const row = (memo.#start[from] ?? 0) * depth;
    this.#inputs.set(memo.#inputs.subarray(row, row + n * depth), (this.#start[at] ?? 0) * depth);
    this.#keys.set(memo.#keys.subarray(from * depth, (from + 1) * depth), at * depth);
    for (let s = 0; s < depth; s++) this.#entries[at * depth + s] = memo.#entries[from * depth + s];
    this.#next[at] = memo.#next[from] ?? 128;
  }

  /** What the node at a position gave for these facts; undefined where it has not met them lately. */
  recall(at: number, node: Node, numbers: Int32Array, scope: unknown): Remembered | undefined {
    if (this.#next[at] === 0) this.#meet(at, node);
    const n = this.#count(at);
    const key = keyOf(numbers, n);
    for (let s = 0; s < depth; s++) {
      if (this.#keys[at * depth + s] !== key) continue;
      const entry = this.#entries[at * depth + s];
      if (entry === undefined || entry.node !== node || entry.scope !== scope) continue;
      const row = (this.#start[at] ?? 0) * depth + s * n;
      let k = 0;
      while (k < n && this.#inputs[row + k] === numbers[k]) k++;
      if (k === n) return entry;
    }
    return undefined;
  }

  remember(at: number, node: Node, numbers: Int32Array, scope: unknown, outputs: readonly Facts[]): Remembered {
    const entry: Remembered = { node, scope, outputs, numbers: outputs.map(factsId) };
    const n = this.#count(at);
    const s = (this.#next[at] ?? 0) & 127;
    this.#keys[at * depth + s] = keyOf(numbers, n);
    const row = (this.#start[at] ?? 0) * depth + s * n;
    for (let k = 0; k < n; k++) this.#inputs[row + k] = numbers[k] ?? 0;
    this.#entries[at * depth + s] = entry;
    this.#next[at] = 128 | ((s + 1) % depth);
    return entry;
  }
}

/** A hash of the first `count` numbers, never 0. */
function keyOf(numbers: Int32Array, count: number): number {
  let key = count + 1;
  for (let k = 0; k < count; k++) key = (Math.imul(key, 31) + (numbers[k] ?? 0)) | 0;
  return key === 0 ? 1 : key;
}
