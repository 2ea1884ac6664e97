/** Owns RuntimeKernel: one kernel as the runtime runs it, by what its time depends on; and how a layer becomes one. */
import type { LayerWork, ProductShape, WindowShape } from '../layer-work.ts';

export interface RuntimeKernel {
  /** Kernels of one form run the same code: a fit is made for each. */
  readonly form: string;
  /** What time is (nearly) linear in: multiply-accumulates as computed, padded channels included; bytes moved; bytes of weights. */
  readonly macs: number;
  readonly bytes: number;
  readonly weightBytes: number;
  /** Base-2 logarithms of the sizes that a rate depends on; how many and which is the form's. */
  readonly sizes: readonly number[];
}

const log2 = (x: number): number => Math.log2(Math.max(x, 1e-3));
const product = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);
const padded = (channels: number, block: number): number => Math.ceil(channels / block) * block;

function convKernel(work: LayerWork, s: WindowShape, blocked: boolean, block: number): RuntimeKernel {
  const taps = product(s.kernel);
  const pixels = s.batch * product(s.outSpatial);
  const depthwise = s.groups > 1 && s.inChannels === s.groups;
  const unit = blocked ? block : 1;
  const each = s.inChannels / s.groups;
  const plane = s.inChannels < block && s.groups === 1;
  const out = padded(s.outChannels, unit);
  const inner = blocked && !plane && !depthwise ? padded(each, unit) : each;
  const stride = Math.max(...s.strides);
  const kind = depthwise
    ? 'depthwise'
    : s.groups > 1
      ? 'grouped'
      : taps === 1
        ? 'pointwise'
        : blocked && plane
          ? 'plane'
          : 'conv';
  const sizes =
    kind === 'depthwise'
      ? [log2(out), log2(pixels), log2(taps), log2(stride), log2(s.outSpatial.at(-1) ?? 1)]
      : [log2(inner), log2(out / s.groups), log2(pixels), log2(taps), log2(stride), log2(s.outSpatial.at(-1) ?? 1)];
  if (kind === 'grouped') sizes.push(log2(s.groups));
  return {
    form: `${prefix(work)}${blocked ? 'blocked' : 'plain'} ${kind}`,
    macs: pixels * out * inner * taps,
    bytes: (work.bytesRead ?? 0) + (work.bytesWritten ?? 0),
    weightBytes: work.weightBytes ?? 0,
    sizes,
  };
}

function productKernel(work: LayerWork, s: ProductShape): RuntimeKernel {
  const row = s.rows === 1;
  return {
    form: `${prefix(work)}${work.kernel}${row ? ' row' : ''}`,
    macs: s.count * s.rows * s.inner * s.columns,
    bytes: (work.bytesRead ?? 0) + (work.bytesWritten ?? 0),
    weightBytes: work.weightBytes ?? 0,
    sizes: row
      ? [log2(s.inner), log2(s.columns), log2(s.count)]
      : [log2(s.rows), log2(s.inner), log2(s.columns), log2(s.count)],
  };
}

const prefix = (work: LayerWork): string =>
  `${work.dynamic ? 'dynamic ' : ''}${work.type === 'fp32' ? '' : `${work.type} `}`;

/** Operators that run another's loop; the operator form of integer layers (QLinearAdd) that of the quantized operator. */
const like: Readonly<Record<string, string>> = { Sum: 'Add', LogSoftmax: 'Softmax' };
const likeOf = (op: string): string => like[op] ?? op.replace(/^QLinear/, '');

/** The kernel that computes a layer; undefined where a size that it depends on is unknown. */
export function kernelOf(work: LayerWork, blocked: boolean, block: number): RuntimeKernel | undefined {
  const s = work.shape;
  if (s === null || work.bytesRead === null || work.bytesWritten === null) return undefined;
  const bytes = work.bytesRead + work.bytesWritten;
  if (s.kind === 'product') return productKernel(work, s);
  if (s.kind === 'window' && work.kernel !== 'pool' && work.kernel !== 'conv-transpose')
    return convKernel(work, s, blocked, block);
  const layout = blocked ? 'blocked ' : '';
  if (s.kind === 'window') {
    const whole = s.outSpatial.every((d) => d === 1) && work.kernel === 'pool';
    const taps = product(s.kernel);
    const pixels = product(s.outSpatial) * s.batch;
    return {
      form: `${prefix(work)}${layout}${whole ? 'Global' : ''}${likeOf(work.op).replace('Global', '')}`,
      macs: work.macs !== null && work.macs > 0 ? work.macs : pixels * s.outChannels * taps,
      bytes,
      weightBytes: work.weightBytes ?? 0,
      sizes: [log2(s.outChannels), log2(pixels), log2(taps)],
    };
  }
  // A scale by channel runs as a normalisation does: one multiply-add a channel.
  const op = blocked && work.op === 'Mul' && work.reads.length === 1 ? 'BatchNormalization' : likeOf(work.op);
  return {
    form: `${prefix(work)}${layout}${op}`,
    macs: work.macs !== null && work.macs > 0 ? work.macs : (work.otherOps ?? 0),
    bytes,
    weightBytes: work.weightBytes ?? 0,
    sizes: [log2(bytes), log2(s.lastAxis)],
  };
}

/** A change of layout of so many bytes. */
export const reorderKernel = (kind: string, bytes: number): RuntimeKernel => ({
  form: kind,
  macs: 0,
  bytes: 2 * bytes,
  weightBytes: 0,
  sizes: [log2(bytes)],
});

/** A weight of so many elements decoded to floats. */
export const decodeKernel = (elements: number): RuntimeKernel => ({
  form: 'decode',
  macs: elements,
  bytes: 5 * elements,
  weightBytes: 0,
  sizes: [log2(elements)],
});
