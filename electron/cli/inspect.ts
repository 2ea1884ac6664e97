/** Owns `bantam inspect`: what a file holds and costs, without running it. */
import { measureFigures } from '#shared/analysis/measure-figures.ts';
import { openModelFile } from '../host/model-files.ts';
import { figuresJson, figuresText } from './figures-report.ts';
import { type OutputOptions, print } from './output.ts';

export interface ShapeOption {
  readonly shape?: Readonly<Record<string, readonly number[]>>;
}

export function inspect(path: string, options: OutputOptions & ShapeOption): void {
  const figures = measureFigures(openModelFile(path), { inputs: options.shape ?? {} });
  print(options, figuresJson(figures), () => figuresText(figures));
}
