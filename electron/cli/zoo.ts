/** Owns `bantam zoo list` and `zoo build`: the standard networks, counted and written. */
import { statSync } from 'node:fs';
import { measureFigures } from '#shared/analysis/measure-figures.ts';
import { buildFromZoo, zoo, zooEntry } from '#shared/zoo/index.ts';
import { saveModelFile } from '../host/model-files.ts';
import { figuresJson } from './figures-report.ts';
import { type OutputOptions, print } from './output.ts';
import { checkOutput } from './output-path.ts';
import { bytes, count, table } from './table.ts';

export interface ZooBuildOptions extends OutputOptions {
  readonly width?: number;
  readonly input?: readonly [number, number, number];
  readonly classes?: number;
  readonly seed?: number;
  readonly output: string;
}

/** Every network at its published size. */
export function zooList(options: OutputOptions): void {
  const networks = zoo.map((entry) => {
    const f = measureFigures(buildFromZoo(entry.id));
    return {
      id: entry.id,
      title: entry.title.en,
      source: entry.source,
      input: entry.input,
      classes: entry.classes,
      parameters: f.parameters,
      macs: f.macs,
      fileBytes: f.fileBytes,
    };
  });
  print(options, { networks }, () => {
    const rows = networks.map((n) => [
      n.id,
      n.input.join(' x '),
      count(n.parameters),
      count(n.macs),
      bytes(n.fileBytes),
      n.title,
    ]);
    return table(['name', 'input', 'parameters', 'MACs', 'file', 'network'], rows);
  });
}

/** Builds one with seeded random weights and writes it. Faults: `not-found`, `bad-input`, `bad-path`. */
export async function zooBuild(id: string, options: ZooBuildOptions): Promise<void> {
  const { output, width, input, classes, seed } = options;
  const entry = zooEntry(id);
  checkOutput(output);
  const model = buildFromZoo(id, {
    ...(width === undefined ? {} : { width }),
    ...(input === undefined ? {} : { input }),
    ...(classes === undefined ? {} : { classes }),
    ...(seed === undefined ? {} : { seed }),
  });
  await saveModelFile(model, output);
  const figures = measureFigures(model);
  const written = statSync(output).size;
  print(options, { output, id, ...figuresJson(figures), fileBytes: written }, () =>
    [
      `${entry.title.en}: ${count(figures.parameters)} parameters, ${count(figures.macs)} multiply-accumulates`,
      `weights are random (seed ${seed ?? 1}): train before use`,
      `written: ${output} (${bytes(written)})`,
    ].join('\n'),
  );
}
