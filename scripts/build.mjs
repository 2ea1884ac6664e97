/**
 * Owns the builds: the Node side by esbuild (about a quarter of a second, so that every command runs what the source says now),
 * the page by vite, kept until its sources change. Native and large packages stay outside the bundles.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

const external = ['onnxruntime-node', 'onnxruntime-web', 'electron', 'mnist', 'open'];
/** @satisfies {import('esbuild').BuildOptions} */
const common = {
  absWorkingDir: root,
  bundle: true,
  platform: /** @type {const} */ ('node'),
  target: 'node20',
  sourcemap: true,
  logLevel: /** @type {const} */ ('warning'),
  external,
};

/** What CommonJS packages expect to find, inside an ES module. */
const cjsGlobals = [
  "import { createRequire as __createRequire } from 'node:module';",
  "import { fileURLToPath as __toPath } from 'node:url';",
  'const require = __createRequire(import.meta.url);',
  'const __filename = __toPath(import.meta.url);',
  'const __dirname = __filename.slice(0, -1 - __filename.split(/[\\\\/]/).at(-1).length);',
].join('\n');

/** Removes bundles of earlier days only: a studio that runs may still start a job from those of today. */
function sweepOld(folder) {
  if (!existsSync(folder)) return;
  const yesterday = Date.now() - 24 * 3600 * 1000;
  for (const name of readdirSync(folder))
    if (statSync(join(folder, name)).mtimeMs < yesterday) rmSync(join(folder, name), { recursive: true, force: true });
}

/**
 * Builds the command line, the server and the job process as ESM. Split, so that what imports the runtime dynamically loads
 * it only then: the server's own process never does.
 */
export async function buildNode(outdir = 'dist/node') {
  sweepOld(join(root, outdir));
  await build({
    ...common,
    format: 'esm',
    splitting: true,
    outdir,
    outExtension: { '.js': '.mjs' },
    chunkNames: 'chunk-[hash]',
    banner: { js: cjsGlobals },
    entryPoints: { cli: 'electron/cli/main.ts', worker: 'electron/jobs/worker.ts' },
  });
}

/** Builds Electron's main process and its preload as CommonJS. */
export async function buildElectron(outdir = 'dist/electron') {
  const shell = { ...common, format: /** @type {const} */ ('cjs'), outdir, outExtension: { '.js': '.cjs' } };
  await build({
    ...shell,
    define: { 'import.meta.url': '__bantamUrl', 'import.meta.dirname': '__dirname' },
    banner: { js: "const __bantamUrl = require('node:url').pathToFileURL(__filename).href;" },
    entryPoints: { main: 'electron/main/main.ts' },
  });
  // A sandboxed preload has no Node: nothing but its own lines.
  await build({ ...shell, entryPoints: { preload: 'electron/preload/preload.ts' } });
}

/** One line for every source of the page: what a build depends on. */
function pageKey() {
  const hash = createHash('sha256');
  for (const side of ['renderer', 'shared', 'vite.config.ts', 'package-lock.json']) {
    const at = join(root, side);
    if (!existsSync(at)) continue;
    const files = statSync(at).isDirectory() ? readdirSync(at, { recursive: true, encoding: 'utf8' }).sort() : [''];
    for (const file of files) {
      const stat = statSync(join(at, file));
      if (stat.isFile() && !/\.test\.tsx?$/.test(file)) hash.update(`${side}/${file} ${stat.size} ${stat.mtimeMs}\n`);
    }
  }
  return hash.digest('hex');
}

/** Builds the page where its sources changed since the last build. Returns whether it had to. */
export async function buildPage() {
  if (!existsSync(join(root, 'renderer/index.html'))) return false;
  const keyFile = join(root, 'dist/page-key');
  const key = pageKey();
  const built = existsSync(join(root, 'dist/renderer/index.html'));
  if (built && existsSync(keyFile) && readFileSync(keyFile, 'utf8') === key) return false;
  const vite = await import('vite');
  await vite.build({ configFile: join(root, 'vite.config.ts'), logLevel: 'warn' });
  mkdirSync(dirname(keyFile), { recursive: true });
  writeFileSync(keyFile, key);
  return true;
}

if (process.argv[1]?.endsWith('build.mjs')) {
  await buildNode();
  if (process.argv.includes('--electron')) await buildElectron();
}
