/** Owns openDataset: from a data id (`digits`, or a path) to samples. */
import { existsSync, statSync } from 'node:fs';
import { Fault } from '#shared/base/fault.ts';
import { text } from '#shared/base/text.ts';
import type { Dataset } from '#shared/ports/dataset.ts';
import { holdsNpy, openNpyFiles, openNpyFolder, openNpz } from './arrays.ts';
import { holdsCifar, openCifar } from './cifar.ts';
import { openCsv } from './csv.ts';
import { type DataId, parseDataId } from './data-id.ts';
import { openDigits } from './digits.ts';
import { holdsIdx, openIdxFolder, openIdxPair } from './idx.ts';
import { openImageFolder } from './image-folder.ts';

/** A folder is what its files are, the telling ones first; else one of pictures. */
function openFolder(id: DataId): Dataset {
  if (holdsIdx(id.path)) return openIdxFolder(id.path);
  if (holdsCifar(id.path)) return openCifar(id);
  if (holdsNpy(id.path)) return openNpyFolder(id);
  return openImageFolder(id);
}

/** Two files, samples and labels. */
function openPair(id: DataId, a: string, b: string): Dataset {
  return /\.npy$/i.test(a) ? openNpyFiles(id, a, b) : openIdxPair(id.path, a, b);
}

/**
 * Opens a data set: `digits`; a folder of IDX files, of CIFAR's binary files, of NPY files, or of pictures; an NPZ, NPY, CSV or CIFAR
 * file; `SAMPLES,LABELS` (two IDX or NPY files). Options stand behind a #. Nothing large is read whole but IDX and CSV.
 * Faults: `bad-path` where nothing stands there, `bad-file` with file and line where it cannot be read, `bad-input` for options.
 */
export async function openDataset(name: string): Promise<Dataset> {
  if (name === 'digits') return openDigits();
  const id = parseDataId(name);
  const { path } = id;
  if (!existsSync(path)) {
    const [samples, labels, more] = path.split(',');
    if (samples !== undefined && labels !== undefined && more === undefined && existsSync(samples))
      return openPair(id, samples, labels);
    throw new Fault('bad-path', text('there is no such data', '그런 데이터가 없습니다'), {
      where: path,
      hint: text(
        'Give "digits", a folder (IDX, CIFAR, NPY, or pictures with one folder a class), a file (NPZ, NPY, CSV) or SAMPLES,LABELS.',
        '"digits", 폴더(IDX, CIFAR, NPY, 또는 클래스마다 폴더 하나인 이미지), 파일(NPZ, NPY, CSV) 또는 SAMPLES,LABELS를 주세요.',
      ),
    });
  }
  if (statSync(path).isDirectory()) return openFolder(id);
  if (/\.(csv|tsv|txt)(\.gz)?$/i.test(path)) return openCsv(id);
  if (/\.npz$/i.test(path)) return openNpz(id);
  if (/\.npy$/i.test(path)) return openNpyFiles(id, path);
  if (/\.bin$/i.test(path)) return openCifar(id);
  throw new Fault('bad-file', text('this kind of data file is not known', '알 수 없는 종류의 데이터 파일입니다'), {
    where: path,
    hint: text(
      'Known: .npz, .npy, .csv, .csv.gz, CIFAR .bin; IDX images with their labels as IMAGES,LABELS or as a folder.',
      '읽을 수 있는 것: .npz, .npy, .csv, .csv.gz, CIFAR .bin, 그리고 IMAGES,LABELS 또는 폴더로 준 IDX 이미지와 레이블.',
    ),
  });
}
