/**
 * Owns the models on which quantization is judged, and their inputs: classifiers with labelled data here, and others by what
 * their outputs become. Ranges come from training samples; what is judged on was never seen before.
 */
import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { openDataset } from '../../../electron/host/datasets/open-dataset.ts';
import { samplesIn } from '../../../electron/host/samples.ts';
import type { Model } from '../../ir/model.ts';
import { embedded } from '../../onnx/embedded.ts';
import type { Dataset, Split } from '../../ports/dataset.ts';
import type { Feeds } from '../../ports/runtime.ts';
import { modelInput } from '../../training/model-input.ts';
import { defaultPreprocess, preprocessBatch, presetOf } from '../../training/preprocess.ts';
import type { Preprocess } from '../../training/preprocess-schema.ts';
import { corpusFolder, corpusPath } from '../corpus.ts';
import { randomFeeds } from '../feeds.ts';
import { embeddings, melFrames, ocrPath, open, textImage, wordPath } from '../npm-models.ts';
import { type PictureSize, pictureFeeds } from './picture-feeds.ts';

/** What is fed, one sample an input. */
export interface Inputs {
  /** Data, split, preprocessing: one line for people. */
  readonly told: string;
  readonly calibration: readonly Feeds[];
  readonly judged: readonly Feeds[];
  /** Labels of what is judged, where there are any. */
  readonly labels?: readonly number[];
}

export interface Subject {
  readonly name: string;
  readonly kind: 'labelled' | 'unlabelled';
  readonly model: () => Model;
  /** At most `judged` samples to judge on, spread over all there are. */
  readonly inputs: (judged: number) => Promise<Inputs>;
}

const calibrationSamples = 128;

const spread = (count: number, wanted: number): readonly number[] =>
  Array.from({ length: Math.min(count, wanted) }, (_, i) => Math.floor((i * count) / Math.min(count, wanted)));

/** Samples one at a time: ranges that are found on every run must not depend on the batch. */
async function oneByOne(
  model: Model,
  dataset: Dataset,
  splits: readonly Split[],
  wanted: number,
  preprocess: Preprocess,
): Promise<{ readonly feeds: readonly Feeds[]; readonly labels: readonly number[] }> {
  const input = modelInput(model);
  const all = splits.flatMap((split) =>
    Array.from({ length: dataset.info.counts[split] }, (_, index) => ({ split, index })),
  );
  const feeds: Feeds[] = [];
  const labels: number[] = [];
  for (const k of spread(all.length, wanted)) {
    const { split = 'test', index = 0 } = all[k] ?? {};
    const samples = await dataset.read(split, [index]);
    feeds.push({ [input.name]: preprocessBatch(samples, dataset.info.sample, { ...input, batch: 1 }, preprocess) });
    labels.push(samples[0]?.label ?? -1);
  }
  return { feeds, labels };
}

interface Labelled {
  readonly name: string;
  readonly model: () => Model;
  readonly train: () => Promise<Dataset>;
  readonly judge: () => Promise<Dataset>;
  readonly splits: readonly Split[];
  readonly what: string;
  readonly preprocess: Preprocess;
  /** Whose that is. */
  readonly from: string;
}

const labelled = ({ name, model, train, judge, splits, what, preprocess, from }: Labelled): Subject => ({
  name,
  kind: 'labelled',
  model,
  inputs: async (judged) => {
    const [training, test, m] = [await train(), await judge(), model()];
    const calibration = await oneByOne(m, training, ['train'], calibrationSamples, preprocess);
    const { feeds, labels } = await oneByOne(m, test, splits, judged, preprocess);
    return { told: `${what}; ${from}`, calibration: calibration.feeds, judged: feeds, labels };
  },
});

const root = resolve(import.meta.dirname, '../../..');
const digits = (): Promise<Dataset> => openDataset('digits');
const corpusData = (path: string): Promise<Dataset> => openDataset(resolve(corpusFolder ?? '', 'data', path));
const photos = (): Promise<Dataset> => corpusData('cifar10-jpg');

const samples = (): readonly Subject[] =>
  samplesIn(resolve(root, 'assets/models')).map(({ id, path, preprocess }) =>
    labelled({
      name: id,
      model: () => open(path),
      train: digits,
      judge: digits,
      splits: ['test'],
      what: 'digits: ranges from train, judged on test',
      preprocess: preprocess ?? defaultPreprocess,
      from: 'as its card says',
    }),
  );

const corpusModel = (file: string): Pick<Labelled, 'name' | 'model'> => ({
  name: basename(file, '.onnx') === 'mnist' ? 'mnist-dynamo' : basename(file, '.onnx'),
  model: () => embedded(open(corpusPath(file))),
});

/** What scored best of the common ones on 200 training samples (`proposePreprocess`); never looked for on what is judged. */
const found = (name: string): Pick<Labelled, 'preprocess' | 'from'> => ({
  preprocess: presetOf(name),
  from: `"${name}"`,
});

const mnistModel = ([file, preset]: readonly [string, string]): Subject =>
  labelled({
    ...corpusModel(`2-classifier/${file}.onnx`),
    train: digits,
    judge: () => corpusData('mnist'),
    splits: ['train', 'validation', 'test'],
    what: 'MNIST: ranges from digits, train; judged on the 10,000 test digits',
    ...found(preset),
  });

const cifarModel = ([file, preset]: readonly [string, string]): Subject =>
  labelled({
    ...corpusModel(`2-classifier/${file}.onnx`),
    train: photos,
    judge: photos,
    splits: ['test'],
    what: 'CIFAR-10 as JPEG: ranges from train, judged on test',
    ...found(preset),
  });

