/** Owns the page about gradients: which operators train, and why the others do not, as the registry says. */
import { inLanguage } from '../base/text.ts';
import { isNone, type Op } from '../ops/declare.ts';
import { families } from '../ops/index.ts';

const nameOf = (o: Op): string => `${o.domain === '' ? '' : `${o.domain}.`}${o.type}`;
const list = (ops: readonly Op[]): string => ops.map(nameOf).join(', ');

/** Straight-through rules: the slope is set, not derived. */
export const straightThrough: ReadonlySet<string> = new Set([
  'Sign',
  'Round',
  'Floor',
  'Ceil',
  'QuantizeLinear',
  'DequantizeLinear',
  'DynamicQuantizeLinear',
  'Cast',
  'CastLike',
]);

export function gradientPage(): string {
  const all = families.flat();
  const ruled = all.filter((o) => !isNone(o.gradient));
  const derived = ruled.filter((o) => !straightThrough.has(o.type));
  const reasons = new Map<string, Op[]>();
  for (const o of all)
    if (isNone(o.gradient)) {
      const reason = inLanguage(o.gradient.none, 'en');
      reasons.set(reason, [...(reasons.get(reason) ?? []), o]);
    }
  return [
    '# Gradients',
    '',
    'Written from the registry of operators by `BANTAM_WRITE=1 npx vitest run shared/testing/docs.test.ts`; a test holds it. Where a',
    'layer stands before an operator without a rule, training it stops at once and names that operator.',
    '',
    `## With a rule (${derived.length})`,
    '',
    'Each is checked by finite differences through the runtime, on the cases of its declaration (`shared/autodiff/gradients.test.ts`).',
    '',
    list(derived),
    '',
    `## Straight through (${ruled.length - derived.length})`,
    '',
    'A step has no slope; the rule passes the gradient on: QuantizeLinear inside the range of its type, Sign inside -1..1.',
    '',
    list(ruled.filter((o) => straightThrough.has(o.type))),
    '',
    '## Without',
    '',
    ...[...reasons].map(([reason, ops]) => `- ${reason}: ${list(ops)}`),
    '',
  ].join('\n');
}
