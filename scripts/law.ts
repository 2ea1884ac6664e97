/**
 * Owns `npm run law`: every technique on every network of the zoo, small; with --full at full size, the result written to docs/law.md
 * with date and machine. Names of networks hold it on those alone. A full run goes on where it was left: each network's outcome
 * stands in .bantam/law/ and is taken from there while the code is at the same commit (with --keep: at any commit). Files of networks up to
 * 6 million parameters are also run; --run-up-to=30 runs more of them, at minutes each.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { measureFigures } from '#shared/analysis/measure-figures.ts';
import { techniques } from '#shared/techniques/index.ts';
import { fullFromZoo, fullLaw } from '#shared/testing/full-law.ts';
import { smallFromZoo } from '#shared/testing/zoo-law.ts';
import { zoo } from '#shared/zoo/index.ts';
import { nodeRuntime } from '../electron/runtime/node-runtime.ts';
import { lawPage, type NetLaw } from './law-page.ts';

const full = process.argv.includes('--full');
const keep = process.argv.includes('--keep');
const named = process.argv.slice(2).filter((a) => !a.startsWith('-'));
/** In millions of parameters. */
const runUpTo = Number(process.argv.find((a) => a.startsWith('--run-up-to='))?.split('=')[1] ?? 6);
const root = join(import.meta.dirname, '..');
const folder = join(root, '.bantam/law');

function commitNow(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

const commit = commitNow();
const runtime = nodeRuntime(1);
const fileOf = (id: string): string => join(folder, `${id}.json`);

/** What an earlier run found for a network, where every technique of now stands in it. */
function kept(id: string, anyCommit: boolean): NetLaw | undefined {
  if (!existsSync(fileOf(id))) return undefined;
  const found = JSON.parse(readFileSync(fileOf(id), 'utf8')) as NetLaw;
  const complete = techniques.every((t) => found.rows.some((r) => r.technique === t.id));
  return complete && (anyCommit || found.commit === commit) ? found : undefined;
}

async function heldOn(net: (typeof zoo)[number]): Promise<NetLaw> {
  const before = full ? kept(net.id, keep) : undefined;
  if (before !== undefined) {
    process.stdout.write(`${net.id}: kept, from commit ${before.commit}\n`);
    return before;
  }
  const at = performance.now();
  const model = full ? fullFromZoo(net) : smallFromZoo(net);
  const figures = measureFigures(model);
  const runs = full && figures.parameters <= runUpTo * 1e6;
  const rows: NetLaw['rows'][number][] = [];
  for (const technique of techniques) {
    const law = await fullLaw(technique, model, runs ? runtime : undefined);
    for (const line of law.broken) process.stdout.write(`DIFFERS ${technique.id} on ${net.id}: ${line}\n`);
    rows.push({ technique: technique.id, ...law });
  }
  const seconds = Math.round((performance.now() - at) / 100) / 10;
  process.stdout.write(`${net.id}: ${seconds} s\n`);
  const done = { net: net.id, parameters: figures.parameters, commit, at: new Date().toISOString(), seconds, rows };
  if (full) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(fileOf(net.id), JSON.stringify(done, null, 1));
  }
  return done;
}

const nets: NetLaw[] = [];
for (const net of zoo.filter((e) => named.length === 0 || named.includes(e.id))) nets.push(await heldOn(net));
const broken = nets.flatMap((n) => n.rows).filter((r) => r.broken.length > 0).length;
const all = zoo.flatMap((e) => kept(e.id, keep) ?? []);
if (full) {
  const missing = zoo.flatMap((e) => (all.some((n) => n.net === e.id) ? [] : [e.id]));
  writeFileSync(join(root, 'docs/law.md'), lawPage(all, missing, process.versions.node, runtime.name));
  process.stdout.write(`docs/law.md written: ${all.length} of ${zoo.length} networks\n`);
}
process.stdout.write(`${nets.length * techniques.length} pairs, ${broken} differ\n`);
process.exit(broken === 0 ? 0 : 1);
