/** Owns the arithmetic of sliding windows: kernel, strides, dilations, pads, auto_pad, rounding, for convolution and pooling. */
import { intAttr, intsAttr, stringAttr } from '../ir/attribute.ts';
import type { Dim, Node } from '../ir/model.ts';

export interface Window {
  /** Spatial axes. */
  readonly rank: number;
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** [begins ..., ends ...] */
  readonly pads: readonly number[];
  /** 'NOTSET' | 'VALID' | 'SAME_UPPER' | 'SAME_LOWER' */
  readonly autoPad: string;
  readonly ceil: boolean;
}

const windows = new WeakMap<Node, Window>();

/** The window attributes of a node over `rank` spatial axes, read once. */
export function windowOf(node: Node, rank: number): Window {
  const known = windows.get(node);
  if (known !== undefined && known.rank === rank) return known;
  const window = readWindow(node, rank);
  windows.set(node, window);
  return window;
}

function readWindow(node: Node, rank: number): Window {
  const ones = Array.from({ length: rank }, () => 1);
  const given = intsAttr(node, 'pads');
  return {
    rank,
    strides: intsAttr(node, 'strides') ?? ones,
    dilations: intsAttr(node, 'dilations') ?? ones,
    pads: given ?? Array.from({ length: 2 * rank }, () => 0),
    autoPad: stringAttr(node, 'auto_pad', 'NOTSET') || 'NOTSET',
    ceil: intAttr(node, 'ceil_mode', 0) === 1,
  };
}

/**
 * Output size along spatial axis i of an input of size x under a kernel of size k (Conv-1 and MaxPool-12 of the operator
 * list). A window that would start in the end padding is dropped under ceil_mode, as the runtime does.
 */
export function windowSize(x: Dim, k: Dim, w: Window, i: number, rank: number): Dim {
  const stride = w.strides[i] ?? 1;
  const same = w.autoPad === 'SAME_UPPER' || w.autoPad === 'SAME_LOWER';
  if (same) return stride === 1 ? x : typeof x === 'number' ? Math.ceil(x / stride) : null;
  const begin = w.autoPad === 'VALID' ? 0 : (w.pads[i] ?? 0);
  const end = w.autoPad === 'VALID' ? 0 : (w.pads[i + rank] ?? 0);
  if (typeof k !== 'number') return null;
  const reach = (w.dilations[i] ?? 1) * (k - 1) + 1;
  if (stride === 1 && begin + end === reach - 1) return x;
  if (typeof x !== 'number') return null;
  const room = x + begin + end - reach;
  if (!w.ceil) return Math.max(Math.floor(room / stride) + 1, 0);
  const out = Math.ceil(room / stride) + 1;
  return (out - 1) * stride >= x + begin ? out - 1 : out;
}

/** Output size of a transposed convolution along spatial axis i (ConvTranspose-1). */
export function transposedSize(x: Dim, k: Dim, w: Window, outputPad: number, i: number, rank: number): Dim {
  const stride = w.strides[i] ?? 1;
  if (w.autoPad === 'SAME_UPPER' || w.autoPad === 'SAME_LOWER')
    return stride === 1 ? x : typeof x === 'number' ? x * stride : null;
  if (typeof x !== 'number' || typeof k !== 'number') return null;
  const pads = w.autoPad === 'VALID' ? 0 : (w.pads[i] ?? 0) + (w.pads[i + rank] ?? 0);
  return stride * (x - 1) + outputPad + (w.dilations[i] ?? 1) * (k - 1) + 1 - pads;
}
