/** Owns `npm start`: the studio in Electron where its binary is or can be fetched, else in the browser, saying which and why. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildElectron, buildNode, buildPage, root } from './build.mjs';

const require = createRequire(import.meta.url);

/** The path of Electron's binary, or why there is none. */
async function electronBinary() {
  let folder;
  try {
    folder = dirname(require.resolve('electron/package.json'));
  } catch {
    return { why: 'the package electron is not installed' };
  }
  const binary = () => {
    const named = join(folder, 'path.txt');
    const path = existsSync(named) ? join(folder, 'dist', readFileSync(named, 'utf8').trim()) : '';
    return path !== '' && existsSync(path) ? path : undefined;
  };
  const there = process.env.ELECTRON_OVERRIDE_DIST_PATH === undefined ? binary() : require('electron');
  if (there !== undefined) return { path: there };
  const install = join(folder, 'install.js');
  if (!existsSync(install)) return { why: "Electron's binary is missing" };
  process.stdout.write("Fetching Electron's binary ...\n");
  const words = await new Promise((done) => {
    const child = spawn(process.execPath, [install], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (t) => {
      said = (said + t).slice(-4000);
    });
    const timer = setTimeout(() => child.kill(), 120_000);
    child.on('close', (code) => {
      clearTimeout(timer);
      const line = said
        .split('\n')
        .find((l) => /error/i.test(l))
        ?.trim();
      done(code === 0 ? '' : (line ?? `it could not be fetched (exit code ${code})`));
    });
  });
  const fetched = binary();
  return fetched === undefined ? { why: `Electron's binary could not be fetched: ${words}` } : { path: fetched };
}

/** A window needs a screen to stand on. */
const noScreen =
  process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY
    ? 'there is no display for a window'
    : undefined;

const args = process.argv.slice(2);
const inBrowser = args.includes('--browser');
const found =
  inBrowser || noScreen ? { why: inBrowser ? 'asked for with --browser' : noScreen } : await electronBinary();
await Promise.all([buildNode(), buildPage()]);
if (found.path !== undefined) {
  await buildElectron();
  process.stdout.write('Opening the studio in Electron.\n');
  const child = spawn(found.path, [root, ...args], { stdio: 'inherit' });
  child.on('close', (code) => process.exit(code ?? 1));
} else {
  process.stdout.write(`Opening the studio in the browser: ${found.why}.\n`);
  process.argv.splice(2, process.argv.length, 'serve', '--open', ...args.filter((a) => a !== '--browser'));
  await import(pathToFileURL(join(root, 'dist/node/cli.mjs')).href);
}
