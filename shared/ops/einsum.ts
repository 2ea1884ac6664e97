/** Owns Einsum: products named by letters. */
import { attr, stringAttr } from '../ir/attribute.ts';
import type { Dim } from '../ir/model.ts';
import { fed } from './case-values.ts';
import type { Facts, NodeContext, Op } from './declare.ts';
import { broadcastDim } from './fold.ts';
import { family, freezeAll, noGradientYet, noQuantize, tensorFacts, times } from './rule.ts';

interface Equation {
  readonly sizes: ReadonlyMap<string, Dim>;
  readonly output: readonly string[];
}

/** Letters of each term; an ellipsis stands for numbered letters `0`, `1` ... counted from the right. */
function parse(c: NodeContext): Equation | undefined {
  const equation = stringAttr(c.node, 'equation', '').replaceAll(' ', '');
  const [left = '', right] = equation.split('->');
  const terms = left.split(',');
  const sizes = new Map<string, Dim>();
  const seen = new Map<string, number>();
  let widest = 0;
  for (const [k, term] of terms.entries()) {
    const s = c.inputs[k]?.shape;
    if (!s) return undefined;
    const plain = term.replace('...', '').length;
    const spread = term.includes('...') ? s.length - plain : 0;
    widest = Math.max(widest, spread);
    const labels = labelsOf(term, spread);
    if (labels.length !== s.length) return undefined;
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
  return { sizes, output };
}

function labelsOf(term: string, spread: number): readonly string[] {
  const at = term.indexOf('...');
  if (at < 0) return [...term];
  const dots = Array.from({ length: spread }, (_, i) => String(spread - 1 - i));
  return [...term.slice(0, at), ...dots, ...term.slice(at + 3)];
}

const products = family({
  domain: '',
  parameters: { 0: 'weight', 1: 'weight' },
  // One multiply-accumulate per point of the joint index space and per product.
  work: (c) => {
    const e = parse(c);
    const points = e === undefined ? null : times(...e.sizes.values());
    const operands = c.inputs.length;
    if (operands < 2) return { kernel: 'reduce', macs: 0, otherOps: points };
    return { kernel: 'matmul', macs: times(points, operands - 1), otherOps: 0 };
  },
  gradient: noGradientYet,
  channels: freezeAll('Einsum has no channel rule'),
  quantize: noQuantize,
});

const infer = (c: NodeContext): readonly Facts[] => {
  const e = parse(c);
  return [tensorFacts(c, c.inputs[0]?.elem ?? null, e?.output.map((l) => e.sizes.get(l) ?? null) ?? null)];
};

const equation = (text: string) => [attr.string('equation', text)];

export const einsumOps: readonly Op[] = [
  products('Einsum', [12], infer, {
    cases: [
      { name: 'product', attributes: equation('ij,jk->ik'), inputs: [fed(2, 3), fed(3, 4)], macs: 24 },
      {
        name: 'batched by ellipsis',
        attributes: equation('...ij,...jk->...ik'),
        inputs: [fed(5, 2, 3), fed(5, 3, 4)],
        macs: 120,
      },
      { name: 'implicit output', attributes: equation('ij,jk'), inputs: [fed(2, 3), fed(3, 4)], macs: 24 },
      { name: 'trace', attributes: equation('ii->i'), inputs: [fed(3, 3)] },
      {
        name: 'attention scores',
        attributes: equation('bhid,bhjd->bhij'),
        inputs: [fed(1, 2, 3, 4), fed(1, 2, 5, 4)],
        macs: 120,
      },
    ],
  }),
];
