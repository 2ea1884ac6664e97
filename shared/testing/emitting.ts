/** Owns emitting: an operator's gradient asked on its own, of an emitter, for rules that only emit. */
import type { Emitter } from '../autodiff/backward.ts';
import type { Node } from '../ir/model.ts';
import type { GradientContext } from '../ops/declare.ts';

/** What a gradient rule is given of `node`, without the facts and gradients around it: reading those fails. */
export const emitting = (e: Emitter, node: Node): GradientContext =>
  Object.assign(Object.create(e), {
    node,
    one: e.one.bind(e),
    emit: e.emit.bind(e),
    ints: e.ints.bind(e),
    floats: e.floats.bind(e),
    constant: e.constant.bind(e),
  }) as GradientContext;
