/** Owns which networks the latency benchmark measures: none of them was used to fit anything. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Model } from '#shared/ir/model.ts';
import { embedded } from '#shared/onnx/embedded.ts';
import { readModel } from '#shared/onnx/read.ts';
import type { BuildOptions } from '#shared/zoo/declare.ts';
import { buildFromZoo } from '#shared/zoo/index.ts';

export interface BenchNet {
  readonly name: string;
  readonly open: () => Model;
}

const built: readonly (readonly [id: string, options: Partial<BuildOptions>])[] = [
  ['lenet-300-100', {}],
  ['lenet-5', {}],
  ['resnet-20', {}],
  ['resnet-56', {}],
  ['squeezenet-1.1', {}],
  ['mobilenet-v1', {}],
  ['mobilenet-v1', { width: 0.5 }],
  ['mobilenet-v2', {}],
  ['mobilenet-v2', { input: [3, 96, 96] }],
  ['mnasnet-1.0', {}],
  ['mnasnet-a1', {}],
  ['shufflenet-v1-g3', {}],
  ['shufflenet-v2', {}],
  ['resnet-18', {}],
  ['resnet-18', { width: 0.58 }],
  ['resnet-50', {}],
  ['googlenet', {}],
  ['densenet-121', {}],
  ['inception-v3', {}],
  ['alexnet', {}],
];

const files = [
  ...['mnist-8-cntk', 'mnist-burn-bn', 'mnist-netkit-cnn', 'cifar10-resnet4b', 'cifar10-tinymobilenet-fp32'].map(
    (n) => `2-classifier/${n}`,
  ),
  ...['squeezenet', 'shufflenet', 'inception_v1', 'bvlc_alexnet', 'resnet50', 'densenet121'].map(
    (n) => `1-light/light_${n}`,
  ),
  '4-quant/cifar10-tinymobilenet-int8-qoperator',
];

const folder = process.env.BANTAM_CORPUS ?? resolve(import.meta.dirname, '../../../../shared/corpus');

/** Networks of the zoo, and those of the corpus where this machine has it. */
export const benchNets: readonly BenchNet[] = [
  ...built.map(([id, options]) => ({
    name: `${id}${options.width === undefined ? '' : ` x ${options.width}`}${options.input === undefined ? '' : ` at ${options.input[1]}`}`,
    open: () => buildFromZoo(id, options),
  })),
  ...files.flatMap((file) => {
    const path = join(folder, 'models', `${file}.onnx`);
    const name = file.split('/')[1] ?? file;
    return existsSync(path) ? [{ name, open: () => embedded(readModel(Uint8Array.from(readFileSync(path)))) }] : [];
  }),
];
