/**
 * Owns the build of the Node side: one esbuild call, about a quarter of a second, so that every command runs what the
 * source says now. Bundles stand in dist/node; native and large packages stay outside.
 */
import { build } from 'esbuild';

const external = ['onnxruntime-node', 'electron', 'mnist', 'open'];
const common = { bundle: true, platform: 'node', target: 'node20', sourcemap: true, logLevel: 'warning', external };

/** Builds the command line, the server and the job process as ESM. */
export async function buildNode() {
  await build({
    ...common,
    format: 'esm',
    outdir: 'dist/node',
    outExtension: { '.js': '.mjs' },
    banner: { js: "import { createRequire as __cr } from 'node:module'; const require = __cr(import.meta.url);" },
    entryPoints: { cli: 'electron/cli/main.ts', worker: 'electron/jobs/worker.ts' },
  });
}

/** Builds Electron's main process and its preload as CommonJS. */
export async function buildElectron() {
  await build({
    ...common,
    format: 'cjs',
    outdir: 'dist/electron',
    outExtension: { '.js': '.cjs' },
    entryPoints: { main: 'electron/main/main.ts', preload: 'electron/preload/preload.ts' },
  });
}

if (process.argv[1]?.endsWith('build.mjs')) {
  await buildNode();
  if (process.argv.includes('--electron')) await buildElectron();
}
