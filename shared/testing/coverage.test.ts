/** The committed coverage table is what the code gives, and convolutional nets are reached to 80 % of their MACs. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openModelFile } from '../../electron/host/model-files.ts';
import { faultLine, toFault } from '../base/fault.ts';
import { corpusEntries, corpusFolder, corpusPath } from './corpus.ts';
import { type Coverage, coverageHead, coverageOf, coverageRow, namedShapes } from './coverage.ts';

const path = resolve(import.meta.dirname, '../../docs/coverage.md');

function covered(file: string): Coverage | string {
  try {
    return coverageOf(openModelFile(corpusPath(file)), namedShapes[file]);
  } catch (thrown) {
    return faultLine(toFault(thrown).toData());
  }
}

/** The first input's shape that was set, for the table. */
function shapeOf(file: string): string {
  const set = Object.entries(namedShapes[file]?.inputs ?? {}).at(-1);
  return set === undefined ? '' : ` (${set[0]}=${set[1].join()})`;
}

/** The formatter pads a table's columns; the words are what is held. */
const squeezed = (table: string): string => table.replace(/ +/g, ' ').replace(/-{3,}/g, '---');

describe.skipIf(corpusFolder === undefined)('coverage of the corpus', () => {
  const rows = corpusEntries.map((e) => ({ entry: e, coverage: covered(e.file) }));

  it('is the committed table', () => {
    const table = rows.map(({ entry, coverage }) =>
      coverageRow(`${entry.file}${shapeOf(entry.file)}`, entry.ort_run.startsWith('ok') ? 'yes' : 'no', coverage),
    );
    const now = `${coverageHead}\n${table.join('\n')}\n`;
    if (process.env.BANTAM_WRITE === '1') {
      mkdirSync(resolve(path, '..'), { recursive: true });
      writeFileSync(path, now);
    }
    expect(squeezed(readFileSync(path, 'utf8'))).toBe(squeezed(now));
  });

  /** Single blocks cut out of nets: their only channels are the graph's own outputs. And nets that are integer already. */
  const blocks =
    /^(5-edge\/|3-exporter\/resnet-basic-block|4-fusion|4-external|4-quant\/(conv-convtranspose|qdq-|.*int8|.*convinteger))/;
  /** Whole convolutional nets. */
  const nets = rows.filter(({ entry }) => !blocks.test(entry.file) && (entry.ops?.Conv ?? 0) >= 2);
  /** A third of its work is in LSTM cells, whose weights are made by slices and joined again. */
  const withCells: Readonly<Record<string, number>> = { '4-rnn/silero-vad-v5.onnx': 0.65 };
  it.each(nets.map(({ entry, coverage }) => [entry.file, coverage] as const))('%s is reached to 80 %%', (file, c) => {
    const least = withCells[file] ?? 0.8;
    if (typeof c === 'string') throw new Error(c);
    // A net with an operator we do not know has no total to take a share of.
    if (c.notCounted.length > 0) return;
    expect(c.prune).toBeGreaterThanOrEqual(least);
    expect(c.quantize).toBeGreaterThanOrEqual(least);
  });
});
