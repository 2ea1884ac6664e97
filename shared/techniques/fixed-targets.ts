/**
 * Owns withFixedTargets: a model whose Reshapes read their targets from constants where those are known but for one size, however
 * they were computed (Shape -> Gather -> Concat, as exporters of transformers write them). What computed them goes. Channels are then
 * told from the axes beside them, and nothing counts what will be cut.
 */
import { inferScope } from '../analysis/infer-facts.ts';
import { intAttr } from '../ir/attribute.ts';
import { GraphEdit } from '../ir/graph-edit.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Graph, Model, Node } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';
import { int64Tensor } from '../ir/values.ts';
import type { Facts } from '../ops/declare.ts';
import { adaptedTarget } from '../ops/reshape-match.ts';
import { withInitializers } from './with-initializers.ts';

type FactsMap = ReadonlyMap<string, Facts>;

interface Fixed {
  readonly model: Model;
  readonly facts: FactsMap;
}

/** Reshapes whose target some node other than a Constant makes. */
function computed(graph: Graph): readonly Node[] {
  const { producer } = graphIndex(graph);
  return graph.nodes.filter((n) => {
    const maker = n.op === 'Reshape' && n.domain === '' ? producer.get(n.inputs[1] ?? '') : undefined;
    return maker !== undefined && maker.op !== 'Constant';
  });
}

/** The target as numbers, whatever sizes open dimensions take; undefined where more than one size is open. */
function targetOf(node: Node, facts: FactsMap): readonly number[] | undefined {
  const raw = facts.get(node.inputs[1] ?? '')?.content;
  const output = facts.get(node.outputs[0] ?? '')?.shape;
  if (raw === undefined || !output || output.length !== raw.length) return undefined;
  const input = facts.get(node.inputs[0] ?? '')?.shape ?? null;
  return adaptedTarget(raw, output, input, () => undefined, intAttr(node, 'allowzero', 0) === 1);
}

const solved = new WeakMap<Graph, { readonly given: FactsMap; readonly fixed: Fixed }>();

/** The model and its facts, once per graph and facts; both as they were where no target is computed. */
export function withFixedTargets(model: Model, facts: FactsMap): Fixed {
  const known = solved.get(model.graph);
  if (known?.given === facts) return known.fixed;
  const fixed = fixTargets(model, facts);
  solved.set(model.graph, { given: facts, fixed });
  return fixed;
}

function fixTargets(model: Model, facts: FactsMap): Fixed {
  const nodes = computed(model.graph);
  if (nodes.length === 0) return { model, facts };
  // Without the sizes that somebody chose for open dimensions: those are of one run, the file is for all.
  const own = inferScope(model).facts;
  const edit = new GraphEdit(model.graph);
  const byTarget = new Map<string, { readonly tensor: Tensor; readonly target: readonly number[] }>();
  const changes = new Map<string, Node>();
  for (const node of nodes) {
    const target = targetOf(node, own);
    if (target === undefined) continue;
    const key = target.join();
    const { tensor } = byTarget.get(key) ?? {
      tensor: int64Tensor(edit.unique(`${node.id}_target`), [target.length], target),
    };
    byTarget.set(key, { tensor, target });
    edit.setInitializer(tensor);
    changes.set(node.id, { ...node, inputs: [node.inputs[0] ?? '', tensor.name] });
  }
  if (changes.size === 0) return { model, facts };
  edit.updateNodes(changes);
  edit.removeUnused();
  const added = [...byTarget.values()];
  const known = added.map(({ tensor, target }) => {
    const of: Facts = { elem: 'int64', shape: tensor.dims, content: target, constant: true };
    return [tensor.name, of] as const;
  });
  const graph = withInitializers(
    model,
    edit.done(),
    added.map((a) => a.tensor),
  );
  return { model: graph, facts: new Map([...facts, ...known]) };
}
