/**
 * Owns the trained form of integer weights (quantization-aware training, Jacob et al. 2018, section 3): latent floats that are
 * divided by their scale, clipped and rounded in every step, with the straight-through gradient; stored as integers again where
 * they stood. A learnt scale is LSQ's (Esser et al. 2020): the same gradient, by its logarithm.
 */
import { inferFacts } from '../analysis/infer-facts.ts';
import { trainableBehind } from '../autodiff/parameters.ts';
import { Fault } from '../base/fault.ts';
import { lazy } from '../base/lazy.ts';
import { text } from '../base/text.ts';
import { attribute, intAttr } from '../ir/attribute.ts';
import { elementCount } from '../ir/element-type.ts';
import { GraphEdit } from '../ir/graph-edit.ts';
import { graphIndex } from '../ir/graph-index.ts';
import { fixedDims, type Model, type Node, opsetVersion } from '../ir/model.ts';
import { lazyTensor, type Tensor } from '../ir/tensor.ts';
import { numbersTensor, packNumbers, roundEven, toNumbers } from '../ir/values.ts';
import type { Facts, ParameterRole } from '../ops/declare.ts';
import { opOf } from '../ops/index.ts';
import { constantValue } from '../transforms/constant-values.ts';
import { copyValues } from './copy-values.ts';
import { integersBehind, type StoredIntegers } from './stored-integers.ts';

type FactsMap = ReadonlyMap<string, Facts>;

/** A decoded weight or bias: level = integer - zero, number = level x scale. */
interface IntegerWeight {
  readonly role: ParameterRole;
  /** Makes the numbers: Mul (its input `levels` are the levels) or DequantizeLinear. */
  readonly maker: Node;
  readonly levels: string;
  readonly dims: readonly number[];
  readonly scale: Tensor;
  /** Dims in which the scale meets the levels. */
  readonly scaleDims: readonly number[];
  readonly stored: StoredIntegers;
  readonly zero: number;
  readonly low: number;
  readonly high: number;
}

const carriers = new Set(['Reshape', 'Transpose', 'Unsqueeze', 'Squeeze', 'Flatten', 'Identity']);

/** Ends of the levels, alike on both sides where the type is (the lowest of int8 is not used). */
function endsOf({ low, high }: StoredIntegers, zero: number): readonly [number, number] {
  const [a, b] = [low - zero, high - zero];
  return Math.abs(a + b) <= 1 ? [-Math.min(-a, b), Math.min(-a, b)] : [a, b];
}

/** Cast (-> Sub) (-> Reshape) -> Mul by a float scale. */
function scaledCast(model: Model, facts: FactsMap, maker: Node, role: ParameterRole): IntegerWeight | undefined {
  const { graph } = model;
  const index = graphIndex(graph);
  const [levels = '', scaleName = ''] = maker.inputs;
  const dims = fixedDims(facts.get(levels)?.shape);
  const scale = index.initializer.get(scaleName);
  if (dims === undefined || scale?.type !== 'float' || scale.dims.length > dims.length) return undefined;
  let at = index.producer.get(levels);
  if (at?.op === 'Reshape') at = index.producer.get(at.inputs[0] ?? '');
  let zero = 0;
  if (at?.op === 'Sub') {
    const offset = constantValue(graph, at.inputs[1] ?? '')?.tensor;
    if (offset === undefined || elementCount(offset.dims) !== 1) return undefined;
    zero = toNumbers(offset)[0] ?? 0;
    at = index.producer.get(at.inputs[0] ?? '');
  }
  if (at?.op !== 'Cast') return undefined;
  const stored = integersBehind(graph, at.inputs[0] ?? '', elementCount(dims));
  if (stored === undefined) return undefined;
  const own = maker.inputs.length === 2 && index.uses.get(levels)?.length === 1;
  // An offset of `top` gives 2 top + 1 levels, whatever the planes could hold.
  const [low, high] = zero > 0 ? [-zero, Math.min(zero, stored.high - zero)] : endsOf(stored, 0);
  return own ? { role, maker, levels, dims, scale, scaleDims: scale.dims, stored, zero, low, high } : undefined;
}

