/** Owns ai.onnx.ml: trees, linear models and feature scaling as scikit-learn exports them. */
import { attr, attribute, attributeOf, intAttr, stringAttr } from '../ir/attribute.ts';
import type { ElementType } from '../ir/element-type.ts';
import type { Dim, Node, ValueType } from '../ir/model.ts';
import { fed, fedAs, ints } from './case-values.ts';
import { type Facts, type NodeContext, none, type Op, unknownFacts, type WorkRule } from './declare.ts';
import { numbersOf, sizeOf } from './fold.ts';
import { family, freezeAll, noQuantize, perOutput, tensorFacts, times } from './rule.ts';

const learnt = family({
  domain: 'ai.onnx.ml',
  parameters: {},
  work: perOutput('other'),
  gradient: none('classical models are fitted elsewhere'),
  channels: freezeAll('features of a classical model are fixed'),
  quantize: noQuantize,
});

const rows = (c: NodeContext): Dim => {
  const s = c.inputs[0]?.shape;
  if (!s) return null;
  return s.length < 2 ? 1 : (s[0] ?? null);
};
const listed = (node: Node, name: string): number => {
  const a = attribute(node, name);
  return a !== undefined && Array.isArray(a.value) ? a.value.length : 0;
};

const labelType = (c: NodeContext, strings: string): ElementType => (listed(c.node, strings) > 0 ? 'string' : 'int64');

/** Labels [N], scores [N, classes]; a binary model with one row of weights still gives two scores. */
const classified = (c: NodeContext, strings: string, numbers: string): readonly Facts[] => {
  const classes = listed(c.node, strings) || listed(c.node, numbers);
  const n = rows(c);
  return [tensorFacts(c, labelType(c, strings), [n]), tensorFacts(c, 'float', [n, classes || null])];
};

/** Inner products of N rows with `outputs` rows of coefficients. */
const linearWork: WorkRule = (c) => {
  const coefficients = attributeOf(c.node, 'coefficients', 'floats')?.length ?? 0;
  return { kernel: 'matmul', macs: times(rows(c), coefficients), otherOps: 0 };
};

const unknownWork: WorkRule = () => ({ kernel: 'other', macs: 0, otherOps: null });

const zipMap = (c: NodeContext): readonly Facts[] => {
  const key: ElementType = listed(c.node, 'classlabels_strings') > 0 ? 'string' : 'int64';
  const map: ValueType = { kind: 'map', key, value: { kind: 'tensor', elem: 'float', shape: [] } };
  return [{ ...unknownFacts, other: { kind: 'sequence', elem: map } }];
};

const like =
  (elem: ElementType | null) =>
  (c: NodeContext): readonly Facts[] => [tensorFacts(c, elem ?? c.inputs[0]?.elem ?? null, c.inputs[0]?.shape ?? null)];

const extract = (c: NodeContext): readonly Facts[] => {
  const [x, indices] = c.inputs;
  const s = x?.shape;
  const picked = sizeOf(indices?.shape);
  const shape = !s ? null : s.length === 1 ? [1, picked] : [...s.slice(0, -1), picked];
  const at = numbersOf(indices);
  const content = s?.length === 1 && at && x?.content ? at.map((i) => x.content?.[i] ?? null) : undefined;
  return [tensorFacts(c, x?.elem ?? null, shape, content)];
};

const encoderType = (node: Node): ElementType | null => {
  const named = node.attributes.find((a) => a.name.startsWith('values_') || a.name === 'default_string');
  if (attribute(node, 'values_int64s')) return 'int64';
  if (attribute(node, 'values_floats')) return 'float';
  if (attribute(node, 'values_strings')) return 'string';
  const tensor = attribute(node, 'values_tensor');
  if (tensor?.kind === 'tensor') return tensor.value.type;
  return named === undefined ? null : 'string';
};

const labelEncoder = (c: NodeContext): readonly Facts[] => {
  // LabelEncoder-1 maps strings to ints and back.
  const old = c.version < 2 ? (c.inputs[0]?.elem === 'string' ? 'int64' : 'string') : encoderType(c.node);
  return [tensorFacts(c, old, c.inputs[0]?.shape ?? null)];
};

