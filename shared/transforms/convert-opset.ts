/**
 * Owns convertOpset: a model raised to a newer ai.onnx opset with every operator's meaning kept. One adapter per operator and
 * version stands in `opset/`; a node walks through those between the two versions, and so does what an adapter put in.
 */
import { Fault } from '../base/fault.ts';
import { text } from '../base/text.ts';
import { graphIndex } from '../ir/graph-index.ts';
import { type Graph, type Model, type Node, opsetVersion } from '../ir/model.ts';
import { allNames } from './names.ts';
import { inputAdapters } from './opset/attributes-to-inputs.ts';
import { legacyAdapters } from './opset/legacy.ts';
import { meaningAdapters } from './opset/meaning.ts';
import { type Constants, contextOf, inferred, type Scope, type Work } from './opset/scope.ts';
import { adapterTable, type Walk, walkFunction, walkGraph, withVersion } from './opset/walk.ts';

/** The newest opset that has adapters up to it (22 to 25 change no operator's meaning, only types and new operators). */
export const newestOpset = 25;

/** ir_version that came with an opset (onnx/docs/Versioning.md). */
export const irOfOpset = [3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 5, 6, 7, 7, 7, 8, 8, 8, 8, 9, 9, 10, 10, 11, 12, 13];

const table = adapterTable([legacyAdapters, inputAdapters, meaningAdapters]);

/** A node brought from version `from` on to `to`; most come back as they are. */
function convertNode(node: Node, from: number, work: Work, scope: Scope, constants: Constants): readonly Node[] {
  const adapters = node.domain === '' || node.domain === 'ai.onnx' ? table.get(node.op) : undefined;
  if (adapters === undefined) return [node];
  let now = node;
  for (let v = from + 1; v <= work.to; v++) {
    const adapt = adapters.get(v);
    if (adapt === undefined) continue;
    const reference = now.attributes.find((a) => a.kind === 'reference');
    if (reference !== undefined)
      throw new Fault(
        'unsupported',
        text(
          `${now.op} of a local function takes ${reference.name} from its caller`,
          `로컬 함수 안의 ${now.op}이(가) 호출한 쪽에서 ${reference.name}을(를) 받습니다`,
        ),
        {
          where: now.id,
        },
      );
    const out = adapt(contextOf(now, v, work, scope, constants));
    const only = out.length === 1 ? out[0] : undefined;
    if (only === undefined || only.op !== now.op) return out.flatMap((n) => convertNode(n, v, work, scope, constants));
    now = only;
  }
  return [now];
}

const upward: Walk = { node: convertNode, stays: (from, to) => from >= to };

/**
 * The model at opset `to` of ai.onnx (at most 25), subgraphs and local functions with it; the same object where it is there
 * already. Also raises ir_version to what that opset came with; an IR 3 file's initializers leave its inputs then, because
 * before IR 4 they could not be overridden. Faults: `unsupported`, naming the node, where a meaning cannot be kept.
 */
export function convertOpset(model: Model, to: number): Model {
  const from = opsetVersion(model);
  if (from === undefined || from >= to) return model;
  if (to > newestOpset)
    throw new Fault(
      'unsupported',
      text(
        `opset ${to} is newer than ${newestOpset}, the newest known`,
        `opset ${to}은(는) 알려진 최신 ${newestOpset}보다 새롭습니다`,
      ),
    );
  const taken = allNames(model);
  const graph = walkGraph(upward, model.graph, { from, to, taken }, inferred(model), {});
  const irVersion = Math.max(model.irVersion, irOfOpset[to] ?? 13);
  return {
    ...model,
    irVersion,
    opsets: withVersion(model.opsets, to),
    graph: model.irVersion < 4 && irVersion >= 4 ? constantInitializers(graph) : graph,
    functions: model.functions.map((f) => walkFunction(upward, f, to, taken)),
  };
}

function constantInitializers(graph: Graph): Graph {
  const { requiredInputs } = graphIndex(graph);
  return requiredInputs.length === graph.inputs.length ? graph : { ...graph, inputs: requiredInputs };
}
