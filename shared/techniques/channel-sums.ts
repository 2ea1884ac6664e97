/**
 * Owns who sums over a model's channels: where copies of a channel would count more than once, and which operators would see a
 * difference that no weight can make up for.
 */
import type { ChannelGroups } from '../analysis/channel-groups.ts';
import { channelContext, type Frozen, labelOf } from '../analysis/channel-slots.ts';
import { intAttr } from '../ir/attribute.ts';
import { isFloat } from '../ir/element-type.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model, Node } from '../ir/model.ts';
import { type Facts, isNone, type KernelClass, type Slot } from '../ops/declare.ts';
import { opOf } from '../ops/index.ts';

type FactsMap = ReadonlyMap<string, Facts>;

/** A weight whose axis runs along channels that its node sums over. */
export interface Reader {
  readonly node: Node;
  readonly input: number;
  readonly axis: number;
  readonly axisClass: number;
}

export interface Readers {
  readonly readers: readonly Reader[];
  /** Classes whose channels somebody mixes in a way that copies would change. */
  readonly mixed: ReadonlyMap<number, Frozen>;
}

/** The weight axis along which a node sums its input's channels; 'mixes' where no constant weight stands there. */
function summed(node: Node, facts: FactsMap): { readonly input: number; readonly axis: number } | 'mixes' | undefined {
  const shape = (k: number) => facts.get(node.inputs[k] ?? '')?.shape;
  const constant = (k: number): boolean => facts.get(node.inputs[k] ?? '')?.constant === true;
  if (node.domain !== '') return undefined;
  switch (node.op) {
    case 'Conv':
    case 'ConvTranspose': {
      const group = intAttr(node, 'group', 1);
      const [major, minor] = shape(1) ?? [];
      if (typeof major !== 'number' || typeof minor !== 'number') return 'mixes';
      const inputs = node.op === 'Conv' ? minor * group : major;
      if (group > 1 && group === inputs) return undefined; // each channel alone: nothing is summed
      return constant(1) ? { input: 1, axis: node.op === 'Conv' ? 1 : 0 } : 'mixes';
    }
    case 'Gemm':
      if (constant(1)) return { input: 1, axis: intAttr(node, 'transB', 0) === 1 ? 1 : 0 };
      return constant(0) ? { input: 0, axis: intAttr(node, 'transA', 0) === 1 ? 0 : 1 } : 'mixes';
    case 'MatMul': {
      const [a, b] = [shape(0)?.length ?? 0, shape(1)?.length ?? 0];
      if (constant(1) && b > 0) return { input: 1, axis: Math.max(b - 2, 0) };
      return constant(0) && a > 0 ? { input: 0, axis: a - 1 } : 'mixes';
    }
    default:
      return undefined;
  }
}

/** Kernels of operators that treat every channel alike, or only move it. */
const plainKernels: ReadonlySet<KernelClass> = new Set<KernelClass>([
  'elementwise',
  'pool',
  'view',
  'data-movement',
  'quantize',
]);
/** Of those and beside those, by name. */
const plainOps: ReadonlySet<string> = new Set([
  'BatchNormalization',
  'InstanceNormalization',
  'Constant',
  'ConstantOfShape',
]);
/** A channel's result depends on the other channels. */
const mixingOps: ReadonlySet<string> = new Set(['Softmax', 'LogSoftmax', 'Hardmax', 'CumSum', 'LRN', 'GridSample']);

const isReduction = (node: Node): boolean =>
  node.op.startsWith('Reduce') || node.op === 'ArgMax' || node.op === 'ArgMin';

/** Whether a node that sums nothing by weights lets every touched channel through as it is. */
function passes(node: Node, touched: readonly Slot[], model: Model, facts: FactsMap, groups: ChannelGroups): boolean {
  if (mixingOps.has(node.op)) return false;
  const outputs = touched.filter((s) => node.outputs.includes(s.value));
  if (isReduction(node)) {
    const kept = new Set(outputs.map((s) => groups.table.classOf(s)));
    return touched.every((s) => kept.has(groups.table.classOf(s)));
  }
  if (outputs.length === 0) return false;
  if (node.domain === '' && plainOps.has(node.op)) return true;
  const op = opOf(node);
  if (op === undefined || isNone(op.work)) return false;
  const context = { ...channelContext(model, facts, node), subgraph: () => ({ macs: null, otherOps: null }) };
  return plainKernels.has(op.work(context).kernel);
}

const integerWeight = (model: Model, node: Node, input: number): boolean =>
  graphIndex(model.graph).producer.get(node.inputs[input] ?? '')?.op === 'DequantizeLinear';

const memo = new WeakMap<ChannelGroups, Readers>();

/** Readers of every class that a group not frozen touches, and what is mixed. Computed once per groups. */
export function channelReaders(model: Model, facts: FactsMap, groups: ChannelGroups): Readers {
  const known = memo.get(groups);
  if (known !== undefined) return known;
  const { table } = groups;
  const live = new Set(groups.groups.flatMap((g) => (g.frozen === undefined ? g.axes.map((a) => a.axisClass) : [])));
  const readers: Reader[] = [];
  const mixed = new Map<number, Frozen>();
  for (const [node, slots] of table.mentions) {
    const touched = slots.filter((s) => live.has(table.classOf(s) ?? -1));
    if (touched.length === 0) continue;
    const mix = (c: number | undefined, reason: string): void => {
      if (c !== undefined && !mixed.has(c)) mixed.set(c, { reason, where: node.id });
    };
    const sum = summed(node, facts);
    if (sum === undefined) {
      const makes = node.op === 'Conv' || node.op === 'ConvTranspose';
      if (!makes && !passes(node, touched, model, facts, groups))
        for (const s of touched) mix(table.classOf(s), `${labelOf(node)} would see the copies`);
      continue;
    }
    if (sum === 'mixes') {
      for (const s of touched) mix(table.classOf(s), `${labelOf(node)} has no constant weight`);
      continue;
    }
    const value = node.inputs[sum.input] ?? '';
    const c = table.classOf({ value, axis: sum.axis });
    if (c === undefined || !live.has(c)) continue;
    const { elem } = facts.get(value) ?? { elem: null };
    if (elem === null || !isFloat(elem)) mix(c, `${labelOf(node)} has no float weights`);
    else if (integerWeight(model, node, sum.input)) mix(c, `the weights of ${labelOf(node)} are stored as integers`);
    readers.push({ node, input: sum.input, axis: sum.axis, axisClass: c });
  }
  const found = { readers, mixed };
  memo.set(groups, found);
  return found;
}
