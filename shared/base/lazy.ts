/** Owns lazy(): a value computed at most once, when somebody first asks. */

/** Wraps `make` so that it runs at most once. A throw is not remembered: the next call tries again. */
export function lazy<T>(make: () => T): () => T {
  let state: { readonly value: T } | undefined;
  return () => {
    state ??= { value: make() };
    return state.value;
  };
}