/** Tensors up to so many numbers are at hand in every preview. */
const few = 512;

/** The zero point that all channels share; of many channels the middle of the type, which `checkZeros` then holds them to. */
function commonZero(zeros: Tensor): number | undefined {
  if (elementCount(zeros.dims) > few) return zeros.type === 'uint8' ? 128 : 0;
  const all = toNumbers(zeros);
  const first = all[0] ?? 0;
  return all.every((z) => z === first) ? first : undefined;
}

function checkZeros(model: Model, { maker, zero }: IntegerWeight): void {
  const zeros = maker.op === 'DequantizeLinear' ? constantValue(model.graph, maker.inputs[2] ?? '')?.tensor : undefined;
  if (zeros === undefined || toNumbers(zeros).every((z) => z === zero)) return;
  throw new Fault(
    'unsupported',
    text('zero points that differ from channel to channel are not trained', '채널마다 다른 영점은 학습하지 않습니다'),
    {
      where: maker.id,
      hint: text('Leave this layer out of the selection.', '이 레이어를 선택에서 빼세요.'),
    },
  );
}

/** DequantizeLinear by tensor or by axis, its zero points all the same. */
function dequantized(model: Model, facts: FactsMap, maker: Node, role: ParameterRole): IntegerWeight | undefined {
  const { graph } = model;
  const [levels = '', scaleName = '', zeroName = ''] = maker.inputs;
  const dims = fixedDims(facts.get(levels)?.shape);
  const scale = constantValue(graph, scaleName)?.tensor;
  if (dims === undefined || scale?.type !== 'float' || scale.dims.length > 1) return undefined;
  if (attribute(maker, 'block_size') !== undefined && intAttr(maker, 'block_size', 0) !== 0) return undefined;
  const zeros = zeroName === '' ? undefined : constantValue(graph, zeroName)?.tensor;
  if (zeroName !== '' && zeros === undefined) return undefined;
  const zero = zeros === undefined ? 0 : commonZero(zeros);
  if (zero === undefined) return undefined;
  const axis = intAttr(maker, 'axis', 1);
  const at = axis < 0 ? axis + dims.length : axis;
  const scaleDims = scale.dims.length === 0 ? [] : dims.map((d, i) => (i === at ? d : 1));
  if (elementCount(scaleDims) !== elementCount(scale.dims)) return undefined;
  const stored = integersBehind(graph, levels, elementCount(dims));
  if (stored === undefined) return undefined;
  const [low, high] = endsOf(stored, zero);
  return { role, maker, levels, dims, scale, scaleDims, stored, zero, low, high };
}

/** Every integer weight and bias that a node multiplies or adds, by its decoder; a tied one once. */
function integerWeights(
  model: Model,
  facts: FactsMap,
): ReadonlyMap<string, IntegerWeight & { readonly ids: string[] }> {
  const index = graphIndex(model.graph);
  const found = new Map<string, IntegerWeight & { readonly ids: string[] }>();
  for (const node of index.order)
    for (const [k, role] of Object.entries(opOf(node)?.parameters ?? {})) {
      let at = node.inputs[Number(k)] ?? '';
      if (facts.get(at)?.constant !== true) continue;
      let maker = index.producer.get(at);
      while (maker !== undefined && carriers.has(maker.op) && !index.outputNames.has(at)) {
        at = maker.inputs[0] ?? '';
        maker = index.producer.get(at);
      }
      if (maker === undefined || index.outputNames.has(at)) continue;
      const before = found.get(maker.id);
      if (before !== undefined) {
        before.ids.push(node.id);
        continue;
      }
      const make = maker.op === 'Mul' ? scaledCast : maker.op === 'DequantizeLinear' ? dequantized : undefined;
      const weight = make?.(model, facts, maker, role);
      if (weight !== undefined) found.set(maker.id, { ...weight, ids: [node.id] });
    }
  return found;
}

/** More zeros than rounding gives: three times either neighbour. Then they were pruned, and stay. */
function isPruned(levels: Float64Array): boolean {
  const count = (q: number): number => levels.reduce((n, v) => n + Number(v === q), 0);
  return count(0) > 3 * Math.max(count(1), count(-1), 1);
}

