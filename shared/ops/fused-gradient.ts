/** Owns the gradients of what the runtime fuses: activations with their bias, FusedConv, normalisation of a sum. */
import { text } from '../base/text.ts';
import { attributeOf, floatAttr, stringAttr } from '../ir/attribute.ts';
import { convGradient } from './conv-gradient.ts';
import type { GradientContext, GradientRule } from './declare.ts';
import { geluSlope, swishSlope } from './elementwise-gradient.ts';
import {
  add,
  dataOnly,
  flag,
  mul,
  oneMinus,
  refuse,
  scalar,
  spreadBack,
  square,
  times,
  withDy,
  xShape,
} from './gradient-rule.ts';
import { normalise, throughNormal } from './normalisation-gradient.ts';

/** Gelu of x plus a bias along the last axis (inputs 0 and 1). */
export const biasGeluGradient = (byTanh: boolean): GradientRule =>
  withDy((c, dy) => {
    const biased = (c.node.inputs[1] ?? '') !== '';
    const grad = mul(c, dy, geluSlope(c, biased ? add(c, c.x(0), c.x(1)) : c.x(0), byTanh));
    return [c.wants(0) ? grad : undefined, biased && c.wants(1) ? spreadBack(c, grad, 1) : undefined];
  });

export const quickGeluGradient: GradientRule = dataOnly((c, dy) =>
  mul(c, dy, swishSlope(c, c.x(0), floatAttr(c.node, 'alpha', 1.702))),
);

/** From the gradient of act(z) to that of z, read off the result y. */
function throughActivation(c: GradientContext, dy: string): string {
  const y = c.y(0);
  const [alpha = 0.01, beta = 0] = attributeOf(c.node, 'activation_params', 'floats') ?? [];
  const over = (limit: number): string => flag(c, 'Greater', y, scalar(c, limit));
  const under = (limit: number): string => flag(c, 'Less', y, scalar(c, limit));
  const name = stringAttr(c.node, 'activation', '');
  if (name === '') return dy;
  if (name === 'Relu') return mul(c, dy, over(0));
  if (name === 'LeakyRelu') return c.one('Where', [c.one('Greater', [y, scalar(c, 0)]), dy, times(c, dy, alpha)]);
  if (name === 'Sigmoid') return mul(c, dy, mul(c, y, oneMinus(c, y)));
  if (name === 'Tanh') return mul(c, dy, oneMinus(c, square(c, y)));
  if (name === 'Clip') return mul(c, dy, mul(c, over(alpha), under(beta)));
  if (name === 'HardSigmoid') return times(c, mul(c, dy, mul(c, over(0), under(1))), alpha);
  return refuse(c, text(`its activation ${name} is not followed`, `활성 함수 ${name}을(를) 다루지 않습니다`));
}

/** x, weight, bias, and a shortcut that is added before the activation. */
export const fusedConvGradient: GradientRule = withDy((c, dy) => {
  const g = throughActivation(c, dy);
  const found = convGradient({ ...c, dy: (k) => (k === 0 ? g : c.dy(k)) });
  return [...Array.from({ length: 3 }, (_, k) => found[k]), c.wants(3) ? g : undefined];
});

/** y = normalised (x + skip + bias); `places`: inputs of scale, offset and bias; output 3 is the sum itself. */
export const skipNormGradient =
  (
    centred: boolean,
    places: { readonly scale: number; readonly offset?: number; readonly bias: number },
  ): GradientRule =>
  (c) => {
    const has = (k: number | undefined): k is number => k !== undefined && (c.node.inputs[k] ?? '') !== '';
    const x = xShape(c);
    const last = [x.length - 1];
    const dy = c.dy(0);
    const sum = c.dy(3);
    if (c.dy(1) !== undefined || c.dy(2) !== undefined)
      return refuse(c, text('its statistics are read by what is trained', '그 통계를 학습 대상이 읽습니다'));
    const plain = add(c, c.x(0), c.x(1));
    const total = has(places.bias) ? add(c, plain, c.x(places.bias)) : plain;
    const n = normalise(c, total, x, last, floatAttr(c.node, 'epsilon', 1e-12), centred);
    const inner = dy === undefined ? undefined : throughNormal(c, n, mul(c, dy, c.x(places.scale)));
    const ds = inner === undefined ? sum : sum === undefined ? inner : add(c, inner, sum);
    if (ds === undefined) return [];
    const out: (string | undefined)[] = c.node.inputs.map(() => undefined);
    const set = (k: number, make: () => string): void => {
      if (c.wants(k)) out[k] = make();
    };
    set(0, () => ds);
    set(1, () => spreadBack(c, ds, 1));
    if (has(places.bias)) set(places.bias, () => spreadBack(c, ds, places.bias));
    if (dy !== undefined) {
      set(places.scale, () => spreadBack(c, mul(c, dy, n.value), places.scale));
      const { offset } = places;
      if (has(offset)) set(offset, () => spreadBack(c, dy, offset));
    }
    return out;
  };
