/** Owns which input of a layer is its weight. */
import type { Node } from '#shared/ir/model.ts';
import type { Facts } from '#shared/ops/declare.ts';
import { opOf } from '#shared/ops/index.ts';

/** The first input that the operator declares as a weight and that is constant here (a product may have it on either side). */
export function weightInput(node: Node, facts: ReadonlyMap<string, Facts>): number | undefined {
  const roles = Object.entries(opOf(node)?.parameters ?? {});
  const constant = roles.filter(([i]) => facts.get(node.inputs[Number(i)] ?? '')?.constant === true);
  const found = constant.find(([, role]) => role === 'weight') ?? constant[0];
  return found === undefined ? undefined : Number(found[0]);
}
