/** Owns a preprocessing in one short line, as it stands beside every accuracy. */
import type { Preprocess } from '#shared/recipes/recipe.ts';

const round = (v: number): string => String(Number(v.toPrecision(4)));

/** `÷ 255 − 0.1307 ÷ 0.3081 · bgr · inverted`: what is as usual is left out. */
export function preprocessText(p: Preprocess): string {
  const numbers = [
    `÷ ${round(p.scale)}`,
    p.mean.some((m) => m !== 0) ? `− ${p.mean.map(round).join(', ')}` : '',
    p.std.some((s) => s !== 1) ? `÷ ${p.std.map(round).join(', ')}` : '',
  ];
  const more = [
    p.colour === 'as-is' ? '' : p.colour,
    p.layout ?? '',
    p.resize === 'fit' ? '' : p.resize,
    p.invert ? '1 − x' : '',
  ];
  return [numbers.filter((s) => s !== '').join(' '), ...more].filter((s) => s !== '').join(' · ');
}
