/** Owns the data colour scale: viridis (van der Walt and Smith, 2015), sampled at eleven points and interpolated. */

const stops = [
  [68, 1, 84],
  [72, 36, 117],
  [65, 68, 135],
  [53, 95, 141],
  [42, 120, 142],
  [33, 145, 140],
  [34, 168, 132],
  [68, 191, 112],
  [122, 209, 81],
  [189, 223, 38],
  [253, 231, 37],
] as const;

/** The colour of a share in 0..1. */
export function viridis(share: number): string {
  const x = Math.min(1, Math.max(0, share)) * (stops.length - 1);
  const i = Math.min(stops.length - 2, Math.floor(x));
  const [a, b] = [stops[i] ?? stops[0], stops[i + 1] ?? stops[0]];
  const mix = (k: 0 | 1 | 2): number => Math.round(a[k] + (b[k] - a[k]) * (x - i));
  return `rgb(${mix(0)} ${mix(1)} ${mix(2)})`;
}

/** A CSS gradient of the whole scale. */
export const viridisGradient = `linear-gradient(90deg, ${stops.map((_, i) => viridis(i / (stops.length - 1))).join(', ')})`;
