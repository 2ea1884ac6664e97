/** Owns Einsum: products named by letters. */
import { attr } from '../ir/attribute.ts';
import { fed } from './case-values.ts';
import type { Facts, NodeContext, Op } from './declare.ts';
import { parseEquation } from './einsum-equation.ts';
import { einsumGradient } from './einsum-gradient.ts';
import { family, freezeAll, noQuantize, tensorFacts, times } from './rule.ts';

const products = family({
  domain: '',
  parameters: { 0: 'weight', 1: 'weight' },
  // One multiply-accumulate per point of the joint index space and per product.
  work: (c) => {
    const e = parseEquation(c);
    const points = e === undefined ? null : times(...e.sizes.values());
    const operands = c.inputs.length;
    if (operands < 2) return { kernel: 'reduce', macs: 0, otherOps: points };
    return { kernel: 'matmul', macs: times(points, operands - 1), otherOps: 0 };
  },
  gradient: einsumGradient,
  channels: freezeAll('Einsum has no channel rule'),
  quantize: noQuantize,
});

const infer = (c: NodeContext): readonly Facts[] => {
  const e = parseEquation(c);
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
      { name: 'sums over one operand', attributes: equation('ijk->ik'), inputs: [fed(2, 3, 4)] },
      {
        name: 'a letter of one operand alone',
        attributes: equation('ij,jk->i'),
        inputs: [fed(2, 3), fed(3, 4)],
        macs: 24,
      },
      {
        name: 'stretched batches',
        attributes: equation('...ij,...jk->...ik'),
        inputs: [fed(1, 2, 3), fed(5, 3, 4)],
        macs: 120,
      },
      {
        name: 'attention scores',
        attributes: equation('bhid,bhjd->bhij'),
        inputs: [fed(1, 2, 3, 4), fed(1, 2, 5, 4)],
        macs: 120,
      },
    ],
  }),
];
