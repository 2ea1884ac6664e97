/**
 * Owns meetGoal: how far all parts of a model must go until a figure of the whole is met, by a search over one effort from 0 to 1.
 */

export interface GoalSearch<K, V> {
  /** The parts, in the order in which the last steps are given out. */
  readonly items: readonly K[];
  /** What each part does at effort t: more with every t. */
  readonly at: (t: number) => ReadonlyMap<K, V>;
  readonly same: (a: V | undefined, b: V | undefined) => boolean;
  readonly meets: (choice: ReadonlyMap<K, V>) => boolean;
}

/**
 * The least that meets the goal: the smallest effort that does, then only as many of its last steps, part by part, as are needed.
 * undefined where even effort 1 does not.
 */
export function meetGoal<K, V>(s: GoalSearch<K, V>): ReadonlyMap<K, V> | undefined {
  const equal = (a: ReadonlyMap<K, V>, b: ReadonlyMap<K, V>): boolean =>
    s.items.every((k) => s.same(a.get(k), b.get(k)));
  let [low, high] = [0, 1];
  let [under, over] = [s.at(0), s.at(1)];
  if (!s.meets(over)) return undefined;
  if (s.meets(under)) return under;
  for (let step = 0; step < 40 && high - low > 1e-7 && !equal(under, over); step++) {
    const middle = (low + high) / 2;
    const candidate = s.at(middle);
    if (s.meets(candidate)) [high, over] = [middle, candidate];
    else [low, under] = [middle, candidate];
  }
  return lastSteps(s, under, over);
}

/** Of the parts that differ, the first so many take their step that the goal is met. */
function lastSteps<K, V>(s: GoalSearch<K, V>, under: ReadonlyMap<K, V>, over: ReadonlyMap<K, V>): ReadonlyMap<K, V> {
  const moving = s.items.filter((k) => !s.same(under.get(k), over.get(k)));
  const first = (n: number): ReadonlyMap<K, V> => {
    const mixed = new Map(under);
    for (const k of moving.slice(0, n)) {
      const v = over.get(k);
      if (v !== undefined) mixed.set(k, v);
    }
    return mixed;
  };
  let [low, high] = [0, moving.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (s.meets(first(middle))) high = middle;
    else low = middle;
  }
  return high === moving.length ? over : first(high);
}
