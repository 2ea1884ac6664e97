/**
 * Owns `npm test`: builds, then the unit tests, then the journeys in a browser where there is one. Ends with one plain line:
 * "N passed, N failed, N skipped".
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildElectron, buildNode, buildPage, root } from './build.mjs';

const reports = join(root, 'dist/test-reports');

/** Runs vitest with a config and returns its counts. A run that writes no report counts as one failure. */
function vitest(name, args) {
  const report = join(reports, `${name}.json`);
  rmSync(report, { force: true });
  mkdirSync(reports, { recursive: true });
  const bin = join(root, 'node_modules/vitest/vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const run = spawnSync(process.execPath, [bin, 'run', ...reporters, ...args], { cwd: root, stdio: 'inherit' });
  if (!existsSync(report)) return { passed: 0, failed: 1, skipped: 0 };
  const { numPassedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
  const failed = testResults.reduce(
    (n, file) =>
      n + Math.max(file.assertionResults.filter((t) => t.status === 'failed').length, Number(file.status === 'failed')),
    0,
  );
  // An error outside of any test fails the run though every test passed.
  return {
    passed: numPassedTests,
    failed: failed === 0 && run.status !== 0 ? 1 : failed,
    skipped: numPendingTests + numTodoTests,
  };
}

const args = process.argv.slice(2);
await buildNode();
if (existsSync(join(root, 'electron/main/main.ts'))) await buildElectron();
const runs = [vitest('unit', args)];

const journeys = join(root, 'e2e/journeys');
const config = join(root, 'e2e/vitest.config.ts');
const someJourneys = existsSync(config) && existsSync(journeys) && readdirSync(journeys).length > 0;
if (args.length === 0 && someJourneys) {
  await buildPage();
  runs.push(vitest('journeys', ['--config', config]));
}

const sum = (key) => runs.reduce((n, r) => n + r[key], 0);
process.stdout.write(`\n${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped\n`);
process.exit(sum('failed') === 0 ? 0 : 1);
