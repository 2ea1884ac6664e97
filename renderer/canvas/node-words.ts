/** Owns the words on a drawn node: 'Conv 3×3 · BatchNorm · Relu' and '64 → 128 · stride 2'. */
import { attribute, intAttr, intsAttr } from '#shared/ir/attribute.ts';
import type { GraphIndex } from '#shared/ir/graph-index.ts';
import type { Node } from '#shared/ir/model.ts';

const short: Readonly<Record<string, string>> = {
  BatchNormalization: 'BatchNorm',
  InstanceNormalization: 'InstanceNorm',
  LayerNormalization: 'LayerNorm',
  GroupNormalization: 'GroupNorm',
  GlobalAveragePool: 'Global average',
  GlobalMaxPool: 'Global max',
  QuantizeLinear: 'Quantize',
  DequantizeLinear: 'Dequantize',
  DynamicQuantizeLinear: 'Quantize (dynamic)',
};
const opWord = (op: string): string => short[op] ?? op;

/** Values of a small int64 constant: the shape that ConstantOfShape is asked for. */
function smallInts(index: GraphIndex, name: string): readonly number[] | undefined {
  const tensor = index.initializer.get(name);
  if (tensor?.type !== 'int64' || tensor.dims.length !== 1) return undefined;
  return safely(() => [...new BigInt64Array(tensor.bytes().slice().buffer)].map(Number));
}

/** Dims of a weight, looked up through at most a few view-like nodes. */
function weightDims(node: Node, index: GraphIndex): readonly number[] | undefined {
  let name = node.inputs[1] ?? '';
  for (let hops = 0; hops < 6; hops++) {
    const tensor = index.initializer.get(name);
    if (tensor !== undefined) return tensor.dims;
    const maker = index.producer.get(name);
    if (maker === undefined) return undefined;
    if (maker.op === 'ConstantOfShape') return smallInts(index, maker.inputs[0] ?? '');
    const value = attribute(maker, 'value');
    if (value?.kind === 'tensor' && maker.op === 'Constant') return value.value.dims;
    if (!['DequantizeLinear', 'Cast', 'Mul', 'QuantizeLinear', 'Identity'].includes(maker.op)) return undefined;
    name = maker.inputs[0] ?? '';
  }
  return undefined;
}

function safely<T>(read: () => T | undefined): T | undefined {
  try {
    return read();
  } catch {
    return undefined; // an attribute of the wrong kind: the words are only decoration
  }
}

function kernel(node: Node, index: GraphIndex): readonly number[] | undefined {
  const stated = safely(() => intsAttr(node, 'kernel_shape'));
  return stated ?? (node.op.includes('Conv') ? weightDims(node, index)?.slice(2) : undefined);
}

/** Title of a fold: main operator with its kernel, then the parts. */
export function titleOf(parts: readonly Node[], index: GraphIndex): string {
  const [main, ...rest] = parts;
  if (main === undefined) return '';
  const size = kernel(main, index);
  const group = safely(() => intAttr(main, 'group', 1)) ?? 1;
  const dims = group > 1 ? weightDims(main, index) : undefined;
  const depthwise = main.op === 'Conv' && group > 1 && dims?.[1] === 1;
  const head = `${depthwise ? 'Depthwise' : opWord(main.op)}${size === undefined || size.length === 0 ? '' : ` ${size.join('×')}`}`;
  return [head, ...rest.map((n) => opWord(n.op))].join(' · ');
}

/** Second line: channels and what else shapes the layer; the domain for foreign operators. */
export function detailOf(main: Node, index: GraphIndex): string {
  const dims = weightDims(main, index);
  const words: string[] = [];
  const group = safely(() => intAttr(main, 'group', 1)) ?? 1;
  if (dims !== undefined && dims.length >= 2) {
    const [a = 0, b = 0] = dims;
    if (main.op === 'Conv') words.push(`${b * group} → ${a}`);
    else if (main.op === 'ConvTranspose') words.push(`${a} → ${b * group}`);
    else if (main.op === 'Gemm')
      words.push(safely(() => intAttr(main, 'transB', 0)) === 1 ? `${b} → ${a}` : `${a} → ${b}`);
    else if (main.op === 'MatMul') words.push(`${dims.at(-2)} → ${dims.at(-1)}`);
  }
  if (main.op === 'Conv' && group > 1 && dims?.[1] !== 1) words.push(`${group} groups`);
  const strides = safely(() => intsAttr(main, 'strides'));
  if (strides?.some((s) => s !== 1)) words.push(`stride ${[...new Set(strides)].join('×')}`);
  if (main.op === 'Concat' || main.op === 'Softmax') {
    const axis = safely(() => intAttr(main, 'axis'));
    if (axis !== undefined) words.push(`axis ${axis}`);
  }
  if (main.op === 'Transpose') words.push(safely(() => intsAttr(main, 'perm'))?.join(' ') ?? '');
  if (main.domain !== '' && main.domain !== 'ai.onnx') words.push(main.domain);
  const said = words.filter((w) => w !== '').join(' · ');
  return said !== '' ? said : main.name.length > 34 ? `…${main.name.slice(-33)}` : main.name;
}
