/** S23: what a recurrent cell computes grows with its time steps. */
import { describe, expect, it } from 'vitest';
import { openModelFile } from '../../electron/host/model-files.ts';
import { measureFigures } from '../analysis/measure-figures.ts';
import { attr } from '../ir/attribute.ts';
import { model, node, randomTensor, value } from '../testing/build.ts';
import { corpusFolder, corpusPath } from '../testing/corpus.ts';

const hidden = 64;
const input = 40;
function lstm(steps: number, directions: 1 | 2 = 1) {
  return model({
    nodes: [
      node(
        'LSTM',
        ['x', 'w', 'r'],
        ['y'],
        [attr.int('hidden_size', hidden), attr.string('direction', directions === 2 ? 'bidirectional' : 'forward')],
      ),
    ],
    inputs: [value('x', [steps, 1, input])],
    outputs: [value('y', null)],
    initializers: [
      randomTensor('w', [directions, 4 * hidden, input]),
      randomTensor('r', [directions, 4 * hidden, hidden]),
    ],
  });
}

describe('S23: MACs of recurrent cells', () => {
  const once = 4 * hidden * (input + hidden);
  it('are those of one step, times the steps', () => {
    expect(measureFigures(lstm(1)).macs).toBe(once);
    expect(measureFigures(lstm(100)).macs).toBe(100 * once);
  });
  it('double in both directions', () => {
    expect(measureFigures(lstm(100, 2)).macs).toBe(200 * once);
  });
  it('count their weights once', () => {
    expect(measureFigures(lstm(100)).parameters).toBe(once);
  });
  it.skipIf(corpusFolder === undefined)(
    'scale with the steps of a real file, and are unknown before they are chosen',
    () => {
      const file = openModelFile(corpusPath('4-rnn/cntk-lstm-bidirectional.onnx'));
      const shape = file.graph.inputs[0];
      const dims = shape?.type.kind === 'tensor' ? (shape.type.shape ?? []) : [];
      const at = dims.findIndex((d) => typeof d !== 'number');
      expect(at).toBeGreaterThanOrEqual(0);
      const withSteps = (n: number) =>
        measureFigures(file, { inputs: { [shape?.name ?? '']: dims.map((d) => (typeof d === 'number' ? d : n)) } });
      const [one, ten] = [withSteps(1), withSteps(10)];
      const layers = (f: typeof one) => f.layers.filter((l) => l.op === 'LSTM').map((l) => l.macs);
      expect(layers(one).length).toBeGreaterThan(0);
      expect(layers(ten)).toEqual(layers(one).map((m) => 10 * (m ?? Number.NaN)));
    },
  );
});
