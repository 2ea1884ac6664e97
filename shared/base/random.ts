/** Owns Rng: small, fast, seeded, the same on every machine (sfc32, Chris Doty-Humphrey's PractRand). */

export interface Rng {
  /** Uniform in [0, 1), 32 bits of it. */
  next(): number;
  /** Integer in [0, n). */
  below(n: number): number;
  /** Standard normal, by Box and Muller. */
  normal(): number;
  /** Fisher-Yates, in place on a copy. */
  shuffle<T>(items: readonly T[]): T[];
  /** An independent stream, named, so that adding a draw in one place moves nothing elsewhere. */
  fork(name: string): Rng;
}

/** FNV-1a over UTF-16 units; only to spread seeds, never for security. */
export function hash32(text: string, seed = 0x811c9dc5): number {
  let h = seed >>> 0;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return h;
}

/** A generator from a seed (any finite number; the same seed gives the same stream). */
export function rng(seed: number): Rng {
  let a = 0;
  let b = seed | 0;
  let c = Math.floor(seed / 2 ** 32) | 0;
  let d = 1;
  const next32 = (): number => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 12; i++) next32();
  const next = (): number => next32() / 2 ** 32;
  const below = (n: number): number => Math.floor(next() * n);
  return {
    next,
    below,
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    shuffle: (items) => {
      const out = [...items];
      for (let i = out.length - 1; i > 0; i--) {
        const j = below(i + 1);
        const x = out[i];
        const y = out[j];
        if (x !== undefined && y !== undefined) {
          out[i] = y;
          out[j] = x;
        }
      }
      return out;
    },
    fork: (name) => rng(hash32(name, (seed ^ 0x811c9dc5) >>> 0)),
  };
}
