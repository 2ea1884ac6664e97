/** Fetching from a local server: whole, resumed, changed on the way, broken off, not there, unreachable. */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { cancelSource, neverCancelled } from '#shared/base/cancel.ts';
import { toFault } from '#shared/base/fault.ts';
import { rng } from '#shared/base/random.ts';
import { catalogue } from '#shared/zoo/catalogue.ts';
import { type FetchOptions, fetchFile } from './fetch-file.ts';

const random = rng(5);
const content = Buffer.from(Uint8Array.from({ length: 300_000 }, () => random.below(256)));
const sha256 = createHash('sha256').update(content).digest('hex');

let folder: string;
let server: Server;
let asked: IncomingMessage[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;
const target = (): string => join(folder, 'net.onnx');
const quiet: FetchOptions = { cancel: neverCancelled, progress: () => {} };
const wanted = () => ({
  address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/net.onnx`,
  bytes: content.length,
  sha256,
});

/** Sends from where it is asked, as file servers do. */
const ranged = (request: IncomingMessage, response: ServerResponse, upTo = content.length): void => {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const head = { 'content-length': content.length - from };
  if (from > 0)
    response.writeHead(206, { ...head, 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` });
  else response.writeHead(200, head);
  if (upTo === content.length) response.end(content.subarray(from));
  else response.write(content.subarray(from, upTo), () => setTimeout(() => response.destroy(), 20));
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bantam-fetch-'));
  asked = [];
  answer = ranged;
  server = createServer((request, response) => {
    asked.push(request);
    answer(request, response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  rmSync(folder, { recursive: true });
});

const failing = async (options: FetchOptions = quiet) =>
  fetchFile(wanted(), target(), options).then(
    () => expect.unreachable(),
    (thrown: unknown) => toFault(thrown).toData(),
  );

it('writes the whole file, and asks for nothing where it is there already', async () => {
  expect(await fetchFile(wanted(), target(), quiet)).toEqual({ received: content.length, resumedAt: 0 });
  expect(readFileSync(target()).equals(content)).toBe(true);
  expect(readdirSync(folder)).toEqual(['net.onnx']);
  expect(await fetchFile(wanted(), target(), quiet)).toEqual({ received: 0, resumedAt: content.length });
  expect(asked).toHaveLength(1);
});

it('goes on where a broken transfer stopped', async () => {
  answer = (request, response) => ranged(request, response, 100_000);
  expect(await failing()).toMatchObject({ code: 'unsupported', message: expect.stringContaining('broke off') });
  expect(existsSync(target())).toBe(false);
  answer = ranged;
  const fetched = await fetchFile(wanted(), target(), quiet);
  expect(fetched.resumedAt).toBeGreaterThan(0);
  expect(fetched.received + fetched.resumedAt).toBe(content.length);
  expect(asked[1]?.headers.range).toBe(`bytes=${fetched.resumedAt}-`);
  expect(readFileSync(target()).equals(content)).toBe(true);
});

it('begins again where the server knows no ranges', async () => {
  answer = (request, response) => ranged(request, response, 100_000);
  await failing();
  answer = (_, response) => response.end(content);
  expect(await fetchFile(wanted(), target(), quiet)).toEqual({ received: content.length, resumedAt: 0 });
  expect(readFileSync(target()).equals(content)).toBe(true);
});

it.each([
  ['one byte changed', () => Buffer.from(content.map((b, i) => (i === 7 ? b ^ 1 : b))), 'SHA-256'],
  ['a page in its place', () => Buffer.concat([content, Buffer.from('<html>')]), 'longer'],
])('refuses %s and keeps nothing; what stood there stays', async (_, sent, why) => {
  writeFileSync(target(), 'mine');
  answer = (_request, response) => response.end(sent());
  expect(await failing()).toMatchObject({ code: 'bad-file', message: expect.stringContaining(why) });
  expect(readdirSync(folder)).toEqual(['net.onnx']);
  expect(readFileSync(target(), 'utf8')).toBe('mine');
});

it('a part that no longer fits the file is found by its hash, and gone', async () => {
  answer = (request, response) => ranged(request, response, 100_000);
  await failing();
  const part = readdirSync(folder).find((f) => f.endsWith('.part')) ?? '';
  const held = readFileSync(join(folder, part));
  writeFileSync(
    join(folder, part),
    held.map((b) => b ^ 255),
  );
  answer = ranged;
  expect(await failing()).toMatchObject({ code: 'bad-file' });
  expect(readdirSync(folder)).toEqual([]);
});

it('says so where the server does not have it, answers otherwise, or falls silent', async () => {
  answer = (_, response) => response.writeHead(404).end();
  expect(await failing()).toMatchObject({ code: 'not-found' });
  answer = (_, response) => response.writeHead(503).end();
  expect(await failing()).toMatchObject({ code: 'unsupported', message: expect.stringContaining('503') });
  answer = (_, response) => response.write(content.subarray(0, 1000));
  expect(await failing({ ...quiet, quietMs: 150 })).toMatchObject({
    code: 'unsupported',
    message: expect.stringContaining('no byte came'),
  });
});

it('without a connection one line says which host, and what to do', async () => {
  const gone = wanted();
  await new Promise((done) => server.close(done));
  const fault = await fetchFile(gone, target(), quiet).catch((thrown: unknown) => toFault(thrown).toData());
  expect(fault).toMatchObject({
    code: 'unsupported',
    message: expect.stringMatching(/^127\.0\.0\.1:\d+ cannot be reached: ECONNREFUSED$/),
    hint: 'Fetch it again when it can be reached.',
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
});

it('can be cancelled', async () => {
  const { token, cancel } = cancelSource();
  await expect(fetchFile(wanted(), target(), { cancel: token, progress: cancel })).rejects.toThrow('cancelled');
  expect(existsSync(target())).toBe(false);
});

it('every entry of the catalogue is complete', () => {
  expect(new Set(catalogue.map((e) => e.id)).size).toBe(catalogue.length);
  for (const e of catalogue) {
    expect(e.address).toMatch(/^https:\/\/[^ ]+\.onnx$/);
    expect(e.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(e.bytes).toBeGreaterThan(1000);
    expect(e.licence).not.toBe('');
  }
});
