/** The studio in the real Electron: runs where its binary is, and is skipped with a line where it is not. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { _electron } from 'playwright-core';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');

/** Electron's binary, only if it is there already: a test fetches nothing. */
function binary(): string | undefined {
  const folder = dirname(createRequire(import.meta.url).resolve('electron/package.json'));
  const named = join(folder, 'path.txt');
  if (!existsSync(named)) return undefined;
  const path = join(process.env.ELECTRON_OVERRIDE_DIST_PATH ?? join(folder, 'dist'), readFileSync(named, 'utf8'));
  return existsSync(path) ? path : undefined;
}

const path = binary();
const screen = process.platform !== 'linux' || Boolean(process.env.DISPLAY ?? process.env.WAYLAND_DISPLAY);
const built = existsSync(join(root, 'dist/electron/main.cjs')) && existsSync(join(root, 'dist/renderer/index.html'));
if (path === undefined || !screen || !built)
  console.log(
    `real Electron tests skipped: ${path === undefined ? 'no Electron binary' : screen ? 'not built (npm run build)' : 'no display'}`,
  );

describe.skipIf(path === undefined || !screen || !built)('the real Electron', () => {
  it('shows the studio isolated, without Node, and with its host', async () => {
    const home = mkdtempSync(join(tmpdir(), 'bantam-electron-'));
    const app = await _electron.launch({
      executablePath: path ?? '',
      args: [root],
      env: { ...(process.env as Record<string, string>), BANTAM_HOME: home },
    });
    try {
      const page = await app.firstWindow();
      await page.waitForLoadState('load');
      expect(page.url()).toContain('app://bantam/');
      expect(await page.evaluate('crossOriginIsolated')).toBe(true);
      expect(await page.evaluate('typeof require + typeof process')).toBe('undefinedundefined');
      await page.getByText('Bantam').first().waitFor();
    } finally {
      await app.close();
      rmSync(home, { recursive: true, force: true });
    }
  });
});
