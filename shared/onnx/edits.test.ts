/** After edits: the predicted size is the written size, ids and values reach the screen, and scenarios of faults.json on format. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { GraphProtoSchema, ModelProtoSchema } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { Fault } from '../base/fault.ts';
import { type Rng, rng } from '../base/random.ts';
import { attr, intAttr, withAttribute } from '../ir/attribute.ts';
import { GraphEdit, sorted } from '../ir/graph-edit.ts';
import type { Attribute, Graph, Model } from '../ir/model.ts';
import { renameTensor } from '../ir/tensor.ts';
import { model, node, randomTensor, value } from '../testing/build.ts';
import { corpusBytes, corpusEntries } from '../testing/corpus.ts';
import { readModel } from './read.ts';
import { onnxFileBytes } from './size.ts';
import { readSkeleton, skeletonOf } from './skeleton.ts';
import { writeModel } from './write.ts';

const pick = <T>(random: Rng, items: readonly T[]): T | undefined => items[random.below(items.length)];

/** One small random edit, of the kinds that techniques make. */
function edited(m: Model, random: Rng, step: number): Model {
  const edit = new GraphEdit(m.graph);
  const at = pick(random, m.graph.nodes);
  switch (random.below(7)) {
    case 0:
      edit.setInitializer(randomTensor(edit.unique(`w_${'x'.repeat(random.below(200))}`), [random.below(70), 3], step));
      break;
    case 1:
      if (at) edit.insertBefore(at.id, [edit.make({ op: 'Identity', inputs: at.inputs, outputs: [edit.unique('t')] })]);
      break;
    case 2:
      if (at) edit.updateNodes(new Map([[at.id, withAttribute(at, 'axis', attr.int('axis', -random.below(9)))]]));
      break;
    case 3:
      if (at) edit.updateNodes(new Map([[at.id, { ...at, name: 'n'.repeat(random.below(300)), domain: 'a.b' }]]));
      break;
    case 4: {
      const t = pick(random, m.graph.initializers);
      if (t) edit.setInitializer(renameTensor(t, edit.unique(`${t.name}é한`)));
      break;
    }
    case 5: {
      const t = pick(random, m.graph.initializers);
      if (t) edit.setInitializer(randomTensor(t.name, [random.below(400)], step));
      break;
    }
    default:
      edit.setOutputs(
        m.graph.outputs.map((o) => ({ ...o, type: { kind: 'tensor', elem: 'float', shape: ['n', null, 7] } })),
      );
  }
  return { ...m, graph: edit.done() };
}

const constants = (): Model =>
  model({
    nodes: [
      node('Constant', [], ['c'], [attr.tensor('value', randomTensor('', [9, 40]))]),
      node('If', ['q'], ['y'], [attr.graph('then_branch', branch('a')), attr.graph('else_branch', branch('b'))]),
      node('Add', ['c', 'y'], ['z'], [], { name: 'twice' }),
      node('Add', ['c', 'y'], ['z2'], [], { name: 'twice' }),
    ],
    inputs: [value('q', [], 'bool')],
    outputs: [value('z', [9, 40]), value('z2', null)],
    initializers: [randomTensor('w', [40])],
  });

const branch = (name: string): Graph => ({
  name,
  nodes: [node('Identity', [`${name}_w`], [`${name}_y`])],
  initializers: [randomTensor(`${name}_w`, [9, 40])],
  sparseInitializers: [],
  inputs: [],
  outputs: [value(`${name}_y`, [9, 40])],
  valueInfos: [],
});

const sources = ['2-classifier/mnist-8-cntk.onnx', '5-edge/nested-if-loop-if-scan.onnx', '5-edge/all-dtypes.onnx'];

describe('sizes after random edits', () => {
  const models: [string, () => Model][] = [
    ['constants and branches', () => readModel(writeModel(constants()))],
    ...(corpusEntries.length > 0
      ? sources.map((f): [string, () => Model] => [f, () => readModel(corpusBytes(f))])
      : []),
  ];
  it.each(models)('%s', (_name, open) => {
    const start = open();
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 12 }), (seed, steps) => {
        const random = rng(seed);
        let m = start;
        for (let k = 0; k < steps; k++) m = edited(m, random, k);
        const written = writeModel(m);
        expect(written.length).toBe(onnxFileBytes(m));
        const screen = readSkeleton(skeletonOf(m));
        expect(onnxFileBytes(screen)).toBe(written.length);
        expect(screen.graph.nodes.map((n) => n.id)).toEqual(m.graph.nodes.map((n) => n.id));
        // protobuf's own reading and writing agrees with ours
        const proto = fromBinary(ModelProtoSchema, written);
        expect(Buffer.compare(toBinary(ModelProtoSchema, proto), written)).toBe(0);
      }),
      { seed: 5, numRuns: 40 },
    );
  });
  it('a Constant without elements takes no values', () => {
    const m = model({
      nodes: [node('Constant', [], ['y'], [attr.tensor('value', randomTensor('', [0, 4]))])],
      inputs: [],
      outputs: [value('y', [0, 4])],
    });
    expect(writeModel(m).length).toBe(onnxFileBytes(m));
    expect(onnxFileBytes(readSkeleton(skeletonOf(m)))).toBe(onnxFileBytes(m));
  });
  it('an attribute that changes its kind in place says so in the file', () => {
    const m = readModel(
      writeModel(
        model({
          nodes: [node('X', ['x'], ['y'], [attr.int('a', 1)])],
          inputs: [value('x', [1])],
          outputs: [value('y', [1])],
        }),
      ),
    );
    const n = m.graph.nodes[0]!;
    const changed = { ...n.attributes[0]!, kind: 'ints', value: [4n, -5n] } as Attribute;
    const next = { ...m, graph: { ...m.graph, nodes: [{ ...n, attributes: [changed] }] } };
    const back = readModel(writeModel(next)).graph.nodes[0]!.attributes[0]!;
    expect([back.kind, back.value]).toEqual(['ints', [4n, -5n]]);
  });
});

