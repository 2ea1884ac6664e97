/** Where a preprocessing comes from: what was asked, the card beside the model, then trying; each said. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { neverCancelled } from '#shared/base/cancel.ts';
import { writeModel } from '#shared/onnx/write.ts';
import { bars } from '#shared/testing/bars.ts';
import { model, node, randomTensor, value } from '#shared/testing/build.ts';
import { presetOf } from '#shared/training/preprocess.ts';
import { nodeRuntime } from '../runtime/node-runtime.ts';
import { preprocessFor, subjectAt } from './work-parts.ts';

const folder = mkdtempSync(join(tmpdir(), 'bantam-card-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);

const net = model({
  nodes: [node('Flatten', ['x'], ['f']), node('Gemm', ['f', 'w', 'b'], ['y'])],
  inputs: [value('x', ['N', 1, 6, 6])],
  outputs: [value('y', ['N', 6])],
  initializers: [randomTensor('w', [36, 6]), randomTensor('b', [6])],
});
writeFileSync(at('net.onnx'), writeModel(net));
const own = { scale: 100, mean: [0.25], std: [2], invert: true };

async function taken(file: string, asked?: Parameters<typeof preprocessFor>[3]) {
  const log: string[] = [];
  const report = {
    progress: () => {},
    log: (line: string) => void log.push(line),
    training: () => {},
    curve: () => {},
  };
  const parts = { runtime: nodeRuntime(1), cancel: neverCancelled, report };
  return { preprocess: await preprocessFor(parts, subjectAt(at(file)), bars(), asked), said: log.join('; ') };
}

it('takes the card before it tries any, what was asked before the card, and tries for auto', async () => {
  copyFileSync(at('net.onnx'), at('carded.onnx'));
  writeFileSync(at('carded.json'), JSON.stringify({ title: 'any', preprocess: own }));
  const carded = await taken('carded.onnx');
  expect(carded.preprocess).toMatchObject(own);
  expect(carded.said).toMatch(/^preprocessing of the card .*carded\.json taken$/);
  expect(await taken('carded.onnx', presetOf('unit'))).toEqual({ preprocess: presetOf('unit'), said: '' });
  const tried = await taken('carded.onnx', 'auto');
  expect(tried.preprocess).not.toMatchObject(own);
  expect(tried.said).toContain('best of the common ones');
  expect(await taken('net.onnx')).toEqual(tried);
});

it.each([
  ['no JSON', '[1, 2', /^preprocessing ".*" taken: best/],
  ['no card', '[1, 2]', /^preprocessing ".*" taken: best/],
  ['a card without one', '{"title": "any"}', /^preprocessing ".*" taken: best/],
  [
    'one that is not understood',
    '{"preprocess": "imagenet"}',
    /not understood: passed over; preprocessing ".*" taken: best/,
  ],
])('passes over %s', async (_, words, said) => {
  copyFileSync(at('net.onnx'), at('odd.onnx'));
  writeFileSync(at('odd.json'), words);
  expect((await taken('odd.onnx')).said).toMatch(said);
});
