/** Owns operators on strings and images as bytes: types and ranks; what they compute is not counted. */
import { attr, attribute, intAttr, stringAttr } from '../ir/attribute.ts';
import type { Attribute, Dim } from '../ir/model.ts';
import { fedAs } from './case-values.ts';
import { type NodeContext, none, type Op } from './declare.ts';
import { broadcastShapes } from './fold.ts';
import { family, freezeAll, moveWork, noQuantize, perOutput, tensorFacts } from './rule.ts';

const words = family({
  domain: '',
  parameters: {},
  work: moveWork,
  gradient: none('text has no slope'),
  channels: freezeAll('strings have no channels'),
  quantize: noQuantize,
});

const stringCase = (shape: readonly number[]) => fedAs('string', shape);

/** StringNormalizer drops stop words, so the last axis is unknown where some are given. */
const inferNormalizer = (c: NodeContext) => {
  const s = c.inputs[0]?.shape;
  const drops = attribute(c.node, 'stopwords') !== undefined;
  return [tensorFacts(c, 'string', s ? s.map((d, i): Dim => (drops && i === s.length - 1 ? null : d)) : null)];
};

const inferTfIdf = (c: NodeContext) => {
  const s = c.inputs[0]?.shape;
  const indexes = attribute(c.node, 'ngram_indexes');
  const width = indexes?.kind === 'ints' ? Math.max(-1, ...indexes.value.map(Number)) + 1 : null;
  return [tensorFacts(c, 'float', s ? [...s.slice(0, -1), width] : null)];
};

const tfIdf: readonly Attribute[] = [
  attr.string('mode', 'TF'),
  attr.int('min_gram_length', 1),
  attr.int('max_gram_length', 1),
  attr.int('max_skip_count', 0),
  attr.ints('ngram_counts', [0]),
  attr.ints('ngram_indexes', [0, 1, 2]),
  attr.ints('pool_int64s', [2, 3, 5]),
];

export const textOps: readonly Op[] = [
  words('StringNormalizer', [10], inferNormalizer, {
    cases: [
      {
        name: 'lower',
        attributes: [attr.string('case_change_action', 'LOWER')],
        inputs: [stringCase([3])],
        norun: 'wants a locale of the machine',
        shapes: [[3]],
      },
    ],
  }),
  words('TfIdfVectorizer', [9], inferTfIdf, {
    cases: [{ name: 'single words', attributes: tfIdf, inputs: [fedAs('int64', [2, 4], [0, 6])] }],
  }),
  words('StringConcat', [20], (c) => [tensorFacts(c, 'string', broadcastShapes(c.inputs.map((i) => i?.shape)))], {
    cases: [{ name: 'broadcast', opset: 20, inputs: [stringCase([2, 3]), stringCase([3])] }],
  }),
  words(
    'StringSplit',
    [20],
    (c) => {
      const s = c.inputs[0]?.shape;
      return [tensorFacts(c, 'string', s ? [...s, null] : null), tensorFacts(c, 'int64', s ?? null)];
    },
    { cases: [{ name: 'by spaces', opset: 20, inputs: [stringCase([3])], outputs: 2 }] },
  ),
  words('RegexFullMatch', [20], (c) => [tensorFacts(c, 'bool', c.inputs[0]?.shape ?? null)], {
    cases: [{ name: 'letters', opset: 20, attributes: [attr.string('pattern', 's.*')], inputs: [stringCase([3])] }],
  }),
  words(
    'ImageDecoder',
    [20],
    (c) => [tensorFacts(c, 'uint8', [null, null, stringAttr(c.node, 'pixel_format', 'RGB') === 'Grayscale' ? 1 : 3])],
    { cases: [{ name: 'colour', opset: 20, inputs: [fedAs('uint8', [9])], norun: 'wants an image' }] },
  ),
  words(
    'MurmurHash3',
    [1],
    (c) => [tensorFacts(c, intAttr(c.node, 'positive', 1) === 1 ? 'uint32' : 'int32', c.inputs[0]?.shape ?? null)],
    {
      domain: 'com.microsoft',
      work: perOutput('other'),
      cases: [{ name: 'of ints', inputs: [fedAs('int32', [3])] }],
    },
  ),
  words(
    'Tokenizer',
    [1],
    (c) => {
      const s = c.inputs[0]?.shape;
      return [tensorFacts(c, 'string', s ? [...s, null] : null)];
    },
    { domain: 'com.microsoft', cases: [{ name: 'rank', inputs: [stringCase([3])], norun: 'wants separators' }] },
  ),
];
