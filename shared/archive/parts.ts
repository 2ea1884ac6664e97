/** Owns partsOf: where in a file's bytes the values of its tensors stand. */
import { elementTypes } from '../ir/element-type.ts';
import type { Attribute, Graph, Model, Node } from '../ir/model.ts';
import type { SparseTensor, Tensor } from '../ir/tensor.ts';

export interface Part {
  readonly name: string;
  readonly type: Tensor['type'];
  readonly offset: number;
  readonly length: number;
  /** Bytes of one element; 1 where elements are bytes or parts of them. */
  readonly unit: number;
}

/** Below this a part's own head takes more than its coding saves. */
const smallest = 48;

const ofSparse = (s: SparseTensor): readonly Tensor[] => [s.values, s.indices];

function ofAttribute(a: Attribute, graphs: Graph[]): readonly Tensor[] {
  switch (a.kind) {
    case 'tensor':
      return [a.value];
    case 'tensors':
      return a.value;
    case 'sparseTensor':
      return ofSparse(a.value);
    case 'graph':
      graphs.push(a.value);
      return [];
    case 'graphs':
      graphs.push(...a.value);
      return [];
    default:
      return [];
  }
}

/** Every stored tensor of a model, those of subgraphs and functions too. */
export function storedTensors(model: Model): readonly Tensor[] {
  const found: Tensor[] = [];
  const graphs: Graph[] = [model.graph];
  const ofNodes = (nodes: readonly Node[]): void => {
    for (const n of nodes) for (const a of n.attributes) found.push(...ofAttribute(a, graphs));
  };
  for (const f of model.functions) ofNodes(f.nodes);
  for (let g = graphs.pop(); g !== undefined; g = graphs.pop()) {
    found.push(...g.initializers, ...g.sparseInitializers.flatMap(ofSparse));
    ofNodes(g.nodes);
  }
  return found;
}

/** The parts of `file` that are raw values of the model read from it, in order, none over another. */
export function partsOf(file: Uint8Array, model: Model): readonly Part[] {
  const parts = storedTensors(model).flatMap((t): readonly Part[] => {
    if (t.storage.kind !== 'raw') return [];
    const bytes = t.bytes();
    if (bytes.buffer !== file.buffer || bytes.length < smallest) return [];
    const offset = bytes.byteOffset - file.byteOffset;
    if (offset < 0 || offset + bytes.length > file.length) return [];
    const unit = Math.max(1, elementTypes[t.type].bits / 8);
    return [{ name: t.name, type: t.type, offset, length: bytes.length, unit: Number.isInteger(unit) ? unit : 1 }];
  });
  parts.sort((a, b) => a.offset - b.offset);
  let end = 0;
  return parts.filter((p) => {
    if (p.offset < end) return false;
    end = p.offset + p.length;
    return true;
  });
}