/**
 * Where a latent weight begins: at `start`, held within the cell of its level, or in the middle of the cell, off the ends of the
 * grid, where no gradient passes. A zero that may move must not be an exact one, which training takes for pruned.
 */
function latentNumbers(w: IntegerWeight, start: Float64Array | undefined): Float64Array {
  const levels = w.stored.read().map((q) => q - w.zero);
  const scaleOf = broadcast(w);
  const given = start?.length === levels.length ? start : undefined;
  const moves = w.role === 'weight' && (given !== undefined || !isPruned(levels));
  return levels.map((q, k) => {
    const scale = scaleOf(k);
    if (w.role === 'bias') return q * scale;
    if (given?.[k] === 0) return 0;
    const x = given === undefined ? q : (given[k] ?? 0) / scale;
    const [low, high] = [Math.max(w.low + inside, q - 0.5 + inside), Math.min(w.high - inside, q + 0.5 - inside)];
    const held = Math.min(high, Math.max(low, x));
    return (held === 0 && moves ? inside : held) * scale;
  });
}

/** How far latent weights keep from the borders of cells, in steps. */
const inside = 1e-3;

/** Scale of element k. */
function broadcast({ dims, scaleDims, scale }: IntegerWeight, scales = toNumbers(scale)): (k: number) => number {
  const padded = [...dims.map(() => 1), ...scaleDims].slice(-Math.max(dims.length, 1));
  const strides = padded.map((d, i) => (d === 1 ? 0 : elementCount(padded.slice(i + 1))));
  const steps = dims.map((_, i) => elementCount(dims.slice(i + 1)));
  return (k) => {
    let at = 0;
    for (let i = 0; i < dims.length; i++) at += (Math.floor(k / (steps[i] ?? 1)) % (dims[i] ?? 1)) * (strides[i] ?? 0);
    return scales[at] ?? 1;
  };
}

export interface LatentIntegers {
  /** Integers replaced by latent floats on their grids. */
  readonly model: Model;
  /** Facts of `model`, inferred once. */
  readonly facts: () => FactsMap;
  /** Ids of the nodes that read such a weight -> how many levels it has. */
  readonly layers: ReadonlyMap<string, number>;
  /** Of these nodes, the stored tensors that may learn: no scales (unless learnt), no bounds. */
  readonly parameters: (layers: ReadonlySet<string>) => readonly string[];
  /** What was learnt, as the model stored it: integers again. */
  readonly seal: (trained: Model) => Model;
}

export interface LatentSettings {
  readonly learnScales: boolean;
  /** The floats behind the integers of these nodes, in the order in which they are stored, where they are known. */
  readonly start?: (ids: readonly string[]) => Float64Array | undefined;
}

/** How fast learnt scales move beside weights: each sums the gradients of many (Esser et al. 2020, section 2.2). */
const pace = 0.1;

/** Names of one weight's latent form. */
interface Latent {
  readonly weight: IntegerWeight;
  readonly value: string;
  readonly log: string | undefined;
}

