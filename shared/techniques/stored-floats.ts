/**
 * Owns storedFloats: the stored float tensors behind the weights of a node, also through the nodes that decode them (shape
 * changes, masks, kept values), or why there are none.
 */
import { type ElementType, elementCount } from '../ir/element-type.ts';
import { type GraphIndex, graphIndex } from '../ir/graph-index.ts';
import type { Graph, Node } from '../ir/model.ts';
import type { SparseTensor, Tensor } from '../ir/tensor.ts';
import type { Facts } from '../ops/declare.ts';
import { opOf } from '../ops/index.ts';
import { heldBy } from '../transforms/constant-values.ts';

export interface StoredFloat {
  readonly name: string;
  /** The values; of a sparse tensor those that it lists. */
  readonly tensor: Tensor;
  readonly role: 'plain' | 'sparse';
  /** The Constant node that holds it, where no initializer does. */
  readonly constant?: Node;
  readonly sparse?: SparseTensor;
  /** Its shape is not the weight's own: kept values of a mask. */
  readonly listed: boolean;
}

/** Nodes that pass all of a weight on. */
const carriers = new Set(['Identity', 'Reshape', 'Transpose', 'Unsqueeze', 'Squeeze', 'Flatten', 'Cast']);
const floats: ReadonlySet<ElementType> = new Set(['float', 'float16', 'double']);

/** Kept values that a mask's running count looks up (see sparse-storage): not a codebook. */
const isListed = (index: GraphIndex, gather: Node): boolean => {
  const from = index.producer.get(gather.inputs[1] ?? '');
  return from?.op === 'Sub' && index.producer.get(from.inputs[0] ?? '')?.op === 'CumSum';
};

/** The stored tensor at the end of one weight input; a reason where there is none. */
function follow(graph: Graph, facts: ReadonlyMap<string, Facts>, input: string): StoredFloat | string {
  const index = graphIndex(graph);
  let at = input;
  let listed = false;
  for (;;) {
    const plain = index.initializer.get(at);
    const sparse = index.sparseInitializer.get(at);
    const maker = index.producer.get(at);
    if (index.outputNames.has(at)) return 'its weight is a graph output';
    if (sparse !== undefined) return { name: at, tensor: sparse.values, role: 'sparse', sparse, listed: true };
    const held = heldBy(maker);
    const tensor = plain ?? held;
    if (tensor !== undefined) {
      if (!floats.has(tensor.type)) return `its weight is ${tensor.type}`;
      const found = { name: at, tensor: { ...tensor, name: at }, role: 'plain', listed } as const;
      return plain === undefined && maker !== undefined ? { ...found, constant: maker } : found;
    }
    if (maker === undefined || facts.get(at)?.constant !== true) return 'its weight is no constant';
    const [first = '', second = ''] = maker.inputs;
    if (carriers.has(maker.op)) {
      const elem = facts.get(first)?.elem;
      // Integers become floats here: a weight in some other stored form.
      if (maker.op === 'Cast' && (elem == null || !floats.has(elem))) return 'its weight is stored as integers already';
      at = first;
    } else if (maker.op === 'Mul') {
      // A mask is the operand cast from bits.
      const masked = [first, second].find((i) => index.producer.get(i)?.op !== 'Cast');
      if (masked === undefined || (masked === first && index.producer.get(second)?.op !== 'Cast'))
        return 'its weight is a product';
      at = masked;
    } else if (maker.op === 'Gather') {
      if (!isListed(index, maker)) return 'its weights are shared already';
      listed = true;
      at = first;
    } else return `its weight comes from ${maker.op}`;
  }
}

/**
 * Of the weight inputs of a node. `reason` says why there are none; undefined for a node without weights, or one that itself
 * decodes a weight.
 */
export function storedFloats(
  graph: Graph,
  facts: ReadonlyMap<string, Facts>,
  node: Node,
): { readonly found: readonly StoredFloat[]; readonly reason: string } | undefined {
  const roles = Object.entries(opOf(node)?.parameters ?? {}).filter(([, role]) => role === 'weight');
  if (roles.length === 0 || node.outputs.every((o) => facts.get(o)?.constant === true)) return undefined;
  const found: StoredFloat[] = [];
  let reason = 'it has no stored weight';
  for (const [k] of roles) {
    const input = node.inputs[Number(k)] ?? '';
    if (input === '') continue;
    const stored = follow(graph, facts, input);
    if (typeof stored === 'string') reason = stored;
    else if (elementCount(stored.tensor.dims) < 2) reason = 'its weight has a single element';
    else found.push(stored);
  }
  return { found, reason };
}
