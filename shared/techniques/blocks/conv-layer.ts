/** Owns what a block must know of the convolution that it replaces: sizes, window, weight; or why that one cannot be replaced. */
import { lazy } from '../../base/lazy.ts';
import { attribute, intAttr } from '../../ir/attribute.ts';
import type { ElementType } from '../../ir/element-type.ts';
import { fixedDims, type Node } from '../../ir/model.ts';
import { toNumbers } from '../../ir/values.ts';
import { type Window, windowOf } from '../../ops/window.ts';
import { constantValue } from '../../transforms/constant-values.ts';
import type { StepContext } from '../declare.ts';

export interface ConvLayer {
  readonly node: Node;
  readonly elem: ElementType;
  readonly inputs: number;
  readonly outputs: number;
  /** [height, width] of the kernel. */
  readonly kernel: readonly [number, number];
  readonly window: Window;
  readonly bias: string | undefined;
  /** [outputs]; only where there is a bias. */
  readonly biasValues: () => Float64Array;
  /**
   * A 1x1 convolution with the same strides and no padding reads what the centre of the kernel reads, and gives an output of the
   * same size: the kernel is odd, and padded by half its reach on both sides.
   */
  readonly centred: boolean;
  /** Output and input can be added: same channels, stride 1, centred. */
  readonly skips: boolean;
  /** [outputs, inputs, height, width], row-major. Throws Fault `no-data` where only the skeleton is here. */
  readonly weight: () => Float64Array;
}

const floats: ReadonlySet<ElementType> = new Set(['float', 'float16', 'double']);

/** The layer, or the reason why no block takes its place. */
export function convLayer(c: Pick<StepContext, 'model' | 'facts'>, node: Node): ConvLayer | string {
  if (node.op !== 'Conv' || node.domain !== '') return `${node.op} is no convolution`;
  const facts = c.facts.get(node.inputs[1] ?? '');
  const shape = fixedDims(facts?.shape);
  if (facts?.constant !== true || shape === undefined) return 'its weight is no constant';
  if (facts.elem === null || !floats.has(facts.elem)) return `its weight is ${facts.elem ?? 'of unknown type'}`;
  const [outputs = 0, inputs = 0, ...kernel] = shape;
  if (kernel.length !== 2) return `it is a convolution over ${kernel.length} axes; blocks are made of two`;
  if (intAttr(node, 'group', 1) !== 1) return 'it is grouped already';
  const [kh = 1, kw = 1] = kernel;
  if (kh * kw === 1) return 'its kernel is 1x1: there is no spatial part to take apart';
  const held = constantValue(c.model.graph, node.inputs[1] ?? '');
  if (held === undefined) return 'its weight is computed by other nodes';
  const bias = node.inputs[2] ? constantValue(c.model.graph, node.inputs[2]) : undefined;
  if (node.inputs[2] && bias === undefined) return 'its bias is no constant';
  const window = windowOf(node, 2);
  const half = [kh, kw].map((k, i) => ((k - 1) / 2) * (window.dilations[i] ?? 1));
  const stride1 = window.strides.every((s) => s === 1);
  const same = window.autoPad === 'NOTSET' ? [0, 1, 2, 3].every((i) => window.pads[i] === half[i % 2]) : false;
  const centred = kh % 2 === 1 && kw % 2 === 1 && (same || (window.autoPad.startsWith('SAME') && stride1));
  return {
    node,
    elem: facts.elem,
    inputs,
    outputs,
    kernel: [kh, kw],
    window,
    bias: node.inputs[2] || undefined,
    biasValues: lazy(() =>
      bias === undefined ? new Float64Array(outputs) : Float64Array.from(toNumbers(bias.tensor)),
    ),
    centred,
    skips: centred && stride1 && inputs === outputs,
    weight: lazy(() => Float64Array.from(toNumbers(held.tensor))),
  };
}

/** Window attributes as they stand, to be given to the node that takes over the sliding. */
export const slideOf = (node: Node) =>
  ['strides', 'pads', 'dilations', 'auto_pad'].flatMap((name) => attribute(node, name) ?? []);
