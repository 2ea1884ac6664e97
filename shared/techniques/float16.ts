/** Owns the technique float16: weights stored in 16- or 8-bit floats and cast back by a node that the runtime folds at load. */
import type { FieldValues } from '../base/fields.ts';
import { text } from '../base/text.ts';
import { attr } from '../ir/attribute.ts';
import { type ElementType, elementTypes } from '../ir/element-type.ts';
import { GraphEdit } from '../ir/graph-edit.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Node } from '../ir/model.ts';
import { lazyTensor } from '../ir/tensor.ts';
import { packNumbers, toNumbers } from '../ir/values.ts';
import type { Rewrite, StepContext, Taken, Technique } from './declare.ts';
import { type StoredFloat, storedFloats } from './stored-floats.ts';

/** Largest finite number of a type: a weight beyond it is clipped, never made infinite. */
const largest: Readonly<Record<string, number>> = { float16: 65504, bfloat16: 3.3895e38, float8e4m3fn: 448 };

/** Why a stored tensor is left as it is. */
function kept({ tensor, role }: StoredFloat): string | undefined {
  if (role === 'sparse') return 'its weight is stored sparse';
  return tensor.type === 'float' ? undefined : `its weight is ${tensor.type} already`;
}

/** The tensor in its small form, and the node that gives its old name back. */
function store(edit: GraphEdit, { name, tensor, constant }: StoredFloat, type: ElementType): void {
  const stored = edit.unique(`${name}_${type}`);
  const top = largest[type] ?? Number.POSITIVE_INFINITY;
  edit.setInitializer(
    lazyTensor(stored, type, tensor.dims, () =>
      packNumbers(
        type,
        toNumbers(tensor).map((x) => Math.min(top, Math.max(-top, x))),
      ),
    ),
  );
  const cast: Node = edit.make({
    op: 'Cast',
    name: `${name}_decoded`,
    inputs: [stored],
    outputs: [name],
    attributes: [attr.int('to', elementTypes.float.code)],
  });
  if (constant !== undefined) {
    edit.replace(constant.id, [cast]);
    return;
  }
  edit.removeInitializer(name);
  edit.prepend([cast]);
}

function rewrite(c: StepContext): Rewrite {
  const type = String(c.params.type) as ElementType;
  const edit = new GraphEdit(c.model.graph);
  const chosen = new Set(c.selected.map((n) => n.id));
  const done = new Set<string>();
  const layers: Taken[] = [];
  for (const node of graphIndex(c.model.graph).order) {
    if (!chosen.has(node.id)) continue;
    const weights = storedFloats(c.model.graph, c.facts, node);
    if (weights === undefined) continue;
    const small = weights.found.filter((f) => kept(f) === undefined);
    const [first] = weights.found;
    if (small.length === 0) {
      layers.push({ id: node.id, taken: false, reason: (first && kept(first)) ?? weights.reason });
      continue;
    }
    layers.push({ id: node.id, taken: true, what: `${type} weight, decoded at load` });
    for (const weight of small) {
      if (!done.has(weight.name)) store(edit, weight, type);
      done.add(weight.name);
    }
  }
  return { model: done.size === 0 ? c.model : { ...c.model, graph: edit.done() }, layers, notes: [] };
}

const neededOpset = ({ type }: FieldValues): number => (type === 'float16' ? 7 : type === 'bfloat16' ? 13 : 19);

export const float16: Technique = {
  id: 'float16',
  group: 'quantize',
  formula: 'x ≈ (−1)^sign · 2^(e − bias) · (1 + m / 2^p)',
  version: 1,
  title: text('16-bit floats', '16비트 실수'),
  summary: text(
    'Stores weights in 16- or 8-bit floats; the runtime reads them into 32-bit floats once, when it loads the model.',
    '가중치를 16비트나 8비트 실수로 저장합니다. 런타임이 모델을 불러올 때 한 번 32비트 실수로 읽습니다.',
  ),
  cites: [
    { title: 'Mixed Precision Training', authors: 'Micikevicius et al.', year: 2018, where: 'ICLR' },
    { title: 'FP8 Formats for Deep Learning', authors: 'Micikevicius et al.', year: 2022, where: 'arXiv:2209.05433' },
  ],
  params: {
    type: {
      kind: 'choice',
      label: text('Stored as', '저장 형식'),
      options: [
        { value: 'float16', label: text('float16 (11 bits of precision)', 'float16 (정밀도 11비트)') },
        { value: 'bfloat16', label: text('bfloat16 (8 bits, the range of float)', 'bfloat16 (8비트, float의 범위)') },
        { value: 'float8e4m3fn', label: text('float8 E4M3 (4 bits, up to 448)', 'float8 E4M3 (4비트, 448까지)') },
      ],
      default: 'float16',
    },
  },
  exactness: () => 'shape',
  needs: { opset: neededOpset },
  fits: (node, c) => {
    const weights = storedFloats(c.model.graph, c.facts, node);
    if (weights === undefined)
      return {
        fits: false,
        reason: text(`${node.op} has no stored weights`, `${node.op}에는 저장된 가중치가 없습니다`),
      };
    if (weights.found.some((f) => kept(f) === undefined)) return { fits: true };
    const [first] = weights.found;
    const why = (first && kept(first)) ?? weights.reason;
    return { fits: false, reason: text(why, `줄일 수 없음: ${why}`) };
  },
  rewrite,
  rewriteInside: rewrite,
  knobs: ['type'],
  promises: ['same-io', 'same-parameters', 'same-macs'],
  cases: [{ params: {} }, { params: { type: 'bfloat16' } }, { params: { type: 'float8e4m3fn' } }],
  explain: (p) =>
    p.type === 'float8e4m3fn'
      ? text(
          'The file is 4 times smaller. Speed and memory stay as in float: weights are decoded once, at load.',
          '파일이 4배 작아집니다. 가중치는 불러올 때 한 번 풀리므로 속도와 메모리는 float와 같습니다.',
        )
      : text(
          'The file is half as large. Speed and memory stay as in float: weights are decoded once, at load.',
          '파일이 절반이 됩니다. 가중치는 불러올 때 한 번 풀리므로 속도와 메모리는 float와 같습니다.',
        ),
  migrations: [],
};
