/** The committed coverage table is what the code gives, and convolutional nets are reached to 80 % of their MACs. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { faultLine, toFault } from '../base/fault.ts';
import { readModel } from '../onnx/read.ts';
import { corpusBytes, corpusEntries, corpusFolder } from './corpus.ts';
import { type Coverage, coverageHead, coverageOf, coverageRow } from './coverage.ts';

const path = resolve(import.meta.dirname, '../../docs/coverage.md');

function covered(file: string): Coverage | string {
  try {
    return coverageOf(readModel(corpusBytes(file)));
  } catch (thrown) {
    return faultLine(toFault(thrown).toData());
  }
}

describe.skipIf(corpusFolder === undefined)('coverage of the corpus', () => {
  const rows = corpusEntries.map((e) => ({ entry: e, coverage: covered(e.file) }));

  it('is the committed table', () => {
    const table = rows.map(({ entry, coverage }) =>
      coverageRow(entry.file, entry.ort_run.startsWith('ok') ? 'yes' : 'no', coverage),
    );
    const now = `${coverageHead}\n${table.join('\n')}\n`;
    if (process.env.BANTAM_WRITE === '1') {
      mkdirSync(resolve(path, '..'), { recursive: true });
      writeFileSync(path, now);
    }
    expect(readFileSync(path, 'utf8')).toBe(now);
  });

  /** Whole convolutional nets: the classifiers and full-size topologies that the runtime runs. */
  const nets = rows.filter(({ entry }) => /^(1-light|2-classifier)\//.test(entry.file) && (entry.ops?.Conv ?? 0) >= 2);
  it.each(nets.map(({ entry, coverage }) => [entry.file, coverage] as const))('%s is reached to 80 %%', (_, c) => {
    if (typeof c === 'string') throw new Error(c);
    // A net with an operator we do not know has no total to take a share of.
    if (c.notCounted.length > 0) return;
    expect(c.prune).toBeGreaterThanOrEqual(0.8);
    expect(c.quantize).toBeGreaterThanOrEqual(0.8);
  });
});
