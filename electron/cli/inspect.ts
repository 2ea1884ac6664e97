/** Owns `bantam inspect`: what a file holds and costs, without running it. */
import { activationMemory } from '#shared/analysis/latency/activation-memory.ts';
import { measureFigures } from '#shared/analysis/measure-figures.ts';
import { openModelFile } from '../host/model-files.ts';
import { figuresJson, figuresText } from './figures-report.ts';
import { type OutputOptions, print } from './output.ts';
import { type Shapes, shapeChoice } from './shapes.ts';
import { bytes } from './table.ts';
import { latencyHere, latencyJson, latencyText } from './this-machine.ts';

export interface ShapeOption {
  readonly shape?: Shapes;
}

export function inspect(path: string, options: OutputOptions & ShapeOption): void {
  const model = openModelFile(path);
  const shapes = shapeChoice(model, options.shape);
  const figures = measureFigures(model, shapes);
  const latency = latencyHere(model, shapes);
  const memory = activationMemory(model, shapes);
  const activations = { fileOrder: memory.fileOrder, bestOrder: memory.bestOrder };
  print(options, { ...figuresJson(figures), activationBytes: activations, latencyMs: latencyJson(latency) }, () =>
    [
      figuresText(figures),
      `peak activations        ${bytes(memory.fileOrder)} in the order of the file, ${bytes(memory.bestOrder)} in the best order found (the runtime's order: "bantam profile")\nlatency here            ${latencyText(latency)}`,
    ].join('\n\n'),
  );
}
