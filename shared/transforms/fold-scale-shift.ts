/** Owns foldScaleShift: Add, Sub and Mul by a constant per channel folded into the linear layer before (MatMul + Add is a Gemm). */
import { type Graph, type Model, type Node, opsetVersion } from '../ir/model.ts';
import { toNumbers } from '../ir/values.ts';
import { type ConstantValue, constantValue } from './constant-values.ts';
import { type Affine, type Candidate, type FoldOptions, foldIntoLayers } from './fold-into-layer.ts';
import type { Transformed } from './transform.ts';

const foldable = new Set(['Add', 'Sub', 'Mul']);

/** The constant as one number a channel, where it broadcasts so: a scalar, or size C along axis 1 of `rank` (S19: [1, N] too). */
function alongChannels(value: ConstantValue, channels: number, rank: number): (() => Float64Array) | undefined {
  const { dims } = value.tensor;
  if (dims.length > rank) return undefined;
  const padded = [...Array<number>(rank - dims.length).fill(1), ...dims];
  if (padded.some((d, axis) => d !== 1 && (axis !== 1 || d !== channels))) return undefined;
  return () => {
    const given = toNumbers(value.tensor);
    return Float64Array.from({ length: channels }, (_, c) => given[given.length === 1 ? 0 : c] ?? 0);
  };
}

function affineOf(op: string, value: ConstantValue, channels: number, rank: number | undefined): Affine | undefined {
  const numbers = rank === undefined ? undefined : alongChannels(value, channels, rank);
  if (numbers === undefined) return undefined;
  if (op === 'Mul') return { factor: numbers, uniform: value.uniform !== undefined };
  return { shift: op === 'Add' ? numbers : () => numbers().map((x) => -x), uniform: true };
}

function candidates(node: Node, graph: Graph): readonly Candidate[] {
  if (!foldable.has(node.op) || (node.domain !== '' && node.domain !== 'ai.onnx')) return [];
  const [a = '', b = ''] = node.inputs;
  // x - constant only: constant - x turns the sign of the weight.
  const sides =
    node.op === 'Sub'
      ? [[a, b]]
      : [
          [a, b],
          [b, a],
        ];
  return sides.flatMap(([data = '', constant = '']) => {
    const value = constantValue(graph, constant);
    if (value === undefined) return [];
    return [{ data, affine: (layer, rank) => affineOf(node.op, value, layer.channels, rank) } satisfies Candidate];
  });
}

/** Folds constant Add, Sub and Mul after Conv, ConvTranspose, Gemm and matrix MatMul, chains of them too. Opset 7 on. */
export function foldScaleShift(model: Model, options: FoldOptions = {}): Transformed {
  if ((opsetVersion(model) ?? 0) < 7) return { model, changes: [] };
  const changes: string[] = [];
  let now = model;
  for (;;) {
    const done = foldIntoLayers(now, options, candidates);
    if (done.changes.length === 0) return { model: now, changes };
    changes.push(...done.changes);
    now = done.model;
  }
}
