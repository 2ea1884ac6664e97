/** Owns the gradients of the losses that the standard has as operators. */
import { text } from '../base/text.ts';
import { attr, intAttr, stringAttr } from '../ir/attribute.ts';
import type { GradientContext, GradientRule } from './declare.ts';
import { minus, mul, refuse, reshapeTo, scalar, sumOver, withDy, xShape } from './gradient-rule.ts';

/** What the loss's gradient is worth at each label: [N, 1, d ...], and the labels as ones along the classes. */
function perLabel(c: GradientContext, dy: string): { readonly worth: string; readonly hot: string } {
  const [n = 1, classes = 1, ...rest] = xShape(c);
  const labels = c.one('Cast', [c.x(1)], [attr.int('to', 7)]);
  const ignored = intAttr(c.node, 'ignore_index');
  const at = ignored === undefined ? undefined : c.one('Equal', [labels, c.ints([ignored])]);
  const real = at === undefined ? labels : c.one('Where', [at, c.ints([0]), labels]);
  const hot = c.one('OneHot', [real, c.ints([classes]), c.floats([0, 1])], [attr.int('axis', 1)]);
  const given = (c.node.inputs[2] ?? '') !== '';
  const ones = c.one('Expand', [scalar(c, 1), c.ints([n, ...rest])]);
  const weights = given ? c.one('Gather', [c.x(2), real]) : ones;
  const counted = at === undefined ? weights : c.one('Where', [at, scalar(c, 0), weights]);
  const how = stringAttr(c.node, 'reduction', 'mean');
  const all = [n, ...rest].map((_, i) => i);
  const share = how === 'mean' ? c.one('Div', [counted, sumOver(c, counted, all)]) : counted;
  return { worth: reshapeTo(c, mul(c, dy, share), [n, 1, ...rest]), hot };
}

/** Inputs: log probabilities [N, C, d ...], labels, class weights. */
export const negativeLogGradient: GradientRule = withDy((c, dy) => {
  if (c.wants(2)) return refuse(c, text('its class weights are not trained', '클래스 가중치는 학습하지 않습니다'));
  const { worth, hot } = perLabel(c, dy);
  return [c.wants(0) ? c.one('Neg', [mul(c, worth, hot)]) : undefined];
});

/** softmax - label, for each label. */
export const crossEntropyLossGradient: GradientRule = withDy((c, dy) => {
  if (c.wants(2)) return refuse(c, text('its class weights are not trained', '클래스 가중치는 학습하지 않습니다'));
  if (c.dy(1) !== undefined)
    return refuse(c, text('its log probabilities are read by what is trained', '그 로그 확률을 학습 대상이 읽습니다'));
  const { worth, hot } = perLabel(c, dy);
  const shares = c.one('Softmax', [c.x(0)], [attr.int('axis', 1)]);
  return [c.wants(0) ? mul(c, worth, minus(c, shares, hot)) : undefined];
});
