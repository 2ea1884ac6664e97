/** Every operator's cases against the runtime: shapes, types, folded contents; MACs against the hand count. */
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { inferFacts } from '../analysis/infer-facts.ts';
import { measureFigures } from '../analysis/measure-figures.ts';
import { writeModel } from '../onnx/write.ts';
import type { RunTensor } from '../ports/runtime.ts';
import { corpusEntries } from '../testing/corpus.ts';
import { buildCase } from '../testing/op-case.ts';
import type { Facts, Op, OpCase } from './declare.ts';
import { allOps, families } from './index.ts';

const runtime = nodeRuntime(1);
/** Operators whose output sizes depend on the data: an unknown dimension is the right answer. */
const dataDependent = new Set(['NonZero', 'Unique', 'NonMaxSuppression', 'Compress', 'StringSplit', 'Tokenizer']);
const opName = (op: Op): string => `${op.domain === '' ? 'ai.onnx' : op.domain}::${op.type}`;

function expectContent(facts: Facts | undefined, got: RunTensor, where: string): void {
  if (facts?.content === undefined) return;
  const ours = facts.content;
  const theirs = Array.from(got.data as ArrayLike<number | bigint>, Number);
  expect(ours.length, where).toBe(theirs.length);
  ours.forEach((x, i) => {
    if (typeof x === 'number')
      expect(Math.abs(x - (theirs[i] ?? 0)), `${where}[${i}]`).toBeLessThan(1e-4 * (1 + Math.abs(x)));
  });
}

async function check(op: Op, c: OpCase): Promise<void> {
  const built = buildCase(op, c);
  const where = `${opName(op)}: ${c.name}`;
  const facts = inferFacts(built.model);
  if (c.macs !== undefined) expect(measureFigures(built.model).macs, `${where}: MACs`).toBe(c.macs);
  if (c.norun !== undefined) {
    if (c.shapes !== undefined)
      expect(
        built.node.outputs.slice(0, c.shapes.length).map((o) => facts.get(o)?.shape),
        where,
      ).toEqual(c.shapes);
    return;
  }
  const session = await runtime.open({ bytes: writeModel(built.model) }, { optimize: 'none' });
  try {
    const got = await session.run(built.feeds);
    const folded = inferFacts(built.folded);
    for (const name of built.node.outputs) {
      const theirs = got[name];
      if (theirs === undefined) continue;
      const ours = facts.get(name);
      expect({ elem: ours?.elem, shape: ours?.shape }, `${where}: ${name}`).toEqual({
        elem: theirs.type,
        shape: theirs.dims.map((d, i) => (dataDependent.has(op.type) && ours?.shape?.[i] === null ? null : d)),
      });
      expectContent(folded.get(name), theirs, `${where}: ${name}`);
    }
  } finally {
    await session.release();
  }
}

describe.each(allOps().map((op) => [opName(op), op] as const))('%s', (_, op) => {
  it('agrees with the runtime', async () => {
    const failures: string[] = [];
    for (const c of op.cases)
      await check(op, c).catch((thrown: unknown) => failures.push(`${c.name}: ${String(thrown)}`));
    expect(failures).toEqual([]);
  });
});

describe('the registry', () => {
  it('has cases for every operator it answers for', () => {
    expect(allOps().flatMap((op) => (op.cases.length > 0 ? [] : [opName(op)]))).toEqual([]);
  });
  it('lists every operator once', () => {
    const names = families.flat().map(opName);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });
  it('has ascending versions', () => {
    for (const op of allOps()) expect([...op.since], opName(op)).toEqual([...new Set(op.since)].sort((a, b) => a - b));
  });
});

/** Foreign operators of the corpus that are shown as "not counted", by design: no published semantics of the runtime. */
const foreign = /^(finn\.|onnx\.brevitas|pkg\.|com\.microsoft::BeamSearch|\(sparse_init\))/;

describe.skipIf(corpusEntries.length === 0)('the corpus', () => {
  it('holds no operator without a rule', () => {
    const known = new Set(allOps().map((op) => (op.domain === '' ? op.type : `${op.domain}::${op.type}`)));
    const seen = new Set(corpusEntries.flatMap((e) => Object.keys(e.ops ?? {})));
    expect([...seen].filter((name) => !known.has(name) && !foreign.test(name))).toEqual([]);
  });
});
