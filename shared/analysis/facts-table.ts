/** Owns FactsTable: facts of the values of one graph, by name as a map and by number for whoever walks the wiring. */
import type { Wiring } from '../ir/wiring.ts';
import type { Facts } from '../ops/declare.ts';
import { factsId } from './interned-facts.ts';

/** Reads like a map; values of the graphs around it show through. */
export class FactsTable implements ReadonlyMap<string, Facts> {
  readonly wiring: Wiring;
  readonly #outer: FactsTable | undefined;
  readonly #facts: (Facts | undefined)[];
  /** Number of the facts (`factsId`) by value number; 0 where there are none yet. */
  readonly #numbers: Int32Array;
  /** Values that no node and no initializer names: unused inputs. */
  readonly #more = new Map<string, Facts>();

  constructor(wiring: Wiring, outer?: FactsTable) {
    this.wiring = wiring;
    this.#outer = outer;
    this.#facts = new Array<Facts | undefined>(wiring.names.length).fill(undefined);
    this.#numbers = new Int32Array(wiring.names.length);
  }

  /** Facts by value number. */
  at(id: number): Facts | undefined {
    return this.#facts[id] ?? this.#outer?.get(this.wiring.names[id] ?? '');
  }

  /** A number that two values share only where their facts are equal; 0 where there are none. */
  numberAt(id: number): number {
    const own = this.#numbers[id] ?? 0;
    return own !== 0 || this.#outer === undefined ? own : factsId(this.at(id));
  }

  put(id: number, facts: Facts, number = factsId(facts)): void {
    this.#facts[id] = facts;
    this.#numbers[id] = number;
  }

  set(name: string, facts: Facts): void {
    const id = this.wiring.ids.get(name);
    if (id === undefined) this.#more.set(name, facts);
    else this.put(id, facts);
  }

  get(name: string): Facts | undefined {
    const id = this.wiring.ids.get(name);
    const own = id === undefined ? this.#more.get(name) : this.#facts[id];
    return own ?? this.#outer?.get(name);
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  #all(): Map<string, Facts> {
    const all = new Map(this.#outer === undefined ? this.#more : [...this.#outer, ...this.#more]);
    for (const [id, name] of this.wiring.names.entries()) {
      const facts = this.#facts[id];
      if (facts !== undefined) all.set(name, facts);
    }
    return all;
  }

  get size(): number {
    return this.#all().size;
  }

  forEach(call: (facts: Facts, name: string, map: ReadonlyMap<string, Facts>) => void): void {
    for (const [name, facts] of this) call(facts, name, this);
  }

  entries(): MapIterator<[string, Facts]> {
    return this.#all().entries();
  }

  keys(): MapIterator<string> {
    return this.#all().keys();
  }

  values(): MapIterator<Facts> {
    return this.#all().values();
  }

  [Symbol.iterator](): MapIterator<[string, Facts]> {
    return this.entries();
  }
}
