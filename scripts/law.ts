/**
 * Owns `npm run law`: every technique on every network of the zoo, small; with --full at full size, the result written to docs/law.md
 * with date and machine. Names of networks hold it on those alone, and write nothing.
 */
import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { measureFigures } from '#shared/analysis/measure-figures.ts';
import { techniques } from '#shared/techniques/index.ts';
import { type FullLaw, fullFromZoo, fullLaw, smallFromZoo } from '#shared/testing/zoo-law.ts';
import { zoo } from '#shared/zoo/index.ts';

const full = process.argv.includes('--full');
const named = process.argv.slice(2).filter((a) => !a.startsWith('-'));
const started = Date.now();

interface Row extends FullLaw {
  readonly technique: string;
  readonly net: string;
}

function heldOn(net: (typeof zoo)[number]): readonly Row[] {
  const model = full ? fullFromZoo(net) : smallFromZoo(net);
  const figures = measureFigures(model);
  const at = performance.now();
  const rows = techniques.map((technique): Row => {
    const law = fullLaw(technique, model, figures);
    for (const line of law.broken) process.stdout.write(`BROKEN ${technique.id} on ${net.id}: ${line}\n`);
    return { technique: technique.id, net: net.id, ...law };
  });
  process.stdout.write(`${net.id}: ${((performance.now() - at) / 1000).toFixed(1)} s\n`);
  return rows;
}

const kind = (r: Row): 'holds' | 'refused' | 'skipped' | 'broken' => {
  if (r.broken.length > 0) return 'broken';
  if (r.skipped !== undefined) return 'skipped';
  return r.refused === undefined ? 'holds' : 'refused';
};

/** Reasons of a technique, each with the networks it is given for. */
function reasons(rows: readonly Row[]): readonly string[] {
  const by = new Map<string, string[]>();
  for (const r of rows) {
    const why = r.skipped === undefined ? r.refused : `not tried: ${r.skipped}`;
    if (why === undefined) continue;
    const plain = why.replace(/^[^:]*: (?=[A-Z])/, '');
    by.set(plain, [...(by.get(plain) ?? []), r.net]);
  }
  return [...by].map(
    ([why, nets]) => `${why.replace(/\.$/, '')} (${nets.length > 4 ? `${nets.length} networks` : nets.join(', ')})`,
  );
}

function page(rows: readonly Row[]): string {
  const day = new Date(started).toISOString().slice(0, 10);
  const machine = `${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB`;
  const count = (k: ReturnType<typeof kind>, of: readonly Row[]): number => of.filter((r) => kind(r) === k).length;
  const lines = techniques.map(({ id }) => {
    const of = rows.filter((r) => r.technique === id);
    const why = reasons(of).join('; ').replaceAll('|', '\\|');
    return `| \`${id}\` | ${count('holds', of)} | ${count('refused', of)} | ${count('skipped', of)} | ${count('broken', of)} | ${why} |`;
  });
  return `# The law on the whole zoo

Written by \`npm run law -- --full\` on ${day}, Node ${process.versions.node}, ${machine}, in ${Math.round((Date.now() - started) / 1000)} s.

Every technique with its first case on each of the ${zoo.length} networks at full size: what the preview says of parameters, multiply-accumulates,
bytes of the file, nodes, opset and peak memory is what the written graph says when it is read again, and the technique's promises
hold. The graph is written as its skeleton: all but the values of large tensors, whose bytes are counted; networks of more than 30 million weights hold zeros. Nothing is run at this size; CI runs
the small forms (\`shared/techniques/law.zoo.test.ts\`) and every file of the corpus that runs.

Held ${count('holds', rows)}, refused with a reason ${count('refused', rows)}, not tried ${count('skipped', rows)}, broken ${count('broken', rows)}.

| technique | holds | refused | not tried | broken | reasons |
|---|---|---|---|---|---|
${lines.join('\n')}
`;
}

const rows = zoo.filter((e) => named.length === 0 || named.includes(e.id)).flatMap(heldOn);
const broken = rows.filter((r) => r.broken.length > 0).length;
if (full && named.length === 0) writeFileSync(join(import.meta.dirname, '../docs/law.md'), page(rows));
process.stdout.write(`${rows.length} pairs, ${broken} broken, ${Math.round((Date.now() - started) / 1000)} s\n`);
process.exit(broken === 0 ? 0 : 1);
