/** Laws of prune-channels on one small net per family of coupling, and scenarios S01 to S07 and S21. */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { channelGroups } from '../analysis/channel-groups.ts';
import { inferFacts } from '../analysis/infer-facts.ts';
import { measureFigures } from '../analysis/measure-figures.ts';
import { fieldDefaults } from '../base/fields.ts';
import { intAttr } from '../ir/attribute.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model } from '../ir/model.ts';
import { toNumbers } from '../ir/values.ts';
import { readModel } from '../onnx/read.ts';
import { writeModel } from '../onnx/write.ts';
import { previewRecipe } from '../recipes/preview.ts';
import { parseRecipe } from '../recipes/recipe.ts';
import { maxError, randomFeeds, runModel } from '../testing/feeds.ts';
import { checkLaw } from '../testing/laws.ts';
import { maskedModel } from '../testing/masked.ts';
import { depthwise, fire, leNetLike, nets, residual } from '../testing/nets.ts';
import { planChannels, pruneChannels } from './prune-channels.ts';

const runtime = nodeRuntime(1);
type Params = Readonly<Record<string, string | number | boolean>>;

const dimsOf = (model: Model, name: string): string =>
  graphIndex(model.graph).initializer.get(name)?.dims.join() ?? 'none';
const prune = (model: Model, params: Params, select: object = { all: true }): Model =>
  previewRecipe(model, parseRecipe({ bantam: 1, steps: [{ technique: 'prune-channels', select, params }] })).model;

describe.each(Object.entries(nets))('prune-channels on %s', (_, make) => {
  const model = make();
  it.each([{ ratio: 0.3 }, { ratio: 0.5, criterion: 'l2' }, { ratio: 1 }, { ratio: 0.4, multipleOf: 4 }] as Params[])(
    'keeps the law with %o',
    async (params) => {
      const law = await checkLaw('prune-channels', model, params, { runtime });
      expect(law.broken).toEqual([]);
      expect(law.layersTaken).toBeGreaterThan(0);
    },
  );

  it('equals the model with those channels masked', async () => {
    const facts = inferFacts(model);
    const context = {
      model,
      facts,
      selected: model.graph.nodes,
      params: { ...fieldDefaults(pruneChannels.params), ratio: 0.4 },
      seed: 1,
      ranges: () => ({ min: 0, max: 0 }),
    };
    const { removals } = planChannels(context);
    expect(removals.some((r) => r.count > 0)).toBe(true);
    const masked = maskedModel(model, facts, removals);
    if (masked === undefined) throw new Error('this net can be masked');
    const feeds = randomFeeds(model);
    const pruned = pruneChannels.rewrite(context).model;
    const [a, b, whole] = [
      await runModel(runtime, masked, feeds),
      await runModel(runtime, pruned, feeds),
      await runModel(runtime, model, feeds),
    ];
    expect(maxError(a, b)).toBeLessThan(1e-5);
    expect(maxError(whole, b)).toBeGreaterThan(1e-4);
  });

  it('counts live as the written file does, after every move of the slider (S07)', () => {
    for (const ratio of [0.1, 0.6, 0.2]) {
      const pruned = prune(model, { ratio });
      const fresh = measureFigures(readModel(writeModel(pruned)));
      expect(measureFigures(pruned)).toEqual(fresh);
    }
  });
});

