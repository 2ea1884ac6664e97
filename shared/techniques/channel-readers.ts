/**
 * Owns where channels are seen and read: the activation that shows a unit's strength, and the linear layers that multiply it.
 */

import type { ChannelGroup, ChannelGroups, GroupAxis } from '../analysis/channel-groups.ts';
import type { Maker } from '../analysis/channel-slots.ts';
import type { ChannelAxis } from '../analysis/evidence.ts';
import { rowSizes } from '../analysis/layer-rows.ts';
import { intAttr } from '../ir/attribute.ts';
import { elementCount } from '../ir/element-type.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model, Node } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';
import type { Facts } from '../ops/declare.ts';

type FactsMap = ReadonlyMap<string, Facts>;

/** Operators through which a channel stays itself. */
const passing = new Set([
  ...['BatchNormalization', 'InstanceNormalization', 'Relu', 'LeakyRelu', 'PRelu', 'Clip', 'Elu', 'Selu', 'Sigmoid'],
  ...['Tanh', 'HardSigmoid', 'HardSwish', 'Softplus', 'Gelu', 'Mish', 'Dropout', 'Identity'],
]);

/** An activation along whose axis the units of a group lie. */
export interface Feature extends ChannelAxis {
  readonly units: GroupAxis;
}

/** Where a maker's channels are judged: behind the normalisation and activation that it alone feeds. */
export function featureOf(model: Model, groups: ChannelGroups, group: ChannelGroup, maker: Maker): Feature | undefined {
  const index = graphIndex(model.graph);
  const { axis } = maker.output;
  let value = maker.output.value;
  for (;;) {
    const uses = index.uses.get(value) ?? [];
    const next = uses.length === 1 && !index.outputNames.has(value) ? uses[0] : undefined;
    if (next === undefined || next.input !== 0 || !passing.has(next.node.op)) break;
    const out = next.node.outputs[0] ?? '';
    if (groups.table.classOf({ value: out, axis }) !== groups.table.classOf(maker.output)) break;
    value = out;
  }
  const units = group.axes.find((a) => a.axisClass === groups.table.classOf({ value, axis }));
  return units === undefined || axis === 0 ? undefined : { value, axis, units };
}

/** The features of all makers of a group. */
export const featuresOf = (model: Model, groups: ChannelGroups, group: ChannelGroup): readonly Feature[] =>
  group.makers.flatMap((m) => featureOf(model, groups, group, m) ?? []);

/** A Conv, Gemm or MatMul that multiplies a group's channels by a weight of its own. */
export interface Reader {
  readonly node: Node;
  readonly weight: Tensor;
  /** Indices of the input's channel axis, [units, perUnit]. */
  readonly units: GroupAxis;
  /** Weights per input channel and output: the kernel's cells. */
  readonly cells: number;
  /** Input channels in all. */
  readonly channels: number;
  readonly width: number;
  /** Where the weight of output o, input channel i, cell k stands. */
  readonly at: (o: number, i: number, k: number) => number;
}

function channelAxisOf(node: Node, facts: FactsMap): number {
  if (node.op === 'Conv') return 1;
  if (node.op === 'Gemm') return intAttr(node, 'transA', 0) === 1 ? 0 : 1;
  return (facts.get(node.inputs[0] ?? '')?.shape?.length ?? 0) - 1;
}

/** The float initializer that a node alone reads as its weight. */
function ownWeight(model: Model, node: Node): Tensor | undefined {
  const index = graphIndex(model.graph);
  const name = node.inputs[1] ?? '';
  const tensor = index.initializer.get(name);
  const own = index.uses.get(name)?.length === 1 && !index.outputNames.has(name);
  return own && tensor?.type === 'float' ? tensor : undefined;
}

/** The layers that read a group's channels and can be refitted: a plain weight of their own, one group. In graph order. */
export function readersOf(
  model: Model,
  facts: FactsMap,
  groups: ChannelGroups,
  group: ChannelGroup,
): readonly Reader[] {
  const mine = new Map(group.axes.map((a) => [a.axisClass, a]));
  return graphIndex(model.graph).order.flatMap((node): readonly Reader[] => {
    const sizes = rowSizes(facts, node);
    if (sizes === undefined || (node.op === 'Conv' && intAttr(node, 'group', 1) !== 1)) return [];
    const x = { value: node.inputs[0] ?? '', axis: channelAxisOf(node, facts) };
    const units = mine.get(groups.table.classOf(x) ?? -1);
    const weight = ownWeight(model, node);
    if (units === undefined || weight === undefined) return [];
    const cells = node.op === 'Conv' ? elementCount(weight.dims.slice(2)) : 1;
    const { columns, width } = sizes;
    const rowMajor = node.op === 'Conv' || (node.op === 'Gemm' && intAttr(node, 'transB', 0) === 1);
    const at = (o: number, i: number, k: number): number =>
      rowMajor ? o * columns + i * cells + k : (i * cells + k) * width + o;
    return [{ node, weight, units, cells, channels: columns / cells, width, at }];
  });
}
