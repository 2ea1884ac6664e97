/** Owns slotInterner: numbers for (value, axis) pairs, with `same` pairs merged. */
import type { Slot } from '../ops/declare.ts';

export class SlotInterner {
  readonly slots: Slot[] = [];
  readonly parent: number[] = [];
  readonly #byValue = new Map<string, number[]>();

  axesOf(value: string): readonly (number | undefined)[] {
    return this.#byValue.get(value) ?? [];
  }

  idOf(slot: Slot): number {
    let axes = this.#byValue.get(slot.value);
    if (axes === undefined) {
      axes = [];
      this.#byValue.set(slot.value, axes);
    }
    let id = axes[slot.axis];
    if (id === undefined) {
      id = this.slots.length;
      this.slots.push(slot);
      this.parent.push(id);
      axes[slot.axis] = id;
    }
    return id;
  }

  root(id: number): number {
    let at = id;
    for (let up = this.parent[at]; up !== undefined && up !== at; up = this.parent[at]) {
      this.parent[at] = this.parent[up] ?? up;
      at = up;
    }
    return at;
  }

  merge(a: number, b: number): void {
    const [x, y] = [this.root(a), this.root(b)];
    if (x !== y) this.parent[Math.max(x, y)] = Math.min(x, y);
  }
}
