/** Selection, the query language, the preview's memory and the run that follows it. */
import { describe, expect, it } from 'vitest';
import { inferFacts } from '../analysis/infer-facts.ts';
import { measureFigures } from '../analysis/measure-figures.ts';
import { cancelSource, neverCancelled } from '../base/cancel.ts';
import { Fault } from '../base/fault.ts';
import { type Model, opsetVersion } from '../ir/model.ts';
import { writeModel } from '../onnx/write.ts';
import { techniques } from '../techniques/index.ts';
import { model as build, node, value } from '../testing/build.ts';
import { depthwise, leNetLike, residual } from '../testing/nets.ts';
import { previewRecipe } from './preview.ts';
import { parseRecipe, type Select } from './recipe.ts';
import { runRecipe } from './run-recipe.ts';
import { selectNodes } from './select.ts';

const select = (model: Model, s: Select): string[] =>
  selectNodes(model, s, { facts: inferFacts(model), figures: () => measureFigures(model) }).map((n) => n.id);
const query = (q: string, model = leNetLike()): string[] => select(model, { query: q });

describe('select', () => {
  it('all, by operator, by name', () => {
    expect(select(leNetLike(), { all: true }).length).toBe(leNetLike().graph.nodes.length);
    expect(select(leNetLike(), { op: 'Conv' })).toEqual(['c1', 'c2']);
    expect(select(leNetLike(), { names: ['f1', 'c1'] })).toEqual(['c1', 'f1']);
  });
  it('names what is not there', () => {
    expect(() => select(leNetLike(), { names: ['c1', 'c9'] })).toThrow('no layer "c9"');
    expect(() => select(leNetLike(), { op: 'LSTM' })).toThrow('no operator "LSTM"');
  });
});

describe('query', () => {
  // MACs: c1 13,824 + c2 13,824 + f1 960 + y 100.
  it.each([
    ['conv', ['c1', 'c2']],
    ['op:Gemm', ['f1', 'y']],
    ['conv 3x3 over 1% of MACs', ['c1', 'c2']],
    ['macs > 1%', ['c1', 'c2', 'f1']],
    ['gemm and parameters < 900', ['y']],
    ['parameters >= 0.98k and linear', ['f1']],
    ['top 1 by parameters', ['f1']],
    ['name ~ "f"', ['flat', 'f1', 'f1.relu']],
    ['name = c2', ['c2']],
    ['conv not name = c1', ['c2']],
    ['(conv or gemm) under 1% of macs', ['y']],
    ['1x1', []],
  ])('%s', (q, ids) => {
    expect(query(q)).toEqual(ids);
  });
  it('knows kinds of convolution', () => {
    expect(query('depthwise', depthwise())).toEqual(['dw']);
    expect(query('conv pointwise', depthwise())).toEqual(['expand', 'project']);
  });
  it.each([
    ['conv 3x3 ovr 1%', '"ovr" is no operator and no term of a query (character 10'],
    ['macs > lots', 'expected an amount such as 1% or 10k, found "lots" (character 8'],
    ['(conv', 'never closed (character 1'],
    ['top five by macs', 'expected a whole number, found "five" (character 5'],
    ['conv and', 'expected a term at the end (character 9'],
    ['conv )', 'unexpected ")" (character 6'],
    ['conv !', 'cannot read "!" (character 6'],
  ])('%s: says where', (q, message) => {
    expect(() => query(q)).toThrow(message);
  });
});

const recipe = (...ratios: number[]) =>
  parseRecipe({
    bantam: 1,
    steps: ratios.map((ratio) => ({ technique: 'prune-channels', select: { op: 'Conv' }, params: { ratio } })),
  });