const other = (
  name: string,
  path: string,
  told: string,
  make: (training: boolean) => Promise<readonly Feeds[]>,
): Subject => ({
  name,
  kind: 'unlabelled',
  model: () => open(path),
  inputs: async () => ({ told, calibration: await make(true), judged: await make(false) }),
});

const seeds = (training: boolean, count: number): readonly number[] =>
  Array.from({ length: count }, (_, k) => k + (training ? 1 : 101));

const ocr = (name: string, file: string, height: number, width: number): Subject =>
  other(name, ocrPath(file), `16 and 8 lines of drawn digits, ${height} x ${width}`, async (training) =>
    seeds(training, training ? 16 : 8).map((s) => textImage('x', height, width, s)),
  );

const picture = (file: string, size: PictureSize, counts: readonly [number, number]): Subject =>
  other(
    basename(file, '.onnx'),
    corpusPath(file),
    `${counts.join(' and ')} mosaics of CIFAR-10 photographs, train and test, ${size.height} x ${size.width}`,
    async (training) => pictureFeeds(await photos(), training ? 'train' : 'test', size, counts[training ? 0 : 1]),
  );

const noise = (file: string): Subject =>
  other(basename(file, '.onnx'), corpusPath(file), '32 and 16 inputs of normal noise', async (training) => {
    const m = open(corpusPath(file));
    return seeds(training, training ? 32 : 16).map((s) => randomFeeds(m, s));
  });

const rgb = (height: number, width: number, input: string, mean: number, std: number): PictureSize => ({
  input,
  channels: 3,
  height,
  width,
  mean: [mean, mean, mean],
  std: [std, std, std],
});

/** Every subject of this machine; those of the corpus only where it is there. */
export function subjects(): readonly Subject[] {
  const here = [
    ...samples(),
    ocr('text recogniser', 'ch_PP-OCRv4_rec_infer', 48, 160),
    ocr('text detector', 'ch_PP-OCRv4_det_infer', 64, 192),
    ocr('direction classifier', 'ch_ppocr_mobile_v2.0_cls_infer', 48, 192),
    other('speech embedding', wordPath('embedding_model'), '8 and 4 seconds of tones', async (training) =>
      Promise.all(seeds(training, training ? 8 : 4).map(async (s) => ({ input_1: await melFrames(s) }))),
    ),
    other('wake word', wordPath('hey_rhasspy_v0.1'), '8 and 4 seconds of tones', async (training) =>
      Promise.all(seeds(training, training ? 8 : 4).map(async (s) => ({ 'onnx::Flatten_0': await embeddings(s) }))),
    ),
  ];
  if (corpusFolder === undefined) return here;
  return [
    ...here,
    ...(
      [
        ['mnist-8-cntk', 'unit'],
        ['mnist-pytorch-222k', 'unit'],
        ['mnist-atmega-simplified', 'unit'],
        ['mnist-burn-bn', 'mnist'],
        ['mnist-ort-java-cnn', 'raw'],
        ['mnist-netkit-cnn', 'unit'],
        ['mnist-netkit-depthwise', 'raw'],
        ['mnist-dynamo/mnist', 'signed'],
        ['mnist-fc-256x4', 'unit'],
        ['mnist-eran-relu9x200', 'unit'],
        ['mnist-verivital-maxpool', 'unit'],
      ] as const
    ).map(mnistModel),
    ...(
      [
        ['cifar10-resnet4b', 'cifar'],
        ['cifar10-tf2onnx-large', 'unit'],
        ['cifar10-oval-deep', 'imagenet'],
        ['cifar10-tinymobilenet-fp32', 'imagenet'],
      ] as const
    ).map(cifarModel),
    noise('2-classifier/acasxu-matlab-1_1.onnx'),
    picture('3-exporter/ultraface-rfb320-pytorch12.onnx', rgb(240, 320, 'input', 127, 128), [8, 4]),
    picture('3-exporter/openseeface-mnv3-detection-ortopt.onnx', rgb(224, 224, 'input', 116, 58), [8, 4]),
    picture(
      '3-exporter/pytorch-super-resolution.onnx',
      { input: 'input', channels: 1, height: 224, width: 224, mean: [0], std: [255] },
      [4, 2],
    ),
    picture('4-convtranspose/style-candy-convtranspose.onnx', rgb(720, 720, 'inputImage', 0, 1), [2, 1]),
    noise('3-exporter/mobilenetv4-uib-skip.onnx'),
    noise('3-exporter/resnet-basic-block.onnx'),
  ];
}

/** What this says of a subject that has a recorded reference. */
export interface Recorded {
  /** Right answers of the first `of` judged samples; null without labels. */
  readonly correct: number | null;
  readonly of: number;
  /** Share of samples answered as the float model answers. */
  readonly agreement: number | null;
  readonly sqnrDb: number;
}

/** One form of the tool's quantization: on everything judged, and on 500 of it. */
export interface RecordedForm {
  readonly all: Recorded;
  readonly some: Recorded;
}

export interface RecordedModel {
  readonly signed: RecordedForm;
  readonly unsigned: RecordedForm;
}

export interface ReferenceFile {
  readonly tool: string;
  readonly machine: string;
  readonly date: string;
  readonly script: readonly string[];
  readonly models: Readonly<Record<string, RecordedModel | { readonly fault: string }>>;
}

/** The form with less noise. */
export function better({ signed, unsigned }: RecordedModel, which: keyof RecordedForm): Recorded {
  return signed[which].sqnrDb > unsigned[which].sqnrDb ? signed[which] : unsigned[which];
}

/** What the ONNX Runtime Python tool gave, computed once by hand. */
export const recordedReference = (): ReferenceFile =>
  JSON.parse(readFileSync(resolve(import.meta.dirname, 'reference.json'), 'utf8'));
