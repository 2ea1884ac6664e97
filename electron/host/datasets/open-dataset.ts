/** Owns openDataset: from a data id (`digits`, or a path) to samples. */
import { existsSync, statSync } from 'node:fs';
import { Fault } from '#shared/base/fault.ts';
import type { Dataset } from '#shared/ports/dataset.ts';
import { openCsv } from './csv.ts';
import { openDigits } from './digits.ts';
import { holdsIdx, openIdxFolder, openIdxPair } from './idx.ts';
import { openImageFolder } from './image-folder.ts';

/**
 * Opens a data set: `digits`; a folder of IDX files or of pictures; `IMAGES,LABELS` (two IDX files); a CSV file.
 * Faults: `bad-path` where nothing stands there, `bad-file` with file and line where it cannot be read.
 */
export async function openDataset(id: string): Promise<Dataset> {
  if (id === 'digits') return openDigits();
  if (!existsSync(id)) {
    const [images, labels, more] = id.split(',');
    if (images !== undefined && labels !== undefined && more === undefined && existsSync(images))
      return openIdxPair(id, images, labels);
    throw new Fault('bad-path', 'there is no such data', {
      where: id,
      hint: 'Give "digits", a folder of IDX files, a folder of pictures (one folder a class), IMAGES,LABELS or a CSV file.',
    });
  }
  if (statSync(id).isDirectory()) return holdsIdx(id) ? openIdxFolder(id) : openImageFolder(id);
  if (/\.(csv|tsv|txt)(\.gz)?$/i.test(id)) return openCsv(id);
  throw new Fault('bad-file', 'this kind of data file is not known', {
    where: id,
    hint: 'Known: .csv, .csv.gz; IDX images together with their labels as IMAGES,LABELS or as a folder.',
  });
}