describe('preview', () => {
  it('does not redo the steps before a slider', () => {
    const model = residual();
    const a = previewRecipe(model, recipe(0.2, 0.2, 0.1));
    const b = previewRecipe(model, recipe(0.2, 0.2, 0.5));
    expect(b.steps[1]?.model).toBe(a.steps[1]?.model);
    expect(b.figures.macs).toBeLessThan(a.figures.macs ?? 0);
    expect(previewRecipe(model, recipe(0.2, 0.2, 0.1)).model).toBe(a.model);
  });
  it('skips steps that are off', () => {
    const on = recipe(0.2, 0.5);
    const off = { ...on, steps: on.steps.map((s, i) => (i === 0 ? { ...s, off: true } : s)) };
    const preview = previewRecipe(residual(), off);
    expect(preview.steps.map((s) => s.index)).toEqual([1]);
  });
  it('reads no weight', () => {
    const model = residual();
    const blind: Model = {
      ...model,
      graph: {
        ...model.graph,
        initializers: model.graph.initializers.map((t) => ({
          ...t,
          bytes: () => {
            throw new Fault('no-data', 'no weights here');
          },
        })),
      },
    };
    expect(previewRecipe(blind, recipe(0.3)).figures).toEqual(previewRecipe(model, recipe(0.3)).figures);
  });
  it('names the step that is wrong', () => {
    const bad = (step: object) => () => previewRecipe(residual(), parseRecipe({ bantam: 1, steps: [step] }));
    expect(bad({ technique: 'shrink' })).toThrow('no technique "shrink"');
    expect(bad({ technique: 'prune-channels', params: { ratio: 2 } })).toThrow();
    expect(bad({ technique: 'prune-channels', select: { op: 'Relu' } })).toThrow(
      'step 1 (prune-channels) fits nothing',
    );
  });
});

const nothingToDo = build({
  nodes: [node('Relu', ['x'], ['y'])],
  inputs: [value('x', [1, 4])],
  outputs: [value('y', [1, 4])],
});

describe('a step that fits nothing', () => {
  it.each(techniques.map((t) => [t.id, t] as const))('%s says why', (technique, { cases }) => {
    const params = cases[0]?.params ?? {};
    const attempt = (): unknown =>
      previewRecipe(nothingToDo, parseRecipe({ bantam: 1, steps: [{ technique, params }] }));
    let thrown: unknown;
    try {
      attempt();
    } catch (t) {
      thrown = t;
    }
    // Those that fit any model (set-batch, change-opset) have nothing to explain.
    if (thrown === undefined) return;
    expect(thrown).toBeInstanceOf(Fault);
    expect((thrown as Fault).hint ?? '').toMatch(/\w \w/);
  });
});

describe('run', () => {
  const host = { cancel: neverCancelled, progress: () => {}, log: () => {} };
  it('gives what the preview foretold', async () => {
    const steps = recipe(0.3, 0.2);
    const done = await runRecipe(residual(), steps, host);
    const preview = previewRecipe(residual(), steps);
    expect(done.steps.at(-1)?.figures).toEqual(preview.figures);
    expect(writeModel(done.model)).toEqual(writeModel(preview.model));
  });
  it('reports progress that only grows, and stops when asked', async () => {
    const shares: number[] = [];
    await runRecipe(residual(), recipe(0.3, 0.2), { ...host, progress: (s) => shares.push(s) });
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares.at(-1)).toBe(1);
    const source = cancelSource();
    source.cancel();
    await expect(runRecipe(residual(), recipe(0.3), { ...host, cancel: source.token })).rejects.toThrow('cancelled');
  });
});

describe('target', () => {
  const aimed = (opset: number, steps: readonly object[] = []) =>
    previewRecipe(leNetLike(), parseRecipe({ bantam: 1, target: { opset }, steps }));
  it('raises the result to its opset, also without steps', () => {
    const from = opsetVersion(leNetLike()) ?? 0;
    const to = from + 1;
    expect(aimed(to).figures.opset).toBe(to);
    expect(aimed(from).model.opsets).toEqual(leNetLike().opsets);
  });
  it('is never above the model silently, nor passed by a step', () => {
    const from = opsetVersion(leNetLike()) ?? 0;
    expect(() => aimed(from - 1)).toThrow(`the model has opset ${from}`);

    expect(() => aimed(from, [{ technique: 'quantize', params: { activationBits: 16 } }])).toThrow('needs opset 21');
  });
});
