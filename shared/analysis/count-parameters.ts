/** Owns the count of parameters: decoded weights, biases and normalisation scales, each shared tensor once. */

import { isFloat } from '../ir/element-type.ts';
import type { Graph, Node } from '../ir/model.ts';
import type { Wiring } from '../ir/wiring.ts';
import type { Op, ParameterRole } from '../ops/declare.ts';
import { sizeOf } from '../ops/fold.ts';
import { opOf } from '../ops/index.ts';
import type { Scope } from './infer-facts.ts';
import { isWeightType, weightRoot } from './weight-roots.ts';

export interface ParameterUse {
  /** Elements as the node reads them. */
  readonly elements: number;
  /** Which weight it is: see `weightRoot`. */
  readonly root: string;
}

type Roles = readonly (readonly [input: number, role: ParameterRole])[];
const roleLists = new WeakMap<Op, Roles>();
function rolesOf(node: Node): Roles {
  const op = opOf(node);
  if (op === undefined) return [];
  let list = roleLists.get(op);
  if (list === undefined) {
    list = Object.entries(op.parameters).map(([input, role]) => [Number(input), role] as const);
    roleLists.set(op, list);
  }
  return list;
}

/** True where a value is made or stored in a graph so wired, rather than read from around it. */
function isStored(wiring: Wiring, name: string): boolean {
  const id = wiring.ids.get(name) ?? -1;
  const { producer, initializerAt, sparseAt } = wiring;
  return (producer[id] ?? -1) >= 0 || (initializerAt[id] ?? -1) >= 0 || (sparseAt[id] ?? -1) >= 0;
}

/** The weight behind a name, followed out of subgraphs to where it is stored. */
function rootIn(scope: Scope, name: string): string {
  let at = name;
  for (let s: Scope | undefined = scope; s !== undefined; s = s.outer) {
    at = weightRoot(s.graph, s.facts, at);
    if (isStored(s.wiring, at)) return at;
  }
  return at;
}

/** Add and Mul hold a parameter only where their constant is more than a number and is not itself part of a weight. */
const loose: ReadonlySet<string> = new Set(['Add', 'Mul']);

const noUses: readonly ParameterUse[] = [];

/** The parameters that a node reads (none for a node that itself makes a weight). */
export function parametersOf(node: Node, scope: Scope): readonly ParameterUse[] {
  const roles = rolesOf(node);
  if (roles.length === 0) return noUses;
  const uses: ParameterUse[] = [];
  for (const [input, role] of roles) {
    const name = node.inputs[input];
    const known = name === undefined || name === '' ? undefined : scope.facts.get(name);
    if (name === undefined || known === undefined || !known.constant || !isWeightType(known, role)) continue;
    const elements = sizeOf(known.shape);
    if (elements === null) continue;
    if (loose.has(node.op) && (elements <= 1 || (known.elem !== null && !isFloat(known.elem)))) continue;
    // A constant times a number found at run time is a scale of dynamic quantization, not a parameter.
    if (loose.has(node.op) && sizeOf(scope.facts.get(node.inputs[1 - input] ?? '')?.shape) === 1) continue;
    uses.push({ elements, root: rootIn(scope, name) });
  }
  return uses;
}

/** Parameters met inside a call, their roots as the caller knows them: what was handed in is the caller's weight. */
export function throughCall(
  call: Node,
  body: Graph,
  inside: readonly ParameterUse[],
  outer: Scope,
): readonly ParameterUse[] {
  return inside.map((use) => {
    const k = body.inputs.findIndex((i) => i.name === use.root);
    const given = k < 0 ? undefined : call.inputs[k];
    return { ...use, root: given === undefined ? `${call.id}/${use.root}` : rootIn(outer, given) };
  });
}
