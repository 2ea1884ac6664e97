/** Owns `--shape` on a model: its inputs' dimensions set, and what cannot be set refused. */
import type { ShapeChoice } from '#shared/analysis/figures.ts';
import { Fault } from '#shared/base/fault.ts';
import { graphIndex } from '#shared/ir/graph-index.ts';
import type { Model, ValueInfo } from '#shared/ir/model.ts';

export type Shapes = Readonly<Record<string, readonly number[]>>;

/** The choice, checked against the model. Faults: `bad-input` for an unknown input, another rank, or a fixed dimension. */
export function shapeChoice(model: Model, shapes: Shapes | undefined): ShapeChoice {
  const inputs = graphIndex(model.graph).requiredInputs;
  for (const [name, dims] of Object.entries(shapes ?? {})) {
    const info = inputs.find((i) => i.name === name);
    const wrong = (message: string, hint: string): Fault => new Fault('bad-input', message, { where: name, hint });
    if (info === undefined)
      throw wrong('the model has no such input', `It has: ${inputs.map((i) => i.name).join(', ')}.`);
    const shape = info.type.kind === 'tensor' ? info.type.shape : null;
    if (shape === null) continue;
    const told = `It is ${shape.map((d) => d ?? '?').join(',')}.`;
    if (shape.length !== dims.length) throw wrong(`the input has ${shape.length} dimensions, not ${dims.length}`, told);
    // A fixed batch may be asked for otherwise; figures follow, the file does not.
    const fixed = shape.findIndex((d, i) => i > 0 && typeof d === 'number' && d > 0 && d !== dims[i]);
    if (fixed >= 0) throw wrong(`dimension ${fixed} of the input is fixed`, told);
  }
  return { inputs: shapes ?? {} };
}

/** The model with those dimensions in its inputs, for making input of that shape. */
export function withShapes(model: Model, shapes: Shapes | undefined): Model {
  const { inputs } = shapeChoice(model, shapes);
  const set = (info: ValueInfo): ValueInfo => {
    const shape = inputs[info.name];
    return shape === undefined || info.type.kind !== 'tensor' ? info : { ...info, type: { ...info.type, shape } };
  };
  return { ...model, graph: { ...model.graph, inputs: model.graph.inputs.map(set) } };
}
