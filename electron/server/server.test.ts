import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { Fault } from '#shared/base/fault.ts';
import { createHost } from '#shared/contract/client.ts';
import type { Handlers } from '#shared/contract/server.ts';
import { type SocketLike, socketWire, type Wire } from '#shared/contract/wire.ts';
import { type StudioServer, startServer } from './server.ts';

let folder: string;
let server: StudioServer;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bantam-server-'));
  const root = join(folder, 'page');
  mkdirSync(join(root, 'assets'), { recursive: true });
  writeFileSync(join(root, 'index.html'), '<!doctype html><title>Bantam</title>');
  writeFileSync(join(root, 'assets/a.js'), 'export {};');
  writeFileSync(join(root, '.hidden.js'), 'secret');
  writeFileSync(join(root, 'unknown.kind'), 'secret');
  writeFileSync(join(folder, 'outside.js'), 'secret');
  symlinkSync(join(folder, 'outside.js'), join(root, 'link.js'));
  const refuse = async (): Promise<never> => {
    throw new Fault('unsupported', 'not in this test');
  };
  const handlers = new Proxy(
    {},
    { get: (_t, key) => (key === 'jobs' ? async () => [] : refuse) },
  ) as unknown as Handlers;
  server = await startServer({ service: { handlers, onJob: () => () => {} }, root, maxUpload: 4096 });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** Sends the path as it is written: fetch would tidy it first. */
function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port: server.port, path, headers, method }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (t: string) => {
        body += t;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    sent.on('error', reject).end();
  });
}

/** 'open', or the status with which the handshake was refused. */
function shake(query: string, headers: Record<string, string>, path = '/wire'): Promise<'open' | number> {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(`ws://127.0.0.1:${server.port}${path}${query}`, { headers });
    ws.on('open', () => {
      ws.terminate();
      resolve('open');
    });
    ws.on('unexpected-response', (_request, response) => {
      resolve(response.statusCode ?? 0);
      ws.terminate();
    });
    ws.on('error', (error) => (/Unexpected|closed before/.test(error.message) ? undefined : reject(error)));
  });
}
const own = (): Record<string, string> => ({ Origin: `http://127.0.0.1:${server.port}` });

describe('pages', () => {
  it('are served isolated and under a policy that names only ourselves', async () => {
    const page = await ask('/?token=whatever');
    expect(page.status).toBe(200);
    expect(page.body).toContain('Bantam');
    expect(page.headers['cross-origin-opener-policy']).toBe('same-origin');
    expect(page.headers['cross-origin-embedder-policy']).toBe('require-corp');
    const policy = String(page.headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("'wasm-unsafe-eval'");
    expect(policy).not.toContain("'unsafe-eval'");
    expect(policy).not.toMatch(/https?:/);
    expect(page.headers['access-control-allow-origin']).toBeUndefined();
    expect((await ask('/assets/a.js')).headers['content-type']).toContain('text/javascript');
    expect((await ask('/', {}, 'HEAD')).body).toBe('');
  });
  it.each([
    '/../outside.js',
    '/..%2foutside.js',
    '/%2e%2e/outside.js',
    '/assets/../../outside.js',
    '/assets/..%5c..%5coutside.js',
    '//etc/passwd',
    '/link.js',
    '/.hidden.js',
    '/unknown.kind',
    '/assets',
    '/a%00.js',
    '/%',
  ])('never leave their folder: %s', async (path) => {
    const answer = await ask(path);
    expect(answer.status).toBe(404);
    expect(answer.body).not.toContain('secret');
  });
  it('are refused under another name, and to other methods', async () => {
    expect((await ask('/', { Host: 'evil.example' })).status).toBe(403);
    expect((await ask('/', { Host: `evil.example:${server.port}` })).status).toBe(403);
    expect((await ask('/', {}, 'POST')).status).toBe(405);
  });
});

describe('the wire', () => {
  it('opens only with the token, from our own page, under our own name', async () => {
    const good = `?token=${server.token}`;
    expect(await shake(good, own())).toBe('open');
    expect(await shake('', own())).toBe(403);
    expect(await shake(`?token=${server.token}x`, own())).toBe(403);
    expect(await shake(`?token=${'x'.repeat(server.token.length)}`, own())).toBe(403);
    expect(await shake(good, {})).toBe(403);
    expect(await shake(good, { Origin: 'http://evil.example' })).toBe(403);
    expect(await shake(good, { Origin: 'null' })).toBe(403);
    expect(await shake(good, { ...own(), Host: `evil.example:${server.port}` })).toBe(403);
    const rebound = { Origin: `http://evil.example:${server.port}`, Host: `evil.example:${server.port}` };
    expect(await shake(good, rebound)).toBe(403);
    expect(await shake(good, own(), '/other')).toBe(404);
  });

  const connect = (): Promise<Wire> =>
    new Promise((resolve, reject) => {
      const ws = new WebSocket(`ws://127.0.0.1:${server.port}/wire?token=${server.token}`, { headers: own() });
      const wire = socketWire(ws as unknown as SocketLike);
      ws.on('open', () => resolve(wire)).on('error', reject);
    });
  const later = (run: () => void): void => void setTimeout(run, 1);

  it('carries calls, bounds what is uploaded, and comes back after a refusal', async () => {
    const host = createHost(connect, { later, retryMs: 1 });
    expect(await host.call('jobs', {})).toEqual([]);
    await expect(host.call('openSample', { id: 'x' })).rejects.toMatchObject({ message: 'not in this test' });
    const small = host.call('openBytes', { name: 'a.onnx', bytes: new Uint8Array(1000) });
    await expect(small).rejects.toMatchObject({ message: 'not in this test' });
    const large = host.call('openBytes', { name: 'a.onnx', bytes: new Uint8Array(5000) });
    await expect(large).rejects.toMatchObject({ message: 'the connection to the host was lost' });
    expect(await host.call('jobs', {})).toEqual([]);
    host.close();
  });

  it('closes on a text message', async () => {
    const ws = new WebSocket(`ws://127.0.0.1:${server.port}/wire?token=${server.token}`, { headers: own() });
    await new Promise((r) => ws.on('open', r));
    const closed = new Promise((r) => ws.on('close', r));
    ws.send('{"kind":"call"}');
    await closed;
  });
});

describe('the port', () => {
  it('that is taken is one clear fault', async () => {
    const handlers = {} as Handlers;
    const again = startServer({ service: { handlers, onJob: () => () => {} }, root: folder, port: server.port });
    await expect(again).rejects.toMatchObject({ code: 'denied', message: expect.stringContaining('EADDRINUSE') });
  });
});
