/** Owns what a conversion between opsets knows of a graph's values, and the constants it makes. */
import { inferFacts } from '../../analysis/infer-facts.ts';
import { lazy } from '../../base/lazy.ts';
import { type ElementType, elementCount } from '../../ir/element-type.ts';
import { graphIndex } from '../../ir/graph-index.ts';
import type { Dim, Graph, Model, Node } from '../../ir/model.ts';
import type { Tensor } from '../../ir/tensor.ts';
import { int64Tensor, numbersTensor, toNumbers } from '../../ir/values.ts';
import type { Scalar } from '../../ops/declare.ts';
import { freshName } from '../names.ts';
import type { AdapterContext } from './context.ts';

/** What is known of values: by name, innermost scope first. */
export interface Scope {
  readonly shape: (value: string) => readonly Dim[] | null;
  readonly elem: (value: string) => ElementType | null;
  readonly constant: (value: string) => Tensor | undefined;
  /** Numbers, symbols and unknown elements of a small value. */
  readonly content: (value: string) => readonly Scalar[] | undefined;
  readonly isRead: (value: string) => boolean;
}

/**
 * What inference says of the main graph's values, asked only where the file itself is silent: a bound or a fill value must have
 * the element type of what it bounds.
 */
export function inferred(model: Model): Scope {
  const facts = lazy(() => inferFacts(model));
  return {
    ...nothingKnown,
    shape: (v) => facts().get(v)?.shape ?? null,
    elem: (v) => facts().get(v)?.elem ?? null,
    content: (v) => short(facts().get(v)?.content),
  };
}

export const nothingKnown: Scope = {
  shape: () => null,
  elem: () => null,
  constant: () => undefined,
  content: () => undefined,
  isRead: () => true,
};

const short = (content: readonly Scalar[] | undefined): readonly Scalar[] | undefined =>
  content !== undefined && content.length <= longest ? content : undefined;

const none: ReadonlySet<string> = new Set();
/** Axes, bounds, sizes are short; longer tensors are data, and the screen does not have them. */
const longest = 128;

/** `overridable`: initializers that a caller may replace (IR 4 and later, listed among the inputs), which nothing may rely on. */
export function scopeOf(graph: Graph, outer: Scope, main = false, overridable: ReadonlySet<string> = none): Scope {
  const index = graphIndex(graph);
  const types = new Map([...graph.valueInfos, ...graph.outputs, ...graph.inputs].map((v) => [v.name, v.type]));
  const constant = (value: string): Tensor | undefined => {
    const found = index.initializer.get(value);
    if (found !== undefined) return overridable.has(value) ? undefined : found;
    const maker = index.producer.get(value);
    if (maker === undefined) return types.has(value) ? undefined : outer.constant(value);
    const held = maker.op === 'Constant' ? maker.attributes.find((a) => a.name === 'value') : undefined;
    return held?.kind === 'tensor' ? held.value : undefined;
  };
  const typeOf = (value: string) => {
    const type = types.get(value);
    return type?.kind === 'tensor' ? type : undefined;
  };
  /** Whether the name is this graph's, and so an outer one of the same name says nothing of it. */
  const own = (value: string): boolean => !main && (types.has(value) || index.producer.has(value));
  return {
    constant,
    shape: (v) => constant(v)?.dims ?? typeOf(v)?.shape ?? (own(v) ? null : outer.shape(v)),
    elem: (v) => constant(v)?.type ?? typeOf(v)?.elem ?? (own(v) ? null : outer.elem(v)),
    content: (v) => {
      if (overridable.has(v)) return undefined;
      const held = constant(v);
      if (held !== undefined) return elementCount(held.dims) > longest ? undefined : Array.from(toNumbers(held));
      return own(v) ? undefined : outer.content(v);
    },
    isRead: (v) => index.uses.has(v) || index.outputNames.has(v),
  };
}

/** Constants that a graph (initializers) or a function body (Constant nodes) gets. */
export interface Constants {
  readonly made: Map<string, Tensor>;
  add(key: string, make: (name: string) => Tensor): string;
  /** One of them by its name. */
  of(name: string): Tensor | undefined;
}

export function constantsOf(taken: Set<string>): Constants {
  const made = new Map<string, Tensor>();
  const named = new Map<string, Tensor>();
  return {
    made,
    of: (name) => named.get(name),
    add: (key, make) => {
      const found = made.get(key);
      if (found !== undefined) return found.name;
      const tensor = make(freshName('opset_constant', taken));
      made.set(key, tensor);
      named.set(tensor.name, tensor);
      return tensor.name;
    },
  };
}

export function contextOf(node: Node, version: number, work: Work, scope: Scope, constants: Constants): AdapterContext {
  const fresh = (base: string): string => freshName(base, work.taken);
  const content = (v: string): readonly Scalar[] | undefined => {
    const own = constants.of(v);
    return own === undefined ? scope.content(v) : Array.from(toNumbers(own));
  };
  return {
    node,
    version,
    target: work.to,
    ...scope,
    constant: (v) => constants.of(v) ?? scope.constant(v),
    shape: (v) => constants.of(v)?.dims ?? scope.shape(v),
    elem: (v) => constants.of(v)?.type ?? scope.elem(v),
    content,
    known: (v) => {
      const found = content(v);
      return found?.every((x) => typeof x === 'number') ? (found as readonly number[]) : undefined;
    },
    fresh,
    ints: (values, dims = [values.length]) =>
      constants.add(`int64[${dims.join()}]:${values.join()}`, (name) => int64Tensor(name, dims, values)),
    numbers: (elem, values, dims) =>
      constants.add(`${elem}[${dims.join()}]:${values.join()}`, (name) => numbersTensor(name, elem, dims, values)),
    emit: (into, op, inputs, attributes = []) => {
      const name = fresh(`${node.outputs[0] || node.id}_${op.toLowerCase()}`);
      into.push({ id: name, name, op, domain: '', inputs, outputs: [name], attributes });
      return name;
    },
  };
}

export interface Work {
  readonly from: number;
  readonly to: number;
  readonly taken: Set<string>;
}