describe('scenarios', () => {
  it('S12: a batch set to 1 is the number 1, not a text', () => {
    const m = readModel(
      writeModel(
        model({ nodes: [node('Relu', ['x'], ['y'])], inputs: [value('x', ['N', 3])], outputs: [value('y', ['N', 3])] }),
      ),
    );
    const x = m.graph.inputs[0]!;
    const set = {
      ...m,
      graph: { ...m.graph, inputs: [{ ...x, type: { ...x.type, shape: [1, 3] } as typeof x.type }] },
    };
    const type = fromBinary(ModelProtoSchema, writeModel(set)).graph!.input[0]!.type!.value;
    expect(type.case === 'tensorType' && type.value.shape!.dim[0]!.value).toMatchObject({
      case: 'dimValue',
      value: 1n,
    });
  });
  it('S14: an initializer added to an IR 3 file is listed among the inputs, or the IR version is raised', () => {
    const m = model({
      nodes: [node('Mul', ['x', 's'], ['y'])],
      inputs: [value('x', [1])],
      outputs: [value('y', [1])],
      initializers: [randomTensor('s', [1])],
      irVersion: 3,
    });
    const back = readModel(writeModel(m));
    expect(back.irVersion >= 4 || back.graph.inputs.some((i) => i.name === 's')).toBe(true);
  });
  it('S15: unsorted nodes come back as they were, and sorted when asked', () => {
    const m = model({
      nodes: [node('Relu', ['h'], ['y']), node('Neg', ['x'], ['h'])],
      inputs: [value('x', [1])],
      outputs: [value('y', [1])],
    });
    const back = readModel(writeModel(m));
    expect(back.graph.nodes.map((n) => n.op)).toEqual(['Relu', 'Neg']);
    expect(sorted(back.graph).nodes.map((n) => n.op)).toEqual(['Neg', 'Relu']);
  });
  it('S26: integers keep their sign and all 64 bits', () => {
    const ints = [-1n, -2n, 0n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 32n, -(2n ** 31n)];
    const m = model({
      nodes: [node('X', ['x'], ['y'], [attr.ints('ends', ints), attr.int('axis', -1)])],
      inputs: [value('x', [1])],
      outputs: [value('y', [1])],
    });
    const n = readModel(writeModel(m)).graph.nodes[0]!;
    expect(n.attributes[0]!.value).toEqual(ints);
    expect(intAttr(n, 'axis')).toBe(-1);
  });
});

describe('hostile files', () => {
  const refused = (bytes: Uint8Array): Fault => {
    try {
      readModel(bytes);
    } catch (thrown) {
      if (thrown instanceof Fault) return thrown;
      throw thrown;
    }
    throw new Error('was read');
  };
  const tensor = (dims: readonly bigint[]): Uint8Array =>
    toBinary(
      ModelProtoSchema,
      create(ModelProtoSchema, {
        graph: create(GraphProtoSchema, { initializer: [{ name: 'w', dims: [...dims], dataType: 1 }] }),
      }),
    );
  it.each(['-1', `${2n ** 62n} ${2n ** 62n}`, `${2n ** 63n - 1n}`, `${2 ** 20} ${2 ** 20}`])(
    'a tensor of %s',
    (shape) => {
      const dims = shape.split(' ').map(BigInt);
      const fault = refused(tensor(dims));
      expect([fault.code, fault.where]).toEqual(['bad-file', expect.stringContaining('w')]);
    },
  );
  it('graphs nested 20,000 deep', () => {
    // GraphProto.node (1) > NodeProto.attribute (5) > AttributeProto.g (6), built from the inside out
    const parts: Uint8Array[] = [];
    let length = 0;
    const varint = (n: number): number[] => (n < 128 ? [n] : [(n % 128) | 128, ...varint(Math.floor(n / 128))]);
    for (let k = 0; k < 20_000; k++)
      for (const tag of [0x32, 0x2a, 0x0a]) {
        const head = Uint8Array.from([tag, ...varint(length)]);
        parts.push(head);
        length += head.length;
      }
    const file = Buffer.concat([Uint8Array.from([0x3a, ...varint(length)]), ...parts.reverse()]);
    expect(refused(new Uint8Array(file))).toMatchObject({
      code: 'bad-file',
      message: expect.stringContaining('nested'),
    });
  });
  it('every beginning of a file is a model or one fault, never anything else', () => {
    const whole = writeModel(constants());
    for (let n = 0; n < whole.length; n += 7)
      try {
        readModel(whole.slice(0, n));
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(Fault);
      }
  });
});
