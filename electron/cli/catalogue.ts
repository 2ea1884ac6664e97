/** Owns `bantam zoo catalogue` and `zoo fetch`: trained models of others, listed and fetched. */
import { neverCancelled } from '#shared/base/cancel.ts';
import { type CatalogueEntry, catalogue, catalogueEntry } from '#shared/zoo/catalogue.ts';
import { fetchFile } from '../host/fetch-file.ts';
import { openModelFile } from '../host/model-files.ts';
import { type OutputOptions, print, progressLine } from './output.ts';
import { checkOutput } from './output-path.ts';
import { bytes, table } from './table.ts';

export interface FetchCommandOptions extends OutputOptions {
  readonly output?: string;
}

const listed = ({ title, ...entry }: CatalogueEntry) => ({ ...entry, title: title.en });

const preprocessing = ({ preprocess: p }: CatalogueEntry): string =>
  [
    p.scale === 1 ? '0..255' : p.scale === 255 ? '0..1' : `/ ${p.scale}`,
    ...(p.mean.some((m) => m !== 0) ? [`mean ${p.mean.join(' ')}`] : []),
    ...(p.std.some((s) => s !== 1) ? [`std ${p.std.join(' ')}`] : []),
    p.colour,
    p.resize,
  ].join(', ');

export function zooCatalogue(options: OutputOptions): void {
  print(options, { models: catalogue.map(listed) }, () => {
    const rows = catalogue.map((e) => [
      e.id,
      bytes(e.bytes),
      e.licence,
      e.data,
      preprocessing(e),
      e.source.split(' ')[0] ?? '',
    ]);
    return table(['name', 'file', 'licence', 'trained on', 'preprocessing', 'source'], rows);
  });
}

/** Fetches one and reads it once, so that what is written opens. Faults: `not-found`, `bad-path`, those of `fetchFile`. */
export async function zooFetch(id: string, options: FetchCommandOptions): Promise<void> {
  const entry = catalogueEntry(id);
  const output = options.output ?? `${id}.onnx`;
  checkOutput(output);
  const line = progressLine();
  try {
    const fetched = await fetchFile(entry, output, {
      cancel: neverCancelled,
      progress: (share) => line.show(share, `fetching ${id}`),
    });
    line.done();
    openModelFile(output);
    print(options, { output, ...listed(entry), ...fetched }, () =>
      [
        fetched.received === 0
          ? `${output} is there already, whole (${bytes(entry.bytes)}, SHA-256 as published)`
          : `written: ${output} (${bytes(entry.bytes)}, SHA-256 as published)${fetched.resumedAt > 0 ? `, gone on from ${bytes(fetched.resumedAt)}` : ''}`,
        `licence: ${entry.licence}, ${entry.source}`,
        `input: ${preprocessing(entry)}`,
      ].join('\n'),
    );
  } finally {
    line.done();
  }
}
