/** Owns UnionFind: disjoint sets of the integers 0 .. n - 1, with path halving; the smaller root wins. */
export class UnionFind {
  readonly #parent: Int32Array;

  constructor(n: number) {
    this.#parent = Int32Array.from({ length: n }, (_, i) => i);
  }

  root(i: number): number {
    const parent = this.#parent;
    let at = i;
    for (let up = parent[at] ?? at; up !== at; up = parent[at] ?? at) {
      const next = parent[up] ?? up;
      parent[at] = next;
      at = next;
    }
    return at;
  }

  merge(a: number, b: number): void {
    const x = this.root(a);
    const y = this.root(b);
    if (x !== y) this.#parent[Math.max(x, y)] = Math.min(x, y);
  }
}
