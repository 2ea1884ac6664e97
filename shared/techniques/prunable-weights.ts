/** Owns the float tensors that prune-weights may thin out: those behind the weight inputs of a node, or why there are none. */
import { elementCount, isFloat } from '../ir/element-type.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model, Node } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';
import { opOf } from '../ops/index.ts';

export interface Weight {
  readonly tensor: Tensor;
  /** The Constant node that holds it, where no initializer does. */
  readonly constant?: Node;
  /** The node that reads it; undefined where Reshape, Transpose and the like stand between. */
  readonly reader?: Node;
}

/** Nodes that only form a weight: the tensor behind them is what is pruned. */
const forming = new Set(['Identity', 'Reshape', 'Transpose', 'Unsqueeze', 'Squeeze', 'Flatten', 'Cast']);

const constantOf = (node: Node | undefined): Tensor | undefined => {
  const found = node?.op === 'Constant' ? node.attributes.find((a) => a.name === 'value') : undefined;
  return found?.kind === 'tensor' ? found.value : undefined;
};

export const hasWeights = (node: Node): boolean => Object.values(opOf(node)?.parameters ?? {}).includes('weight');

/** The float tensors behind the weight inputs of a node, or why there are none. */
export function weightsOf(model: Model, node: Node): { readonly weights: readonly Weight[]; readonly reason: string } {
  const index = graphIndex(model.graph);
  const weights: Weight[] = [];
  let reason = `${node.op} has no weights`;
  for (const [k, role] of Object.entries(opOf(node)?.parameters ?? {})) {
    if (role !== 'weight') continue;
    const input = node.inputs[Number(k)] ?? '';
    let value = input;
    let maker = index.producer.get(value);
    while (maker !== undefined && forming.has(maker.op)) {
      value = maker.inputs[0] ?? '';
      maker = index.producer.get(value);
    }
    const tensor = index.initializer.get(value) ?? constantOf(maker);
    if (index.sparseInitializer.has(value)) reason = 'its weight is stored sparse already';
    else if (tensor === undefined)
      reason = maker === undefined ? 'its weight is no constant' : `its weight comes from ${maker.op}`;
    else if (!isFloat(tensor.type) || !['float', 'float16', 'double'].includes(tensor.type))
      reason = `its weight is ${tensor.type}`;
    else if (index.outputNames.has(value)) reason = 'its weight is a graph output';
    else if (elementCount(tensor.dims) < 2) reason = 'its weight has a single element';
    else
      weights.push({
        tensor: { ...tensor, name: value },
        ...(index.initializer.has(value) || maker === undefined ? {} : { constant: maker }),
        ...(value === input ? { reader: node } : {}),
      });
  }
  return { weights, reason };
}