describe('scenarios', () => {
  it('S01: one channel stays, and the limit is explained', () => {
    const preview = previewRecipe(
      leNetLike(),
      parseRecipe({ bantam: 1, steps: [{ technique: 'prune-channels', params: { ratio: 1 } }] }),
    );
    expect(dimsOf(preview.model, 'c1.w')).toBe('1,3,3,3');
    expect(dimsOf(preview.model, 'c2.w')).toBe('1,1,3,3');
    expect(preview.steps[0]?.notes.map((n) => n.en).join()).toContain('At least one channel stays');
    let model = leNetLike();
    for (let i = 0; i < 4; i++) model = prune(model, { ratio: 0.5 });
    expect(dimsOf(model, 'c1.w')).toBe('1,3,3,3');
  });

  it('S02: group attribute, depthwise weight, norm and projection all follow', async () => {
    const law = await checkLaw('prune-channels', depthwise(), { count: 5 }, { runtime, select: { names: ['expand'] } });
    expect(law.broken).toEqual([]);
    expect(dimsOf(law.model, 'expand.w')).toBe('22,3,1,1');
    expect(dimsOf(law.model, 'dw.w')).toBe('22,1,3,3');
    expect(dimsOf(law.model, 'bn.var')).toBe('22');
    expect(dimsOf(law.model, 'project.w')).toBe('8,22,1,1');
    const dw = law.model.graph.nodes.find((n) => n.id === 'dw');
    expect(dw === undefined ? 0 : intAttr(dw, 'group')).toBe(22);
  });

  it('S03: Flatten takes H x W columns a channel', () => {
    const model = prune(leNetLike(), { count: 3 }, { names: ['c2'] });
    expect(dimsOf(model, 'f1.w')).toBe('20,36');
  });

  it('S04: layers tied by an Add lose their share once', () => {
    const model = prune(residual(), { ratio: 0.3 });
    expect(dimsOf(model, 'stem.w')).toBe('11,3,3,3');
    expect(dimsOf(model, 'a2.w')).toBe('11,6,3,3');
    const groups = channelGroups(residual(), inferFacts(residual())).groups;
    const sum = groups.find((g) => g.id === 'stem');
    expect(sum?.makers.map((m) => m.node.id)).toEqual(['stem', 'a2']);
    expect(sum?.members().find((m) => m.node === 'suma')?.reason).toBe('the Add that joins 2 branches');
  });

  it('S05: consumer columns behind a Concat are shifted by the width of what stands before', () => {
    const whole = fire();
    const model = prune(whole, { count: 12 - 5 }, { names: ['e3'] });
    expect(dimsOf(model, 'out.w')).toBe('4,15,3,3');
    const before = graphIndex(whole.graph).initializer.get('out.w');
    const after = graphIndex(model.graph).initializer.get('out.w');
    if (before === undefined || after === undefined) throw new Error('no weight');
    // The first branch's ten columns are untouched.
    expect(Array.from(toNumbers(after).slice(0, 90))).toEqual(Array.from(toNumbers(before).slice(0, 90)));
    const group = channelGroups(whole, inferFacts(whole)).groups.find((g) => g.id === 'e3');
    expect(group?.members().find((m) => m.role === 'concatenates')?.reason).toBe('Concat at 10');
  });

  it('S06: prune, write, open, prune again, write, open: shapes agree throughout', async () => {
    const first = await checkLaw('prune-channels', residual(), { ratio: 0.3 }, { runtime });
    const second = await checkLaw('prune-channels', readModel(first.bytes), { ratio: 0.3 }, { runtime });
    expect([...first.broken, ...second.broken]).toEqual([]);
  });

  it('S21: the same step twice on one model gives the same, with unique names', () => {
    const model = leNetLike();
    const [a, b] = [prune(model, { ratio: 0.3 }), prune(model, { ratio: 0.3 })];
    expect(writeModel(a)).toEqual(writeModel(b));
    const ids = prune(a, { ratio: 0.3 }).graph.nodes.map((n) => n.id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('says why the last layer cannot lose channels', () => {
    const preview = previewRecipe(
      leNetLike(),
      parseRecipe({ bantam: 1, steps: [{ technique: 'prune-channels', params: {} }] }),
    );
    const last = preview.steps[0]?.layers.find((l) => l.id === 'y');
    expect(last).toMatchObject({ taken: false, reason: { en: 'graph output (y)', ko: '그래프의 출력 (y)' } });
  });

  it('faults where nothing selected fits, naming the step', () => {
    expect(() => prune(leNetLike(), {}, { names: ['y'] })).toThrow('step 1 (prune-channels) fits nothing');
  });

  it('keeps multiples', () => {
    const model = prune(residual(), { ratio: 0.4, multipleOf: 8 });
    expect(dimsOf(model, 'stem.w')).toBe('8,3,3,3');
    expect(dimsOf(model, 'b2.w').split(',')[0]).toBe('16');
  });
});
