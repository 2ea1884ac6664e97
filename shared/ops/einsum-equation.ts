/** Owns the equation of an Einsum: what each letter's size is, and where it stands. */
import { stringAttr } from '../ir/attribute.ts';
import type { Dim } from '../ir/model.ts';
import type { NodeContext } from './declare.ts';
import { broadcastDim } from './fold.ts';

export interface Equation {
  readonly sizes: ReadonlyMap<string, Dim>;
  /** Labels of each operand, and of the result. */
  readonly terms: readonly (readonly string[])[];
  readonly output: readonly string[];
}

/** Letters of each term; an ellipsis stands for numbered letters `0`, `1` ... counted from the right. */
export function parseEquation(c: NodeContext): Equation | undefined {
  const equation = stringAttr(c.node, 'equation', '').replaceAll(' ', '');
  const [left = '', right] = equation.split('->');
  const terms = left.split(',');
  const sizes = new Map<string, Dim>();
  const seen = new Map<string, number>();
  let widest = 0;
  const labelled: (readonly string[])[] = [];
  for (const [k, term] of terms.entries()) {
    const s = c.inputs[k]?.shape;
    if (!s) return undefined;
    const plain = term.replace('...', '').length;
    const spread = term.includes('...') ? s.length - plain : 0;
    widest = Math.max(widest, spread);
    const labels = labelsOf(term, spread);
    if (labels.length !== s.length) return undefined;
    labelled.push(labels);
    for (const [i, label] of labels.entries()) {
      const before = sizes.get(label);
      const dim = s[i] ?? null;
      sizes.set(label, before === undefined ? dim : broadcastDim(before, dim));
      seen.set(label, (seen.get(label) ?? 0) + 1);
    }
  }
  // Without an arrow: the ellipsis, then the letters that occur once, in alphabetical order.
  const once = [...seen].filter(([l, n]) => n === 1 && /[A-Za-z]/.test(l)).map(([l]) => l);
  const output = right === undefined ? [...labelsOf('...', widest), ...once.sort()] : labelsOf(right, widest);
  return { sizes, terms: labelled, output };
}

function labelsOf(term: string, spread: number): readonly string[] {
  const at = term.indexOf('...');
  if (at < 0) return [...term];
  const dots = Array.from({ length: spread }, (_, i) => String(spread - 1 - i));
  return [...term.slice(0, at), ...dots, ...term.slice(at + 3)];
}
