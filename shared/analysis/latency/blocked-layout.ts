/**
 * Owns where the runtime's CPU kernels run in its blocked layout (channels in groups of 8 or 16, "NCHWc"), and where it
 * must change layout: by the rules of its own NchwcTransformer, in one walk over the layers.
 */
import type { LayerWork, WindowShape } from '../../devices/layer-work.ts';

/** Input channels of a dense convolution, and all of a depthwise one, must be a multiple of this, whatever the block. */
const channelAlignment = 4;

export interface Reorder {
  /** Layer before which it stands. */
  readonly before: number;
  readonly kind: 'reorder-input' | 'reorder-output';
  readonly bytes: number;
}

export interface Layout {
  /** Per layer: true where it computes on blocks. */
  readonly blocked: readonly boolean[];
  readonly reorders: readonly Reorder[];
  /** Per layer: the blocked layer that computes it too (an activation after a normalisation), or -1. */
  readonly into: Int32Array;
}

/** Convolutions that have a kernel on blocks; FusedConv stands in files that the runtime itself has written. */
const convolutions = new Set(['Conv', 'FusedConv']);

const divides = (block: number, channels: number): boolean => channels % block === 0;

/** Whether a convolution has a blocked kernel. */
export function blockedConv(s: WindowShape, block: number): boolean {
  const each = s.inChannels / s.groups;
  if (s.kernel.length !== 2) return false;
  if (s.groups === 1) return each < block || each % channelAlignment === 0;
  if (each === 1 && s.outChannels === s.groups) return s.outChannels % channelAlignment === 0;
  return divides(block, s.outChannels) && divides(block, each) && divides(block, s.outChannels / s.groups);
}

/** Channels of what a layer writes, where it is known to be a picture. */
const channelsOf = (layer: LayerWork | undefined): number | undefined =>
  layer?.shape?.kind === 'window'
    ? layer.shape.outChannels
    : layer?.shape?.kind === 'elements'
      ? layer.shape.channels
      : undefined;

const pointwise = new Set(['Relu', 'Sigmoid', 'Tanh', 'LeakyRelu', 'Clip', 'HardSigmoid', 'Elu', 'Gelu']);

/** Mul of an activation by one constant a channel. */
const isChannelScale = (layer: LayerWork): boolean =>
  layer.op === 'Mul' && layer.reads.length === 1 && layer.weightBytes === 4 * (channelsOf(layer) ?? 0);

/** True where a layer takes its inputs as blocks if they are such, and otherwise stays as it is. */
function followsInputs(layer: LayerWork, inputs: readonly LayerWork[], block: number): boolean {
  switch (layer.op) {
    case 'Concat':
      return inputs.every((l) => divides(block, channelsOf(l) ?? 1));
    case 'Add':
    case 'Sum':
      return inputs.length > 1 && inputs.every((l) => l.bytesWritten === layer.bytesWritten);
    case 'Mul':
      // By one constant a channel it becomes a depthwise convolution of one tap.
      return isChannelScale(layer) || (inputs.length > 1 && inputs.every((l) => l.bytesWritten === layer.bytesWritten));
    case 'BatchNormalization':
    case 'Resize':
    case 'Upsample':
      return true;
    default:
      return pointwise.has(layer.op);
  }
}

/** The layout of every layer; `block`: channels a block, 1 where the runtime has none. */
export function layoutOf(layers: readonly LayerWork[], block: number): Layout {
  const blocked: boolean[] = [];
  const reorders: Reorder[] = [];
  const into = new Int32Array(layers.length).fill(-1);
  const readers = new Int32Array(layers.length);
  for (const layer of layers) for (const r of layer.reads) readers[r] = (readers[r] ?? 0) + 1;
  // A value changes layout once, however many read it so.
  const changed = new Set<string>();
  const change = (from: number, before: number, kind: Reorder['kind'], bytes: number): void => {
    if (changed.has(`${from} ${kind}`)) return;
    changed.add(`${from} ${kind}`);
    reorders.push({ before, kind, bytes });
  };
  for (const [k, layer] of layers.entries()) {
    const mine = block > 1 && takesBlocks(layer, layers, blocked, block);
    blocked.push(mine);
    for (const r of layer.reads) {
      const bytes = layers[r]?.bytesWritten ?? 0;
      if (mine && blocked[r] !== true && readsBlocks(layer, block)) change(r, k, 'reorder-input', bytes);
      if (!mine && blocked[r] === true) change(r, k, 'reorder-output', bytes);
    }
    if (mine && layer.reads.length === 0 && readsBlocks(layer, block))
      change(-1 - k, k, 'reorder-input', layer.bytesRead ?? 0);
    const from = layer.reads[0] ?? -1;
    if (mine && pointwise.has(layer.op) && layers[from]?.op === 'BatchNormalization' && readers[from] === 1)
      into[k] = from;
  }
  for (const [k, layer] of layers.entries())
    if (readers[k] === 0 && blocked[k] === true) change(k, layers.length, 'reorder-output', layer.bytesWritten ?? 0);
  return { blocked, reorders, into };
}

/** A first convolution reads the picture as it is. */
const readsBlocks = (layer: LayerWork, block: number): boolean =>
  !(layer.kernel === 'conv' && layer.shape?.kind === 'window' && layer.shape.inChannels < block);

function takesBlocks(
  layer: LayerWork,
  layers: readonly LayerWork[],
  blocked: readonly boolean[],
  block: number,
): boolean {
  if (layer.type !== 'fp32' || layer.decodedPerCall > 0) return false;
  const s = layer.shape;
  if (s?.kind === 'window') {
    if (layer.kernel === 'pool') return s.kernel.length === 2 && divides(block, s.inChannels);
    return convolutions.has(layer.op) && layer.overridable !== true && blockedConv(s, block);
  }
  if (layer.reads.length === 0 || !layer.reads.every((r) => blocked[r] === true)) return false;
  const inputs = layer.reads.flatMap((r) => layers[r] ?? []);
  return followsInputs(layer, inputs, block);
}
