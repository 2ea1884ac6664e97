/** Owns a model whose batch is a number of our choice: inputs that say 1, and Reshapes with the batch written into them. */
import { inferFacts } from '../analysis/infer-facts.ts';
import { Fault } from '../base/fault.ts';
import { text } from '../base/text.ts';
import { GraphEdit } from '../ir/graph-edit.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model, Node, ValueInfo } from '../ir/model.ts';
import { int64Tensor } from '../ir/values.ts';
import type { Facts } from '../ops/declare.ts';

const withBatch = (info: ValueInfo, batch: number | string): ValueInfo =>
  info.type.kind !== 'tensor' || info.type.shape === null
    ? info
    : { ...info, type: { ...info.type, shape: [batch, ...info.type.shape.slice(1)] } };

/** Reshapes of data whose target starts with the batch as the file has it, with the target read from a constant. */
function fixedReshapes(
  model: Model,
  facts: ReadonlyMap<string, Facts>,
  was: number,
): readonly (readonly [Node, readonly number[]])[] {
  return graphIndex(model.graph).order.flatMap((n) => {
    if (n.op !== 'Reshape') return [];
    const data = facts.get(n.inputs[0] ?? '');
    const target = facts.get(n.inputs[1] ?? '')?.content;
    if (data === undefined || data.constant || target?.[0] !== was || data.shape?.[0] !== was) return [];
    return target.every((t): t is number => typeof t === 'number') ? [[n, target] as const] : [];
  });
}

/**
 * The model with `batch` as the leading size of the input `name` (a name: any batch). Faults: `unsupported` where the input's other sizes are
 * unknown, `bad-graph` where the new batch contradicts the graph.
 */
export function setBatch(model: Model, name: string, batch: number | string): Model {
  const info = graphIndex(model.graph).requiredInputs.find((i) => i.name === name);
  const shape = info?.type.kind === 'tensor' ? info.type.shape : null;
  const rest = (shape ?? []).slice(1);
  if (shape === null || !rest.every((d): d is number => typeof d === 'number'))
    throw new Fault(
      'unsupported',
      text('training needs an input of known size', '학습하려면 입력 크기를 알아야 합니다'),
      { where: name, hint: text('Set its shape.', '형상을 정하세요.') },
    );
  const lead = shape[0];
  const was = typeof lead === 'number' ? lead : 1;
  const edit = new GraphEdit(model.graph);
  const facts = inferFacts(model, { inputs: { [name]: [was, ...rest] } });
  const changes = new Map<string, Node>();
  for (const [n, target] of fixedReshapes(model, facts, was)) {
    const fresh = edit.unique(`${n.inputs[1] ?? 'shape'}_batch`);
    edit.setInitializer(
      int64Tensor(fresh, [target.length], [typeof batch === 'number' ? batch : 0, ...target.slice(1)]),
    );
    changes.set(n.id, { ...n, inputs: [n.inputs[0] ?? '', fresh] });
  }
  edit.updateNodes(changes);
  edit.setInputs(model.graph.inputs.map((i) => (i.name === name ? withBatch(i, batch) : i)));
  edit.setValueInfos([]);
  return { ...model, graph: edit.done() };
}
