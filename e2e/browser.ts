/** Owns the browser and the server of the journeys: starts both, opens a page, takes screenshots, ends both. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';

export const root = resolve(import.meta.dirname, '..');
const shots = join(root, 'e2e/shots');

/** Places where a Chrome or Chromium of this machine may be. */
const installed = [
  process.env.BANTAM_CHROME,
  '/usr/bin/google-chrome',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** The browser to drive, or undefined with one line that says what to install. */
export async function browserPath(): Promise<string | undefined> {
  const own = installed.find((p) => p !== undefined && existsSync(p));
  if (own !== undefined) return own;
  if (process.platform === 'linux' && process.arch === 'x64') {
    const { default: bundled } = await import('@sparticuz/chromium');
    return bundled.executablePath();
  }
  console.log('journeys skipped: no Chrome found; install one or set BANTAM_CHROME to its path');
  return undefined;
}

/** Only --no-sandbox: the bundled package's own arguments would take cross-origin isolation away. */
export const launch = (executablePath: string): Promise<Browser> =>
  chromium.launch({ executablePath, args: ['--no-sandbox'] });

export interface Studio {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts `bantam serve` on a free port with a data folder of its own, into which `prepare` may put what was there before. */
export function startStudio(prepare?: (home: string) => void): Promise<Studio> {
  const home = mkdtempSync(join(tmpdir(), 'bantam-e2e-'));
  prepare?.(home);
  const child: ChildProcess = spawn(process.execPath, ['scripts/bantam.mjs', 'serve', '--port', '0'], {
    cwd: root,
    env: { ...process.env, BANTAM_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stop = (): Promise<void> =>
    new Promise((done) => {
      const end = (): void => {
        rmSync(home, { recursive: true, force: true });
        done();
      };
      if (child.exitCode !== null) return end();
      child.once('exit', end);
      child.kill('SIGTERM');
    });
  return new Promise((done, fail) => {
    let said = '';
    const hear = (chunk: Buffer): void => {
      said += chunk.toString();
      const url = /http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]+/.exec(said)?.[0];
      if (url !== undefined) done({ url, stop });
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.once('exit', (code) => fail(new Error(`the server ended with ${code}: ${said}`)));
  });
}

export interface PageOptions {
  readonly width?: number;
  readonly height?: number;
  readonly theme?: 'light' | 'dark';
  readonly language?: 'en' | 'ko';
}

/** A page of the studio, and the errors it raises while it lives. */
export async function openPage(
  browser: Browser,
  url: string,
  o: PageOptions = {},
): Promise<{ readonly page: Page; readonly errors: readonly string[] }> {
  const page = await browser.newPage({
    viewport: { width: o.width ?? 1600, height: o.height ?? 1000 },
    colorScheme: o.theme ?? 'light',
    locale: o.language === 'ko' ? 'ko-KR' : 'en-US',
  });
  const errors: string[] = [];
  page.on('pageerror', (e) => errors.push(e.message));
  page.on('console', (m) => {
    if (m.type() === 'error') errors.push(m.text());
  });
  await page.goto(url);
  return { page, errors };
}

/** Saves a picture in e2e/shots (not kept in the repository). */
export async function shot(page: Page, name: string): Promise<void> {
  mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `${name}.png`) });
}

/** Waits until the opened model's graph is drawn; returns milliseconds from asking to drawing, newest last. */
export async function drawn(page: Page, times = 1): Promise<readonly number[]> {
  await page.waitForFunction((n) => performance.getEntriesByName('bantam:draw').length >= n, times);
  return page.evaluate(() => performance.getEntriesByName('bantam:draw').map((e) => e.duration));
}