const oneHot = (c: NodeContext): readonly Facts[] => {
  const n = listed(c.node, 'cats_int64s') || listed(c.node, 'cats_strings');
  const s = c.inputs[0]?.shape;
  return [tensorFacts(c, 'float', s ? [...s, n] : null)];
};

const vectorize = (c: NodeContext): readonly Facts[] => {
  const widths = attributeOf(c.node, 'inputdimensions', 'ints')?.map(Number) ?? [];
  return [tensorFacts(c, 'float', [rows(c), widths.reduce((a, b) => a + b, 0) || null])];
};

const noTensor = 'its result is not a tensor';
const oneTree: Op['cases'][number]['attributes'] = [
  attr.ints('nodes_treeids', [0, 0, 0]),
  attr.ints('nodes_nodeids', [0, 1, 2]),
  attr.ints('nodes_featureids', [0, 0, 0]),
  attr.floats('nodes_values', [0.5, 0, 0]),
  attr.ints('nodes_truenodeids', [1, 0, 0]),
  attr.ints('nodes_falsenodeids', [2, 0, 0]),
  { name: 'nodes_modes', kind: 'strings', value: ['BRANCH_LEQ', 'LEAF', 'LEAF'].map(ascii) },
];
function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (ch) => ch.charCodeAt(0));
}

