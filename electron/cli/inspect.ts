/** Owns `bantam inspect`: what a file holds and costs, without running it. */
import { measureFigures } from '#shared/analysis/measure-figures.ts';
import { openModelFile } from '../host/model-files.ts';
import { figuresJson, figuresText } from './figures-report.ts';
import { type OutputOptions, print } from './output.ts';
import { type Shapes, shapeChoice } from './shapes.ts';

export interface ShapeOption {
  readonly shape?: Shapes;
}

export function inspect(path: string, options: OutputOptions & ShapeOption): void {
  const model = openModelFile(path);
  const figures = measureFigures(model, shapeChoice(model, options.shape));
  print(options, figuresJson(figures), () => figuresText(figures));
}
