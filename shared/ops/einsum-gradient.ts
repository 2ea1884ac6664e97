/**
 * Owns the gradient of Einsum: the gradient of one operand is an Einsum of the result's gradient with the other operands.
 * A letter repeated within a term (a diagonal) is spread by an identity, one that stands in this operand alone by ones.
 */
import { text } from '../base/text.ts';
import { attr } from '../ir/attribute.ts';
import { numbersTensor } from '../ir/values.ts';
import type { GradientContext, GradientRule } from './declare.ts';
import { type Equation, parseEquation } from './einsum-equation.ts';
import { refuse, withDy, xShape, yShape } from './gradient-rule.ts';

const letters = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'];

/** Labels (letters, and numbers for an ellipsis) as letters of one equation. */
function lettering(): (label: string) => string {
  const given = new Map<string, string>();
  return (label) => {
    const known = given.get(label);
    if (known !== undefined) return known;
    const letter = letters[given.size] ?? '';
    given.set(label, letter);
    return letter;
  };
}

function identity(c: GradientContext, size: number): string {
  const values = new Float32Array(size * size);
  for (let i = 0; i < size; i++) values[i * (size + 1)] = 1;
  return c.constant(numbersTensor('identity', 'float', [size, size], values));
}

function operandGradient(c: GradientContext, dy: string, e: Equation, k: number): string {
  const letter = lettering();
  const own = e.terms[k] ?? [];
  const dims = xShape(c, k);
  const others = e.terms.flatMap((term, j) => (j === k ? [] : [{ name: c.x(j), term }]));
  const operands = [{ name: dy, term: e.output }, ...others];
  const known = new Set(operands.flatMap((o) => o.term));
  // A diagonal's second letter becomes one of its own, tied to the first by an identity.
  const target = own.map((label, i) => {
    const size = dims[i] ?? 1;
    const repeated = own.indexOf(label) !== i;
    const now = repeated ? `${label}#${i}` : label;
    if (repeated) operands.push({ name: identity(c, size), term: [label, now] });
    else if (!known.has(label))
      operands.push({
        name: c.constant(numbersTensor('ones', 'float', [size], new Float32Array(size).fill(1))),
        term: [label],
      });
    return now;
  });
  const spell = (term: readonly string[]): string => term.map(letter).join('');
  const equation = `${operands.map((o) => spell(o.term)).join(',')}->${spell(target)}`;
  const found = c.one(
    'Einsum',
    operands.map((o) => o.name),
    [attr.string('equation', equation)],
  );
  // An ellipsis broadcasts: its ones were stretched.
  const full = own.map((label, i) => {
    const size = e.sizes.get(label);
    return typeof size === 'number' && known.has(label) ? size : (dims[i] ?? 1);
  });
  return c.unbroadcast(found, full, dims);
}

export const einsumGradient: GradientRule = withDy((c, dy) => {
  const e = parseEquation(c);
  if (e === undefined || new Set([...e.sizes.keys()]).size * 2 > letters.length)
    return refuse(c, text('its equation is not understood', '수식을 이해할 수 없습니다'));
  yShape(c);
  return c.inputs.map((_, k) => (c.wants(k) ? operandGradient(c, dy, e, k) : undefined));
});
