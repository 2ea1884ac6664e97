/** Which test files show which of the reported faults of other tools; a scenario that no test title names fails here. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { corpusFolder } from './corpus.ts';

const root = resolve(import.meta.dirname, '../..');

const prune = 'shared/techniques/prune-channels.test.ts';
const quantize = 'shared/techniques/quantize.test.ts';
const edits = 'shared/onnx/edits.test.ts';
const whole = 'shared/testing/fault-scenarios.test.ts';
const path = 'electron/jobs/whole-path.test.ts';
const figures = 'shared/analysis/measure-figures.test.ts';

/** Scenario -> the tests that hold it. */
const held: Readonly<Record<string, readonly string[]>> = {
  S01: [prune, whole],
  S02: [prune],
  S03: [prune],
  S04: [prune],
  S05: [prune],
  S06: [prune, path],
  S07: [prune, whole],
  S08: ['electron/jobs/profile-model.test.ts'],
  S09: ['shared/transforms/tidy.test.ts'],
  S10: ['shared/transforms/fold.test.ts'],
  S11: ['shared/transforms/fold.test.ts'],
  S12: [edits, path],
  S13: [path],
  S14: [edits, 'shared/transforms/convert-opset.test.ts', whole],
  S15: [edits, quantize, whole],
  S16: [quantize],
  S17: [quantize, whole],
  S18: [quantize],
  S19: [quantize, 'shared/transforms/fold.test.ts', whole],
  S20: [quantize, whole],
  S21: [prune, quantize],
  S22: [quantize, figures],
  S23: [figures, 'shared/ops/recurrent.test.ts'],
  S24: [figures, 'shared/ops/not-counted.test.ts'],
  S25: ['renderer/canvas/graph-view.test.ts', whole],
  S26: [edits, 'renderer/canvas/graph-view.test.ts', whole],
  S27: ['electron/host/model-files.test.ts'],
  S28: ['electron/runtime/session-memory.test.ts'],
  S29: ['shared/training/train-hooks.test.ts'],
  S30: ['shared/techniques/train-stored.test.ts'],
};

/** Ids in the titles of a test file: in text, not in comments. */
function titled(source: string): ReadonlySet<string> {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const titles = code.match(/(['"`])(?:(?!\1)[^\\\n]|\\.)*\1/g) ?? [];
  return new Set(titles.flatMap((t) => t.match(/\bS\d\d\b/g) ?? []));
}

const testFiles = ['shared', 'electron', 'renderer', 'e2e'].flatMap((side) =>
  existsSync(join(root, side))
    ? readdirSync(join(root, side), { recursive: true, encoding: 'utf8' })
        .filter((f) => /\.test\.tsx?$/.test(f))
        .map((f) => `${side}/${f.replaceAll('\\', '/')}`)
    : [],
);

describe('reported faults', () => {
  it.each(Object.entries(held))('%s is named by a test of each file that holds it', (id, files) => {
    for (const file of files) expect([...titled(readFileSync(join(root, file), 'utf8'))], file).toContain(id);
  });

  it('knows every test that names one', () => {
    const named = testFiles
      .filter((f) => f !== 'shared/testing/faults.test.ts')
      .flatMap((f) => [...titled(readFileSync(join(root, f), 'utf8'))].map((id) => `${id} ${f}`));
    const listed = Object.entries(held).flatMap(([id, files]) => files.map((f) => `${id} ${f}`));
    expect(named.filter((n) => !listed.includes(n))).toEqual([]);
  });

  it.skipIf(corpusFolder === undefined)('holds all that were reported', () => {
    const reported = JSON.parse(readFileSync(join(corpusFolder ?? '', 'faults.json'), 'utf8')) as { id: string }[];
    expect(reported.map((f) => f.id).filter((id) => held[id] === undefined)).toEqual([]);
  });
});
