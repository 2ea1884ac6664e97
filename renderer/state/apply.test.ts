import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { model } from '#shared/testing/build.ts';
import { applyChange } from './apply.ts';
import { type Change, stepKey } from './change.ts';
import { type DocumentState, emptyDocument, recipeOf } from './document.ts';

const step = (ratio: number) => ({ technique: 'prune-channels', select: { all: true as const }, params: { ratio } });
const run = (changes: readonly Change[], from: DocumentState = emptyDocument): DocumentState =>
  changes.reduce(applyChange, from);
const opened: Change = {
  type: 'opened',
  open: {
    modelId: 'm',
    name: 'm',
    fileBytes: 1,
    model: model({ nodes: [], inputs: [], outputs: [] }),
    skeleton: new Uint8Array(),
    serial: 1,
    askedAt: 0,
  },
};
const ratios = (d: DocumentState) => recipeOf(d.edit).steps.map((s) => s.params.ratio);

const edits: fc.Arbitrary<Change> = fc.oneof(
  fc
    .double({ min: 0, max: 1, noNaN: true })
    .map((r) => ({ type: 'step-added', key: stepKey(), step: step(r) }) as const),
  fc.nat(5).map((i) => ({ type: 'step-removed', key: `step-${i}` }) as const),
  fc.nat(5).map((i) => ({ type: 'step-toggled', key: `step-${i}` }) as const),
  fc.tuple(fc.nat(5), fc.nat(5)).map(([i, to]) => ({ type: 'step-moved', key: `step-${i}`, to }) as const),
  fc.array(fc.nat(9), { minLength: 1 }).map((dims) => ({ type: 'shape-set', input: 'x', dims }) as const),
);

describe('the document', () => {
  it('undoes every edit back to the start and redoes it to the end', () => {
    fc.assert(
      fc.property(fc.array(edits, { maxLength: 30 }), (changes) => {
        const start = applyChange(emptyDocument, opened);
        const end = run(changes, start);
        const undos = end.past.length;
        const back = run(Array(undos).fill({ type: 'undone' }), end);
        expect(back.edit).toEqual(start.edit);
        expect(run(Array(undos).fill({ type: 'redone' }), back).edit).toEqual(end.edit);
      }),
      { seed: 3 },
    );
  });

  it('makes one undo entry of a slider drag', () => {
    const added = run([opened, { type: 'step-added', key: 'k', step: step(0.1) }]);
    const drag = (r: number, gesture: string): Change => ({ type: 'step-edited', key: 'k', step: step(r), gesture });
    const d = run([drag(0.2, 'one'), drag(0.3, 'one'), drag(0.4, 'one'), drag(0.5, 'two')], added);
    expect(ratios(d)).toEqual([0.5]);
    const once = applyChange(d, { type: 'undone' });
    expect(ratios(once)).toEqual([0.4]);
    expect(ratios(applyChange(once, { type: 'undone' }))).toEqual([0.1]);
  });

  it('moves a step and keeps its key', () => {
    const d = run([
      opened,
      ...[1, 2, 3].map((r) => ({ type: 'step-added', key: `k${r}`, step: step(r / 10) }) as const),
    ]);
    const moved = applyChange(d, { type: 'step-moved', key: 'k3', to: 0 });
    expect(moved.edit.steps.map((s) => s.key)).toEqual(['k3', 'k1', 'k2']);
  });

  it('adds to, takes from and replaces the selection; a new model starts afresh', () => {
    const pick = (ids: string[], mode: 'add' | 'toggle' | 'replace'): Change => ({ type: 'selected', ids, mode });
    const d = run([opened, pick(['a'], 'replace'), pick(['b', 'c'], 'add'), pick(['a', 'b'], 'toggle')]);
    expect(d.selection).toEqual(['c']);
    expect(applyChange(d, opened).selection).toEqual([]);
  });

  it('forgets a focused step that an undo took away', () => {
    const d = run([opened, { type: 'step-added', key: 'k', step: step(0.1) }]);
    expect(d.focusedStep).toBe('k');
    expect(applyChange(d, { type: 'undone' }).focusedStep).toBeNull();
  });
});
