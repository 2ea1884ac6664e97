/** Owns latencies that others published of networks of the zoo, each with its source; some fitted a number of a profile, the others check it. */
import type { LayerType } from '../devices/layer-work.ts';

export interface PublishedLatency {
  readonly net: string;
  readonly width?: number;
  /** Height and width of the input. */
  readonly size?: number;
  readonly type: Extract<LayerType, 'fp32' | 'fp16' | 'int8'>;
  readonly device: string;
  readonly unit: string;
  readonly ms: number;
  /** A key of the profile's sources. */
  readonly source: string;
  /** True where a number of the profile was fitted to this latency: it says nothing about the error. */
  readonly fitted?: true;
}

/** [net, type, ms, more] of one device, unit and source. */
type Row = readonly [
  net: string,
  type: PublishedLatency['type'],
  ms: number,
  more?: Pick<PublishedLatency, 'width' | 'size' | 'fitted'>,
];

const of = (device: string, unit: string, source: string, rows: readonly Row[]): readonly PublishedLatency[] =>
  rows.map(([net, type, ms, more]) => ({ net, type, ms, device, unit, source, ...more }));

export const publishedLatencies: readonly PublishedLatency[] = [
  ...of('snapdragon-845', 'cpu-2018', 'pocketflow', [
    ['mobilenet-v1', 'fp32', 124.53, { fitted: true }],
    ['mobilenet-v1', 'int8', 56.12],
    ['mobilenet-v2', 'fp32', 120.59],
    ['mobilenet-v2', 'int8', 49.04],
  ]),
  ...of('kirin-970', 'cpu-2018', 'pocketflow', [
    ['mobilenet-v1', 'fp32', 152.54],
    ['mobilenet-v1', 'int8', 68.43],
    ['mobilenet-v2', 'fp32', 226.61],
    ['mobilenet-v2', 'int8', 61.38],
  ]),
  ...of('snapdragon-710', 'cpu-2018', 'pocketflow', [
    ['mobilenet-v1', 'fp32', 156.33],
    ['mobilenet-v1', 'int8', 62.6],
    ['mobilenet-v2', 'fp32', 153.18],
    ['mobilenet-v2', 'int8', 57.55],
  ]),
  ...of('snapdragon-821', 'cpu', 'mnas', [
    ['mnasnet-a1', 'fp32', 78],
    ['mnasnet-a1', 'fp32', 135, { width: 1.4 }],
    ['mnasnet-a1', 'fp32', 61, { width: 0.75 }],
    ['mnasnet-a1', 'fp32', 32, { width: 0.5, fitted: true }],
    ['mnasnet-a1', 'fp32', 22, { width: 0.35 }],
    ['mnasnet-a1', 'fp32', 57, { size: 192 }],
    ['mnasnet-a1', 'fp32', 41, { size: 160 }],
  ]),
  ...of('snapdragon-845', 'cpu', 'paddle', [
    ['mobilenet-v1', 'fp32', 58.7, { fitted: true }],
    ['mobilenet-v2', 'fp32', 37.61, { fitted: true }],
    ['resnet-50', 'fp32', 339.59],
  ]),
  ...of('snapdragon-835', 'cpu', 'paddle', [
    ['mobilenet-v1', 'fp32', 82.48],
    ['mobilenet-v2', 'fp32', 53.47],
  ]),
  ...of('raspberry-pi-4', 'cpu', 'ncnn', [
    ['mobilenet-v1', 'fp32', 86.01, { fitted: true }],
    ['mobilenet-v2', 'fp32', 75.84],
    ['mnasnet-1.0', 'fp32', 64.64],
    ['squeezenet-1.1', 'fp32', 58.73, { size: 227 }],
    ['googlenet', 'fp32', 176.24],
    ['resnet-18', 'fp32', 233.89],
    ['resnet-50', 'fp32', 486.97],
    ['vgg-16', 'fp32', 988.65],
    ['mobilenet-v1', 'int8', 168.48],
    ['resnet-50', 'int8', 421.58],
  ]),
  ...of('jetson-tx2', 'gpu', 'tx2trt', [
    ['resnet-50', 'fp32', 27.1, { fitted: true }],
    ['resnet-50', 'fp16', 15.7, { fitted: true }],
    ['googlenet', 'fp32', 12.8],
    ['googlenet', 'fp16', 7.98],
    ['inception-v3', 'fp32', 46.1],
    ['inception-v3', 'fp16', 26.3],
    ['resnet-101', 'fp32', 51.8],
    ['resnet-101', 'fp16', 29.9],
  ]),
  ...of('edge-tpu', 'npu', 'coral', [
    ['mobilenet-v1', 'int8', 2.4, { fitted: true }],
    ['mobilenet-v2', 'int8', 2.6],
    ['googlenet', 'int8', 4.1, { fitted: true }],
    ['squeezenet-1.0', 'int8', 2],
    ['resnet-50', 'int8', 56, { size: 299 }],
    ['densenet-121', 'int8', 25],
    ['vgg-16', 'int8', 343, { fitted: true }],
    ['vgg-19', 'int8', 357],
  ]),
  ...of('stm32n6', 'npu', 'stzoo', [
    ['mobilenet-v2', 'int8', 21.08, { fitted: true }],
    ['mobilenet-v2', 'int8', 35.34, { width: 1.4 }],
    ['mobilenet-v2', 'int8', 9.14, { width: 0.35 }],
    ['mobilenet-v2', 'int8', 6.35, { width: 0.35, size: 128 }],
  ]),
  ...of('snapdragon-8-elite', 'npu', 'aihub', [
    ['resnet-50', 'int8', 0.505, { fitted: true }],
    ['resnet-18', 'int8', 0.253],
  ]),
];
