/** Owns what an opset adapter sees of its node and how it makes the nodes and constants that take its place. */
import { Fault } from '../../base/fault.ts';
import { type Said, textAround } from '../../base/text.ts';
import type { ElementType } from '../../ir/element-type.ts';
import type { Attribute, Dim, Node } from '../../ir/model.ts';
import type { Tensor } from '../../ir/tensor.ts';
import type { Scalar } from '../../ops/declare.ts';

export interface AdapterContext {
  readonly node: Node;
  /** The opset that the node is brought to. */
  readonly version: number;
  /** The opset that the whole conversion ends at. */
  readonly target: number;
  /** Shape of a value as far as the file and inference know it; null: rank unknown. */
  shape(value: string): readonly Dim[] | null;
  elem(value: string): ElementType | null;
  /** The constant behind a value (initializer or Constant node), where it is one. */
  constant(value: string): Tensor | undefined;
  /** The numbers of a value that is known without running the model: a constant, or what inference works out of one. */
  known(value: string): readonly number[] | undefined;
  /** The same element by element: a number, the symbol of a size, or null. */
  content(value: string): readonly Scalar[] | undefined;
  /** True where a node, a subgraph or the graph's outputs read the value. */
  isRead(value: string): boolean;
  /** A new int64 constant, shared with others of the same contents. */
  ints(values: readonly (number | bigint)[], dims?: readonly number[]): string;
  /** A new constant of this type. */
  numbers(elem: ElementType, values: readonly number[], dims: readonly number[]): string;
  /** A value name that nothing uses. */
  fresh(base: string): string;
  /** A helper node with a fresh id, giving the fresh value it returns. */
  emit(into: Node[], op: string, inputs: readonly string[], attributes?: readonly Attribute[]): string;
}

/** What takes the node's place; valid at `version`. */
export type Adapt = (c: AdapterContext) => readonly Node[];

/** Adapters of one operator, by the opset that brought the change. */
export type Adapters = Readonly<Record<string, Readonly<Record<number, Adapt>>>>;

/** The node with other inputs, attributes, operator; trailing omitted inputs cut. */
export function changed(
  node: Node,
  change: {
    readonly op?: string;
    readonly inputs?: readonly string[];
    readonly without?: readonly string[];
    readonly add?: readonly Attribute[];
  },
): Node {
  const inputs = [...(change.inputs ?? node.inputs)];
  while (inputs.length > 0 && inputs.at(-1) === '') inputs.pop();
  const added = new Set(change.add?.map((a) => a.name));
  const attributes = node.attributes.filter((a) => !change.without?.includes(a.name) && !added.has(a.name));
  return { ...node, op: change.op ?? node.op, inputs, attributes: [...attributes, ...(change.add ?? [])] };
}

/** Refuses a form whose meaning cannot be kept. */
export function refuse(c: AdapterContext, why: Said): never {
  throw new Fault(
    'unsupported',
    textAround(
      why,
      (w) => `${c.node.op} cannot be brought to opset ${c.version}: ${w}`,
      (w) => `${c.node.op}을(를) opset ${c.version}(으)로 옮길 수 없습니다: ${w}`,
    ),
    { where: c.node.id },
  );
}

/** Element type of a value whose constant companion must match it; float where the file says nothing. */
export const elemOr = (c: AdapterContext, value: string): ElementType => c.elem(value) ?? 'float';
