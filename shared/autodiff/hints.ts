/** Owns hints: a value of the student drawn towards one of the teacher, through a learnt linear map where widths differ. */
import { Fault } from '../base/fault.ts';
import { rng } from '../base/random.ts';
import { text } from '../base/text.ts';
import { attr } from '../ir/attribute.ts';
import type { Node } from '../ir/model.ts';
import type { Facts } from '../ops/declare.ts';
import type { Emitter } from './backward.ts';

export interface HintTarget {
  /** Value of the trained graph. */
  readonly value: string;
  /** Of the teacher's value, which is fed; the batch stands first. */
  readonly dims: readonly number[];
  readonly weight: number;
}

/** The map from the student's width to the teacher's, thrown away after the training (Romero et al. 2015, section 2.2). */
export interface Regressor {
  readonly node: Node;
  readonly name: string;
  readonly dims: readonly number[];
  readonly initial: Float32Array;
}

/**
 * The map that a hint needs; undefined where both have the same dimensions. Widths may differ in the channels (axis 1) or in the
 * last axis. Faults: `does-not-fit`.
 */
export function regressorOf(
  e: Emitter,
  hint: HintTarget,
  facts: Facts | undefined,
  seed: number,
): Regressor | undefined {
  const own = facts?.shape;
  const wrong = (): Fault =>
    new Fault(
      'does-not-fit',
      text(
        `a hint of dimensions [${hint.dims}] does not fit those of the student, [${own ?? '?'}]`,
        `힌트의 차원 [${hint.dims}]이(가) 학생 모델의 [${own ?? '?'}]와(과) 맞지 않습니다`,
      ),
      {
        where: hint.value,
        hint: text('Choose two values whose dimensions differ in their width alone.', '너비만 다른 두 값을 고르세요.'),
      },
    );
  if (own === undefined || own === null || own.length !== hint.dims.length || own.length < 2) throw wrong();
  const differ = own.flatMap((d, i) => (d === hint.dims[i] ? [] : [i]));
  const [axis] = differ;
  if (axis === undefined) return undefined;
  const last = own.length - 1;
  const [from, to] = [own[axis], hint.dims[axis]];
  if (differ.length > 1 || typeof from !== 'number' || to === undefined || (axis !== 1 && axis !== last)) throw wrong();
  const convolves = axis === 1 && last > 1;
  const dims = convolves ? [to, from, ...own.slice(2).map(() => 1)] : [from, to];
  const random = rng(seed).fork(`hint ${hint.value}`);
  const initial = Float32Array.from({ length: from * to }, () => random.normal() / Math.sqrt(from));
  const name = e.fresh(`${hint.value}.regressor`);
  const output = e.fresh(`${hint.value}.regressed`);
  return {
    name,
    dims,
    initial,
    node: {
      id: output,
      name: output,
      op: convolves ? 'Conv' : 'MatMul',
      domain: '',
      inputs: [hint.value, name],
      outputs: [output],
      attributes: convolves ? [attr.ints('kernel_shape', dims.slice(2))] : [],
    },
  };
}

/**
 * Mean squared error relative to the teacher's mean square in the batch, times the hint's weight, and its gradient by `value`.
 * `rows`: [batch, 1], how often a row counts.
 */
export function hintLoss(
  e: Emitter,
  value: string,
  target: string,
  hint: HintTarget,
  rows?: string,
): { readonly value: string; readonly gradient: string } {
  const count = hint.dims.reduce((a, b) => a * b, 1);
  const square = (v: string): string => e.one('ReduceSumSquare', [v], [attr.int('keepdims', 0)]);
  const power = e.one('Add', [square(target), e.floats([1e-12 * count], [])]);
  const scale = e.one('Div', [e.floats([hint.weight], []), power]);
  const difference = e.one('Sub', [value, target]);
  const spread = e.ints([hint.dims[0] ?? 1, ...hint.dims.slice(1).map(() => 1)]);
  const weighed = rows === undefined ? difference : e.one('Mul', [difference, e.one('Reshape', [rows, spread])]);
  const sum = e.one('ReduceSum', [e.one('Mul', [weighed, difference])], [attr.int('keepdims', 0)]);
  return {
    value: e.one('Mul', [sum, scale]),
    gradient: e.one('Mul', [weighed, e.one('Mul', [scale, e.floats([2], [])])]),
  };
}

/** What the graph knows of regressors, whose nodes come after inference. */
export function withRegressors(
  facts: ReadonlyMap<string, Facts>,
  some: readonly (Regressor | undefined)[],
  hints: readonly HintTarget[],
) {
  const more = some.flatMap((r, k) => {
    if (r === undefined) return [];
    const shape = (dims: readonly number[]): Facts => ({ elem: 'float', shape: dims, constant: false });
    return [[r.name, shape(r.dims)] as const, [r.node.outputs[0] ?? '', shape(hints[k]?.dims ?? [])] as const];
  });
  return more.length === 0 ? facts : new Map([...facts, ...more]);
}
