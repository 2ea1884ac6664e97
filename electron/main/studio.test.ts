/** The desktop shell against a stand-in of Electron's API; the real Electron is tried in electron.test.ts. */
import { EventEmitter } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Job } from '#shared/contract/calls.ts';
import { createHost } from '#shared/contract/client.ts';
import type { Handlers } from '#shared/contract/server.ts';
import { portWire } from '#shared/contract/wire.ts';
import { buildElectron, root } from '../../scripts/build.mjs';
import type { Dialogs, RunningHost } from '../host/host.ts';
import { menuTemplate } from './menu.ts';
import { serveScheme } from './scheme.ts';
import { type ElectronApi, startStudio } from './studio.ts';
import { electronStandIn, type StandIn } from './testing/electron-stand-in.ts';
import { type Forker, utilitySpawner } from './utility-spawner.ts';
import { words } from './words.ts';

const folders: string[] = [];
afterEach(() => {
  for (const f of folders.splice(0)) rmSync(f, { recursive: true, force: true });
});

/** Starts the studio on the stand-in with a host that has only jobs. */
async function started(standIn: StandIn, jobs: readonly Partial<Job>[] = []) {
  const page = mkdtempSync(join(tmpdir(), 'bantam-page-'));
  folders.push(page);
  writeFileSync(join(page, 'index.html'), '<!doctype html>');
  const seen: { dialogs?: Dialogs; closed: boolean } = { closed: false };
  const host = {
    service: { handlers: { jobs: async () => [] } as unknown as Handlers, onJob: () => () => {} },
    queue: { all: () => jobs },
    close: () => {
      seen.closed = true;
    },
  } as unknown as RunningHost;
  await startStudio(standIn.electron as unknown as ElectronApi, {
    page,
    preload: '/preload.cjs',
    worker: '/worker.mjs',
    openHost: async (_spawn, dialogs) => {
      seen.dialogs = dialogs;
      return host;
    },
  });
  return { window: standIn.windows[0]!, seen };
}

describe('the desktop studio', () => {
  it('opens one sandboxed, isolated window on its own scheme', async () => {
    const standIn = electronStandIn();
    const { window } = await started(standIn);
    expect(standIn.windows).toHaveLength(1);
    expect(window.options.webPreferences).toMatchObject({
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webviewTag: false,
      webSecurity: true,
      preload: '/preload.cjs',
    });
    expect(window.webContents.mainFrame.url).toBe('app://bantam/index.html');
    expect(window.shown).toBe(true);
    // The scheme must be declared before Electron is ready.
    expect(standIn.calls.slice(0, 3)).toEqual(['sandbox', 'privileged', 'ready']);
    expect([...standIn.handled.keys()]).toEqual(['app']);
  });

  it('hands the page a port that reaches the host, anew after each load, and never to a foreign page', async () => {
    const { window } = await started(electronStandIn());
    const page = window.webContents;
    const talk = async (index: number): Promise<unknown> => {
      const { channel, port } = page.posted[index]!;
      expect(channel).toBe('bantam-port');
      const wire = portWire({
        post: (data) => port.postMessage(data),
        listen: (message, close) => {
          port.on('message', (e: { data: unknown }) => message(e.data));
          port.on('close', close);
        },
        close: () => port.close(),
      });
      const host = createHost(async () => wire, { later: () => {} });
      const jobs = await host.call('jobs', {});
      host.close();
      return jobs;
    };
    expect(await talk(0)).toEqual([]);
    page.emit('did-finish-load');
    expect(await talk(1)).toEqual([]);
    page.mainFrame.url = 'https://evil.example/';
    page.emit('did-finish-load');
    page.mainFrame.url = 'app://bantam.evil/';
    page.emit('did-finish-load');
    expect(page.posted).toHaveLength(2);
  });

  it('stays on its page: no navigation, no windows, no webviews, no permissions; https links go to the browser', async () => {
    const standIn = electronStandIn();
    const { window } = await started(standIn);
    const page = window.webContents;
    const held = (event: string, url: string): boolean => {
      const preventDefault = vi.fn();
      page.emit(event, { url, preventDefault });
      return preventDefault.mock.calls.length > 0;
    };
    expect(held('will-navigate', 'https://evil.example/')).toBe(true);
    expect(held('will-navigate', 'file:///etc/passwd')).toBe(true);
    expect(held('will-navigate', 'app://bantam/index.html')).toBe(false);
    expect(held('will-attach-webview', '')).toBe(true);
    for (const url of ['https://onnx.ai/', 'file:///etc/passwd', 'javascript:alert(1)'])
      expect(page.openHandler?.({ url })).toEqual({ action: 'deny' });
    expect(standIn.calls.filter((c) => c.startsWith('browser'))).toEqual(['browser https://onnx.ai/']);
    const decide = vi.fn();
    standIn.permission?.(page, 'camera', decide);
    expect(decide).toHaveBeenCalledWith(false);
  });

  it('asks before closing while jobs run, and closes at once where none does', async () => {
    const idle = await started(electronStandIn(), [{ state: 'done' }]);
    idle.window.close();
    expect(idle.window.closed).toBe(true);

    const standIn = electronStandIn({ locale: 'ko-KR' });
    const busy = await started(standIn, [{ state: 'running' }]);
    busy.window.close();
    busy.window.close();
    await Promise.resolve();
    expect(busy.window.closed).toBe(false);
    expect(standIn.asked).toHaveLength(1);
    expect(standIn.asked[0]).toMatchObject({ message: words.jobsRun.ko, defaultId: 0, cancelId: 0 });
    await new Promise((r) => setTimeout(r));
    standIn.answers.box = 1;
    busy.window.close();
    await new Promise((r) => setTimeout(r));
    expect(busy.window.closed).toBe(true);
    standIn.app.emit('will-quit');
    expect(busy.seen.closed).toBe(true);
  });

  it('is one instance: a second one quits and brings the first to the front', async () => {
    const second = electronStandIn({ first: false });
    await startStudio(second.electron as unknown as ElectronApi, {
      page: '',
      preload: '',
      worker: '',
      openHost: () => Promise.reject(new Error('must not start')),
    });
    expect(second.calls).toEqual(['quit']);
    const first = electronStandIn();
    const { window } = await started(first);
    first.app.emit('second-instance');
    expect(window.focused).toBe(1);
  });

  it('says in one line why it cannot start', async () => {
    const standIn = electronStandIn();
    await startStudio(standIn.electron as unknown as ElectronApi, {
      page: '',
      preload: '',
      worker: '',
      openHost: () => Promise.reject(new Error('no room')),
    });
    expect(standIn.calls.slice(-2)).toEqual(['error Bantam cannot start: no room.', 'exit 1']);
    expect(standIn.windows).toEqual([]);
  });

  it('asks with the system dialogs; cancelling is null', async () => {
    const standIn = electronStandIn();
    const { seen } = await started(standIn);
    expect(await seen.dialogs?.open()).toBeNull();
    expect(await seen.dialogs?.data('file')).toBeNull();
    expect(await seen.dialogs?.save('a.onnx')).toBeNull();
    standIn.answers = { box: 0, open: ['/m.onnx'], save: '/out.onnx' };
    expect(await seen.dialogs?.open()).toBe('/m.onnx');
    expect(await seen.dialogs?.data('folder')).toBe('/m.onnx');
    expect(await seen.dialogs?.save('a.onnx')).toBe('/out.onnx');
  });

  it('has a menu in the language of the system, developer tools only unpacked', () => {
    expect(JSON.stringify(menuTemplate('ko', false, false))).toContain(words.file.ko);
    expect(JSON.stringify(menuTemplate('en', false, false))).not.toContain('toggleDevTools');
    expect(JSON.stringify(menuTemplate('en', true, true))).toContain('toggleDevTools');
  });
});