export const classicalOps: readonly Op[] = [
  learnt('LinearClassifier', [1], (c) => classified(c, 'classlabels_strings', 'classlabels_ints'), {
    work: linearWork,
    cases: [
      {
        name: 'three classes',
        attributes: [
          attr.floats('coefficients', [1, 2, 3, 4, 5, 6]),
          attr.floats('intercepts', [0, 0, 0]),
          attr.ints('classlabels_ints', [0, 1, 2]),
        ],
        inputs: [fed(4, 2)],
        outputs: 2,
        macs: 24,
      },
    ],
  }),
  learnt('LinearRegressor', [1], (c) => [tensorFacts(c, 'float', [rows(c), intAttr(c.node, 'targets', 1)])], {
    work: linearWork,
    cases: [
      {
        name: 'two targets',
        attributes: [attr.floats('coefficients', [1, 2, 3, 4, 5, 6]), attr.int('targets', 2)],
        inputs: [fed(4, 3)],
        macs: 24,
      },
    ],
  }),
  learnt('TreeEnsembleClassifier', [1, 3, 5], (c) => classified(c, 'classlabels_strings', 'classlabels_int64s'), {
    work: unknownWork,
    cases: [
      {
        name: 'one split',
        attributes: [
          ...oneTree,
          attr.ints('class_treeids', [0, 0]),
          attr.ints('class_nodeids', [1, 2]),
          attr.ints('class_ids', [0, 1]),
          attr.floats('class_weights', [1, 1]),
          attr.ints('classlabels_int64s', [0, 1]),
        ],
        inputs: [fed(4, 2)],
        outputs: 2,
      },
    ],
  }),
  learnt(
    'TreeEnsembleRegressor',
    [1, 3, 5],
    (c) => [tensorFacts(c, 'float', [rows(c), intAttr(c.node, 'n_targets', 1)])],
    {
      work: unknownWork,
      cases: [
        {
          name: 'one split',
          attributes: [
            ...oneTree,
            attr.ints('target_treeids', [0, 0]),
            attr.ints('target_nodeids', [1, 2]),
            attr.ints('target_ids', [0, 0]),
            attr.floats('target_weights', [1, 2]),
            attr.int('n_targets', 1),
          ],
          inputs: [fed(4, 2)],
        },
      ],
    },
  ),
  learnt(
    'TreeEnsemble',
    [5],
    (c) => [tensorFacts(c, c.inputs[0]?.elem ?? null, [rows(c), intAttr(c.node, 'n_targets') ?? null])],
    {
      work: unknownWork,
      cases: [
        {
          name: 'targets',
          attributes: [attr.int('n_targets', 3)],
          inputs: [fed(4, 2)],
          norun: 'shape only',
          shapes: [[4, 3]],
        },
      ],
    },
  ),
  learnt('SVMClassifier', [1], (c) => classified(c, 'classlabels_strings', 'classlabels_ints'), {
    work: unknownWork,
    cases: [
      {
        name: 'labels',
        attributes: [attr.ints('classlabels_ints', [0, 1, 2])],
        inputs: [fed(4, 2)],
        outputs: 2,
        norun: 'shape only',
        shapes: [[4], [4, 3]],
      },
    ],
  }),
  learnt('SVMRegressor', [1], (c) => [tensorFacts(c, 'float', [rows(c), 1])], {
    work: unknownWork,
    cases: [{ name: 'one value', inputs: [fed(4, 2)], norun: 'shape only', shapes: [[4, 1]] }],
  }),
  learnt('Normalizer', [1], like('float'), {
    work: perOutput('other', 2),
    cases: [{ name: 'maximum', inputs: [fed(2, 3)] }],
  }),
  learnt('Scaler', [1], like('float'), {
    work: perOutput('elementwise', 2),
    cases: [
      {
        name: 'per feature',
        attributes: [attr.floats('offset', [0, 1, 2]), attr.floats('scale', [1, 2, 3])],
        inputs: [fed(2, 3)],
      },
    ],
  }),
  learnt('Binarizer', [1], like(null), { cases: [{ name: 'at zero', inputs: [fed(2, 3)] }] }),
  learnt('Imputer', [1], like(null), {
    cases: [
      {
        name: 'per feature',
        attributes: [attr.floats('imputed_value_floats', [1, 2, 3]), attr.float('replaced_value_float', 0)],
        inputs: [fed(2, 3)],
      },
    ],
  }),
  learnt('ArrayFeatureExtractor', [1], extract, {
    cases: [
      { name: 'columns', inputs: [fed(2, 4), ints([0, 3])] },
      { name: 'of a vector', inputs: [fed(4), ints([2])] },
    ],
  }),
  learnt('ZipMap', [1], zipMap, {
    cases: [
      { name: 'numbers', attributes: [attr.ints('classlabels_int64s', [0, 1])], inputs: [fed(2, 2)], norun: noTensor },
    ],
  }),
  learnt('LabelEncoder', [1, 2, 4], labelEncoder, {
    cases: [
      {
        name: 'numbers to numbers',
        opset: 3,
        attributes: [attr.ints('keys_int64s', [0, 1]), attr.floats('values_floats', [0.5, 1.5])],
        inputs: [fedAs('int64', [3])],
      },
    ],
  }),
  learnt('OneHotEncoder', [1], oneHot, {
    cases: [
      { name: 'three', attributes: [attr.ints('cats_int64s', [0, 1, 2])], inputs: [fedAs('int64', [4], [0, 2])] },
    ],
  }),
  learnt('FeatureVectorizer', [1], vectorize, {
    cases: [{ name: 'two', attributes: [attr.ints('inputdimensions', [2, 3])], inputs: [fed(4, 2), fed(4, 3)] }],
  }),
  learnt(
    'CategoryMapper',
    [1],
    (c) => [tensorFacts(c, c.inputs[0]?.elem === 'string' ? 'int64' : 'string', c.inputs[0]?.shape ?? null)],
    {
      cases: [{ name: 'to strings', inputs: [fedAs('int64', [3])], norun: 'strings', shapes: [[3]] }],
    },
  ),
  learnt(
    'DictVectorizer',
    [1],
    (c) => {
      const words = listed(c.node, 'string_vocabulary') || listed(c.node, 'int64_vocabulary');
      return [tensorFacts(c, null, [1, words || null])];
    },
    {
      cases: [
        {
          name: 'vocabulary',
          attributes: [attr.ints('int64_vocabulary', [1, 2, 3])],
          inputs: [fed(1)],
          norun: 'takes a map',
          shapes: [[1, 3]],
        },
      ],
    },
  ),
  learnt('CastMap', [1], (c) => [tensorFacts(c, castMapType(c.node), [1, null])], {
    cases: [{ name: 'dense', inputs: [fed(1)], norun: 'takes a map' }],
  }),
];

function castMapType(node: Node): ElementType | null {
  const to = stringAttr(node, 'cast_to', 'TO_FLOAT');
  return to === 'TO_FLOAT' ? 'float' : to === 'TO_STRING' ? 'string' : to === 'TO_INT64' ? 'int64' : null;
}