/** The model with its integer weights latent; undefined where it has none that can learn, or no Round (opset 11). */
export function latentIntegers(model: Model, facts: FactsMap, how: LatentSettings): LatentIntegers | undefined {
  if ((opsetVersion(model) ?? 0) < 11) return undefined;
  const weights = integerWeights(model, facts);
  if (weights.size === 0) return undefined;
  const { uses } = graphIndex(model.graph);
  const edit = new GraphEdit(model.graph);
  const fixed = new Set<string>();
  const latents: Latent[] = [];
  const hold = (tensor: Tensor): string => {
    edit.setInitializer(tensor);
    fixed.add(tensor.name);
    return tensor.name;
  };
  for (const w of weights.values()) {
    const base = w.maker.outputs[0] ?? w.levels;
    const name = (part: string): string => edit.unique(`${base}~${part}`);
    const value = name('latent');
    edit.setInitializer(
      lazyTensor(value, 'float', w.dims, () => {
        checkZeros(model, w);
        return packNumbers('float', latentNumbers(w, how.start?.(w.ids)));
      }),
    );
    const nodes: Node[] = [];
    const one = (op: string, inputs: readonly string[], output = name(op)): string => {
      nodes.push(edit.make({ op, inputs, outputs: [output] }));
      return output;
    };
    if (w.role === 'bias') {
      edit.replace(w.maker.id, [edit.make({ op: 'Identity', inputs: [value], outputs: w.maker.outputs })]);
      latents.push({ weight: w, value, log: undefined });
      continue;
    }
    let scale = hold(lazyTensor(name('scale'), 'float', w.scaleDims, () => packNumbers('float', toNumbers(w.scale))));
    const learns = how.learnScales && w.maker.op === 'Mul' && uses.get(w.scale.name)?.length === 1;
    const log = learns ? name('log_scale') : undefined;
    if (log !== undefined) {
      // From one, not from zero: training takes exact zeros for pruned.
      edit.setInitializer(
        numbersTensor(log, 'float', w.scaleDims, new Float32Array(elementCount(w.scaleDims)).fill(1)),
      );
      const origin = hold(numbersTensor(name('one'), 'float', [], [1]));
      const by = hold(numbersTensor(name('pace'), 'float', [], [pace]));
      scale = one('Mul', [scale, one('Exp', [one('Mul', [one('Sub', [log, origin]), by])])]);
    }
    const bounds = [w.low, w.high].map((b) => hold(numbersTensor(name('bound'), 'float', [], [b])));
    const rounded = one('Round', [one('Clip', [one('Div', [value, scale]), ...bounds])]);
    one('Mul', [rounded, scale], w.maker.outputs[0]);
    edit.replace(w.maker.id, nodes);
    latents.push({ weight: w, value, log });
  }
  const latent: Model = { ...model, graph: edit.done() };
  const swept = new GraphEdit(latent.graph);
  swept.removeUnused();
  const done: Model = { ...latent, graph: swept.done() };
  const doneFacts = lazy(() => inferFacts(done));
  return {
    model: done,
    facts: doneFacts,
    layers: new Map(
      [...weights.values()]
        .filter((w) => w.role === 'weight')
        .flatMap((w) => w.ids.map((id) => [id, w.high - w.low + 1] as const)),
    ),
    parameters: (layers) => {
      const nodes = done.graph.nodes.filter((n) => layers.has(n.id));
      const names = nodes.flatMap((n) => [...trainableBehind(done.graph, doneFacts(), n).keys()]);
      return [...new Set(names)].filter((n) => !fixed.has(n));
    },
    seal: (trained) => sealed(model, trained, latents),
  };
}

/** Latent values rounded onto their grids, in the tensors of the model as it entered. */
function sealed(model: Model, trained: Model, latents: readonly Latent[]): Model {
  const learnt = new Map(trained.graph.initializers.map((t) => [t.name, t]));
  const edit = new GraphEdit(copyValues(trained, model).graph);
  for (const { weight: w, value, log } of latents) {
    const latent = learnt.get(value);
    if (latent === undefined) continue;
    const logs = log === undefined ? undefined : learnt.get(log);
    const scales = lazy(() => {
      const was = toNumbers(w.scale);
      const by = logs === undefined ? undefined : toNumbers(logs);
      return by === undefined ? was : was.map((s, k) => Math.fround(s * Math.exp(pace * ((by[k] ?? 1) - 1))));
    });
    if (logs !== undefined)
      edit.setInitializer(
        lazyTensor(w.scale.name, 'float', w.scale.dims, () => packNumbers('float', Float64Array.from(scales()))),
      );
    const integers = lazy(() => {
      const scaleOf = broadcast(w, Float64Array.from(scales()));
      return toNumbers(latent).map((x, k) => {
        const level = Math.min(w.high, Math.max(w.low, roundEven(Math.fround(x / scaleOf(k)))));
        return level + w.zero;
      });
    });
    for (const t of w.stored.write(integers)) edit.setInitializer(t);
  }
  return { ...model, graph: edit.done() };
}