describe('app://bantam', () => {
  it('serves the page isolated, and nothing else', async () => {
    const page = mkdtempSync(join(tmpdir(), 'bantam-page-'));
    folders.push(page);
    writeFileSync(join(page, 'index.html'), 'page');
    const serve = serveScheme(page);
    const good = await serve(new Request('app://bantam/index.html'));
    expect(await good.text()).toBe('page');
    expect(good.headers.get('content-type')).toContain('text/html');
    expect(good.headers.get('cross-origin-embedder-policy')).toBe('require-corp');
    expect(good.headers.get('content-security-policy')).toContain("'wasm-unsafe-eval'");
    for (const url of ['app://bantam/%2e%2e/x', 'app://bantam/none.js', 'app://other/index.html'])
      expect((await serve(new Request(url))).status).toBe(404);
  });
});

describe('the utility spawner', () => {
  it('carries messages both ways and tells the end with its last words', () => {
    const stderr = new EventEmitter();
    const posted: unknown[] = [];
    const child = Object.assign(new EventEmitter(), {
      stderr,
      stdout: new EventEmitter(),
      postMessage: (m: unknown) => posted.push(m),
      kill: vi.fn(),
    });
    const fork = vi.fn(() => child);
    const job = utilitySpawner({ fork } as unknown as Forker, '/worker.mjs')();
    expect(fork).toHaveBeenCalledWith('/worker.mjs', [], { serviceName: 'Bantam job', stdio: 'pipe' });
    const heard: unknown[] = [];
    const exits: unknown[] = [];
    job.onMessage((m) => heard.push(m));
    job.onExit((e) => exits.push(e));
    job.send({ kind: 'cancel' });
    child.emit('message', { kind: 'cancelled' });
    stderr.emit('data', Buffer.from('heap out of memory'));
    child.emit('exit', 134);
    expect(posted).toEqual([{ kind: 'cancel' }]);
    expect(heard).toEqual([{ kind: 'cancelled' }]);
    expect(exits).toEqual([{ code: 134, signal: null, words: 'heap out of memory' }]);
  });
});

describe('the preload', () => {
  it('is bundled without anything that a sandbox lacks', async () => {
    const out = `dist/test-shell-${process.pid}`;
    await buildElectron(out);
    try {
      const text = readFileSync(join(root, out, 'preload.cjs'), 'utf8');
      expect([...text.matchAll(/require\("([^"]+)"\)/g)].map((m) => m[1])).toEqual(['electron']);
      expect(text).not.toContain('__filename');
    } finally {
      rmSync(join(root, out), { recursive: true, force: true });
    }
  });

  it('hands over one port to its own origin, and exposes nothing', async () => {
    const ipc = new EventEmitter();
    vi.doMock('electron', () => ({ ipcRenderer: ipc }));
    const posted: unknown[][] = [];
    vi.stubGlobal('window', {
      location: { origin: 'app://bantam' },
      postMessage: (...args: unknown[]) => posted.push(args),
    });
    await import('../preload/preload.ts');
    ipc.emit('bantam-port', { ports: ['port'] });
    expect(posted).toEqual([['bantam-port', 'app://bantam', ['port']]]);
    expect(ipc.eventNames()).toEqual(['bantam-port']);
    const source = readFileSync(join(import.meta.dirname, '../preload/preload.ts'), 'utf8');
    expect(source.split('\n').length).toBeLessThan(40);
    vi.unstubAllGlobals();
  });
});
