/** Owns decodedWeights: the float weights behind stored forms (masks, codebooks, bits), as the runtime itself decodes them. */
import { graphIndex } from '#shared/ir/graph-index.ts';
import type { Model, Node } from '#shared/ir/model.ts';
import { writeModel } from '#shared/onnx/write.ts';
import type { Runtime } from '#shared/ports/runtime.ts';

/** Weights by the names that they had before they were compressed. */
export async function decodedWeights(
  runtime: Runtime,
  model: Model,
  names: readonly string[],
): Promise<ReadonlyMap<string, Float32Array>> {
  const { producer } = graphIndex(model.graph);
  const needed = new Set<Node>();
  const open = [...names];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const node = producer.get(name);
    if (node === undefined || needed.has(node)) continue;
    needed.add(node);
    open.push(...node.inputs);
  }
  // A sparse initializer is no output that the runtime gives; what Identity makes of it is.
  const out = (name: string): string => `${name} decoded`;
  const outputs = names.map((name) => ({
    name: out(name),
    type: { kind: 'tensor', elem: 'float', shape: null } as const,
  }));
  const given = names.map(
    (name): Node => ({
      id: out(name),
      name: '',
      op: 'Identity',
      domain: '',
      inputs: [name],
      outputs: [out(name)],
      attributes: [],
    }),
  );
  const nodes = [...model.graph.nodes.filter((n) => needed.has(n)), ...given];
  const only: Model = { ...model, graph: { ...model.graph, nodes, inputs: [], outputs, valueInfos: [] } };
  const session = await runtime.open({ bytes: writeModel(only) });
  try {
    const got = await session.run({});
    return new Map(names.map((name) => [name, got[out(name)]?.data as Float32Array]));
  } finally {
    await session.release();
  }
}
