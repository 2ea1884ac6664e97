/**
 * Owns where zeros may stand: anywhere; N of every M neighbours along the input channels (Mishra et al. 2021); whole blocks (Gray et
 * al. 2017). How many go follows from the shape, which ones from scores.
 */
import { intAttr } from '../ir/attribute.ts';
import { elementCount } from '../ir/element-type.ts';
import { keptByScores } from './magnitude.ts';
import type { Weight } from './prunable-weights.ts';

export type Pattern = 'free' | '2:4' | '1:4' | '1x4' | '4x4';

/** What one weight can lose under a pattern. */
export interface Sparsity {
  /** Elements that go at a share; that share is the pattern's own where it has one (N:M). */
  readonly removed: (ratio: number) => number;
  /** 1 stays: the weakest `removed` elements, as the pattern allows, are 0. Scores are not negative. */
  readonly mask: (scores: Float32Array, removed: number) => Uint8Array;
}

interface Layout {
  /** Axis of the weight along which a layer's inputs lie, and the one of its outputs. */
  readonly input: number;
  readonly output: number;
}

function layoutOf({ reader, tensor }: Weight): Layout | undefined {
  const rank = tensor.dims.length;
  switch (reader?.op) {
    case 'Conv':
      return rank >= 3 ? { input: 1, output: 0 } : undefined;
    case 'ConvTranspose':
      return rank >= 3 ? { input: 0, output: 1 } : undefined;
    case 'Gemm':
      return intAttr(reader, 'transB', 0) === 1 ? { input: 1, output: 0 } : { input: 0, output: 1 };
    case 'MatMul':
      return rank === 2 && reader.inputs[1] === tensor.name ? { input: 0, output: 1 } : undefined;
    default:
      return undefined;
  }
}

const free = (count: number): Sparsity => ({ removed: (ratio) => Math.round(count * ratio), mask: keptByScores });

/** `keep` of every `of` neighbours along an axis stay; what is left over at its end stays whole. */
function neighbours(dims: readonly number[], axis: number, keep: number, of: number): Sparsity {
  const n = dims[axis] ?? 1;
  const inner = elementCount(dims.slice(axis + 1));
  const outer = elementCount(dims.slice(0, axis));
  const each = Math.floor(n / of);
  return {
    removed: () => outer * inner * each * (of - keep),
    mask: (scores) => {
      const out = new Uint8Array(scores.length).fill(1);
      const order = Array.from({ length: of }, (_, j) => j);
      for (let o = 0; o < outer; o++)
        for (let g = 0; g < each; g++)
          for (let i = 0; i < inner; i++) {
            const at = (j: number): number => (o * n + g * of + j) * inner + i;
            const sorted = [...order].sort((a, b) => (scores[at(a)] ?? 0) - (scores[at(b)] ?? 0) || a - b);
            for (const j of sorted.slice(0, of - keep)) out[at(j)] = 0;
          }
      return out;
    },
  };
}

/** Blocks of rows x columns in the weight as a matrix [outputs, everything else]; edges that fill no block stay. */
function blocks(dims: readonly number[], output: number, rows: number, columns: number): Sparsity {
  const outputs = dims[output] ?? 1;
  const width = elementCount(dims) / Math.max(1, outputs);
  const inner = elementCount(dims.slice(output + 1));
  // Column c of row o: the output axis taken out of the flat index.
  const at = (o: number, c: number): number => (Math.floor(c / inner) * outputs + o) * inner + (c % inner);
  const [down, across] = [Math.floor(outputs / rows), Math.floor(width / columns)];
  const cells = (block: number, visit: (index: number) => void): void => {
    const [r, c] = [Math.floor(block / across) * rows, (block % across) * columns];
    for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) visit(at(r + i, c + j));
  };
  return {
    removed: (ratio) => Math.round(down * across * ratio) * rows * columns,
    mask: (scores, removed) => {
      const sums = Float32Array.from({ length: down * across }, (_, b) => {
        let sum = 0;
        cells(b, (k) => {
          sum += scores[k] ?? 0;
        });
        return sum;
      });
      const kept = keptByScores(sums, Math.round(removed / (rows * columns)));
      const out = new Uint8Array(scores.length).fill(1);
      kept.forEach((stays, b) => {
        if (stays === 0) cells(b, (k) => (out[k] = 0));
      });
      return out;
    },
  };
}

/** How this weight can be thinned, or why not under this pattern. */
export function sparsityOf(weight: Weight, pattern: Pattern): Sparsity | string {
  const { dims } = weight.tensor;
  if (pattern === 'free') return free(elementCount(dims));
  const layout = layoutOf(weight);
  if (layout === undefined) return 'a pattern needs a convolution or matrix product that reads its weight directly';
  switch (pattern) {
    case '2:4':
    case '1:4':
      if ((dims[layout.input] ?? 0) < 4) return 'it has fewer than 4 inputs to choose among';
      return neighbours(dims, layout.input, pattern === '2:4' ? 2 : 1, 4);
    case '1x4':
      return blocks(dims, layout.output, 1, 4);
    case '4x4':
      return blocks(dims, layout.output, 4, 4);
  }
}
