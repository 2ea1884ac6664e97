/** Owns `bantam pack` and `bantam unpack`. */

import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import type { Packed } from '#shared/archive/archive.ts';
import { packFile, unpackFile } from '../jobs/pack-file.ts';
import { type OutputOptions, print } from './output.ts';
import { checkOutput } from './output-path.ts';
import { bytes, count, ratio, table } from './table.ts';

async function write(path: string, content: Uint8Array): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  await writeFileAtomic(path, Buffer.from(content.buffer, content.byteOffset, content.byteLength));
}

const shown = 40;

/** Plain and coded bytes of every part. */
export function packedText(p: Packed): string {
  const row = (name: string, plain: number, coded: number, coder: string): string[] => [
    name,
    count(plain),
    count(coded),
    ratio(plain, coded),
    coder,
  ];
  const largest = [...p.parts].sort((a, b) => b.plainBytes - a.plainBytes);
  const more = largest.slice(shown);
  const sum = (of: 'plainBytes' | 'codedBytes'): number => more.reduce((n, x) => n + x[of], 0);
  return table(
    ['tensor', 'plain bytes', 'coded bytes', 'times', 'coding'],
    [
      ...largest.slice(0, shown).map((x) => row(x.name, x.plainBytes, x.codedBytes, x.coder)),
      ...(more.length > 0 ? [row(`${more.length} more`, sum('plainBytes'), sum('codedBytes'), '')] : []),
      row('graph and the rest', p.rest.plainBytes, p.rest.codedBytes, 'deflate'),
      row('file', p.fileBytes, p.bytes.length, 'with tables and checksum'),
    ],
  );
}

export async function packModel(path: string, options: OutputOptions & { readonly output: string }): Promise<void> {
  checkOutput(options.output, path);
  const packed = packFile(path);
  await write(options.output, packed.bytes);
  const { bytes: archive, ...more } = packed;
  print(options, { output: options.output, archiveBytes: archive.length, ...more }, () =>
    [
      packedText(packed),
      `${bytes(packed.fileBytes)} packed into ${bytes(archive.length)}; "unpack" restores the file bit for bit.`,
      `written: ${options.output}`,
    ].join('\n\n'),
  );
}

export async function unpackModel(path: string, options: OutputOptions & { readonly output: string }): Promise<void> {
  checkOutput(options.output, path);
  const file = unpackFile(path);
  await write(options.output, file);
  print(
    options,
    { output: options.output, fileBytes: file.length },
    () => `${count(file.length)} bytes restored, checksum right.\n\nwritten: ${options.output}`,
  );
}
