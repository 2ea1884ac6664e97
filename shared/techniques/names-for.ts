/** Owns namesFor: unique value names for the decoding of stored tensors, each asked for once. */
import type { GraphEdit } from '../ir/graph-edit.ts';
import type { Names } from './packed-indices.ts';

/** Names by tensor; `shared` ones begin with `prefix` and are the same for all. */
export function namesFor(edit: GraphEdit, prefix: string): (base: string) => Names {
  const shared = new Map<string, string>();
  const bases = new Map<string, Names>();
  const once = (map: Map<string, string>, key: string, wanted: string): string => {
    const name = map.get(key) ?? edit.unique(wanted);
    map.set(key, name);
    return name;
  };
  return (base) => {
    const own = new Map<string, string>();
    const names = bases.get(base) ?? {
      own: (part) => once(own, part, `${base}_${part}`),
      shared: (part) => once(shared, part, `${prefix}_${part}`),
    };
    bases.set(base, names);
    return names;
  };
}
