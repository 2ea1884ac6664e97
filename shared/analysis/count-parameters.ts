/** Owns the count of parameters: decoded weights, biases and normalisation scales, each shared tensor once. */

import { isFloat } from '../ir/element-type.ts';
import type { Graph, Node } from '../ir/model.ts';
import type { Facts, ParameterRole } from '../ops/declare.ts';
import { sizeOf } from '../ops/fold.ts';
import { opOf } from '../ops/index.ts';
import { isWeightType, weightRoot } from './weight-roots.ts';

type FactsMap = ReadonlyMap<string, Facts>;

export interface ParameterUse {
  readonly node: Node;
  readonly input: number;
  readonly role: ParameterRole;
  /** Elements as the node reads them. */
  readonly elements: number;
  /** Which weight it is: see `weightRoot`. */
  readonly root: string;
}

/** Add and Mul hold a parameter only where their constant is more than a number and is not itself part of a weight. */
const loose: ReadonlySet<string> = new Set(['Add', 'Mul']);

/** The parameters that a node reads (none for a node that itself makes a weight). */
export function parametersOf(node: Node, graph: Graph, facts: FactsMap): readonly ParameterUse[] {
  const roles = opOf(node)?.parameters;
  if (roles === undefined) return [];
  const uses: ParameterUse[] = [];
  for (const [key, role] of Object.entries(roles)) {
    const input = Number(key);
    const name = node.inputs[input];
    const known = name === undefined || name === '' ? undefined : facts.get(name);
    if (name === undefined || known === undefined || !known.constant || !isWeightType(known, role)) continue;
    const elements = sizeOf(known.shape);
    if (elements === null) continue;
    if (loose.has(node.op) && (elements <= 1 || (known.elem !== null && !isFloat(known.elem)))) continue;
    uses.push({ node, input, role, elements, root: weightRoot(graph, facts, name) });
  }
  return uses;
}
