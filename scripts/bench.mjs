/** Owns `npm run bench`: runs every scripts/bench/*.ts (or those named) with tsx, one after the other; options go to them. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildNode, root } from './build.mjs';

const folder = join(root, 'scripts/bench');
const named = process.argv.slice(2).filter((a) => !a.startsWith('--'));
const options = process.argv.slice(2).filter((a) => a.startsWith('--'));
const files = (existsSync(folder) ? readdirSync(folder) : [])
  .filter((f) => f.endsWith('.ts') && (named.length === 0 || named.some((n) => f.startsWith(n))))
  .sort();
if (files.length === 0) {
  process.stderr.write(`no benchmark ${named.join(', ')} in scripts/bench\n`);
  process.exit(1);
}
await buildNode();
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
let failed = 0;
for (const file of files) {
  // One JSON object is all that stands on stdout.
  if (!options.includes('--json')) process.stdout.write(`\n== ${file}\n`);
  const run = spawnSync(process.execPath, ['--import', tsx, join(folder, file), ...options], {
    cwd: root,
    stdio: 'inherit',
  });
  if (run.status !== 0) failed++;
}
process.exit(failed === 0 ? 0 : 1);
