/**
 * Owns fetchFile: one file from an address, known by its size and SHA-256. What came of a broken transfer stays beside the target and
 * the next call goes on from there (HTTP range); only whole, checked bytes get the target's name.
 */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, statSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Cancel, Cancelled, checkCancel } from '#shared/base/cancel.ts';
import { Fault } from '#shared/base/fault.ts';

export interface Wanted {
  readonly address: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface FetchOptions {
  readonly cancel: Cancel;
  progress(share: number): void;
  /** How long no byte may come before the transfer counts as broken. */
  readonly quietMs?: number;
}

export interface Fetched {
  /** Bytes that this call received; 0 where the file was there already. */
  readonly received: number;
  /** Bytes that an earlier call had left. */
  readonly resumedAt: number;
}

/** What is there of the file so far: beside the target, named after what it shall become. */
const partOf = (target: string, { sha256 }: Wanted): string =>
  join(dirname(target), `.${basename(target)}.${sha256.slice(0, 12)}.part`);

const hostOf = (address: string): string => new URL(address).host;

const again = (part: string): string =>
  existsSync(part)
    ? 'What has come stays; fetch it again to go on from there.'
    : 'Fetch it again when it can be reached.';

/** The system's word for a failed connection (ENOTFOUND, ECONNREFUSED ...), which undici hides in the cause. */
function reasonOf(thrown: unknown): string {
  let at: unknown = thrown;
  for (let depth = 0; depth < 4 && at instanceof Error; depth++) {
    const { code } = at as { code?: unknown };
    if (typeof code === 'string' && code !== 'ABORT_ERR') return code;
    at = at.cause;
  }
  return thrown instanceof Error ? thrown.message : String(thrown);
}

async function hashed(path: string): Promise<Hash> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash;
}

async function isWhole(path: string, wanted: Wanted): Promise<boolean> {
  if (!existsSync(path) || statSync(path).size !== wanted.bytes) return false;
  return (await hashed(path)).digest('hex') === wanted.sha256;
}

interface Answer {
  readonly body: AsyncIterable<Uint8Array>;
  /** Whether the server goes on from the byte that was asked for. */
  readonly goesOn: boolean;
}

async function ask(wanted: Wanted, from: number, part: string, signal: AbortSignal): Promise<Answer> {
  const headers = from > 0 ? { Range: `bytes=${from}-` } : undefined;
  const unreachable = (why: string): Fault =>
    new Fault('unsupported', `${hostOf(wanted.address)} cannot be reached: ${why}`, {
      where: wanted.address,
      hint: again(part),
    });
  let response: Response;
  try {
    response = await fetch(wanted.address, {
      signal,
      redirect: 'follow',
      ...(headers === undefined ? {} : { headers }),
    });
  } catch (thrown) {
    throw unreachable(reasonOf(thrown));
  }
  const { status, body } = response;
  if (status === 404 || status === 410)
    throw new Fault('not-found', `${hostOf(wanted.address)} does not have this file any more (${status})`, {
      where: wanted.address,
    });
  if ((status !== 200 && status !== 206) || body === null) throw unreachable(`it answered ${status}`);
  const start = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1];
  return { body: body as unknown as AsyncIterable<Uint8Array>, goesOn: status === 206 && Number(start) === from };
}

const wrongContent = (wanted: Wanted, why: string): Fault =>
  new Fault('bad-file', `what ${hostOf(wanted.address)} sent is not the file that was published: ${why}`, {
    where: wanted.address,
    hint: 'Nothing was kept. The publisher may have replaced the file, or something on the way changes it.',
  });

const broken = (wanted: Wanted, part: string, why: string): Fault =>
  new Fault('unsupported', `the transfer from ${hostOf(wanted.address)} broke off: ${why}`, {
    where: wanted.address,
    hint: again(part),
  });

/** A signal that comes when nobody says `alive` for so long. */
function watch(quietMs: number): { readonly signal: AbortSignal; alive(): void; end(): void } {
  const control = new AbortController();
  const late = (): void => control.abort(new Error(`no byte came for ${quietMs / 1000} s`));
  let timer = setTimeout(late, quietMs);
  return {
    signal: control.signal,
    alive: () => {
      clearTimeout(timer);
      timer = setTimeout(late, quietMs);
    },
    end: () => clearTimeout(timer),
  };
}

/** Writes what comes behind the first `from` bytes of `part`, checks the whole, syncs. Gives the bytes received. */
async function receive(part: string, from: number, answer: Answer, wanted: Wanted, o: FetchOptions, alive: () => void) {
  const hash = from > 0 ? await hashed(part) : createHash('sha256');
  const file: FileHandle = await open(part, from > 0 ? 'r+' : 'w');
  let end = from;
  try {
    for await (const chunk of answer.body) {
      alive();
      checkCancel(o.cancel);
      if (end + chunk.length > wanted.bytes) throw wrongContent(wanted, `it is longer than ${wanted.bytes} bytes`);
      await file.write(chunk, 0, chunk.length, end);
      hash.update(chunk);
      end += chunk.length;
      o.progress(end / wanted.bytes);
    }
    if (end < wanted.bytes) throw broken(wanted, part, `${end} of ${wanted.bytes} bytes came`);
    const found = hash.digest('hex');
    if (found !== wanted.sha256) throw wrongContent(wanted, `its SHA-256 is ${found}, not ${wanted.sha256}`);
    await file.sync();
  } catch (thrown) {
    if (thrown instanceof Fault || thrown instanceof Cancelled) throw thrown;
    throw broken(wanted, part, reasonOf(thrown));
  } finally {
    await file.close();
  }
  return end - from;
}

/**
 * Fetches into `target`, its folder made where missing. Faults: `unsupported` where the address cannot be reached or the transfer
 * breaks (what came is kept), `not-found`, `bad-file` for other bytes than those wanted (nothing is kept). Throws Cancelled.
 */
export async function fetchFile(wanted: Wanted, target: string, options: FetchOptions): Promise<Fetched> {
  if (await isWhole(target, wanted)) return { received: 0, resumedAt: wanted.bytes };
  mkdirSync(dirname(target), { recursive: true });
  const part = partOf(target, wanted);
  if (existsSync(part) && statSync(part).size >= wanted.bytes) await rm(part);
  const had = existsSync(part) ? statSync(part).size : 0;
  const patience = watch(options.quietMs ?? 30_000);
  try {
    const answer = await ask(wanted, had, part, patience.signal);
    const from = answer.goesOn ? had : 0;
    const received = await receive(part, from, answer, wanted, options, patience.alive);
    await rename(part, target);
    return { received, resumedAt: from };
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === 'bad-file') await rm(part, { force: true });
    throw thrown;
  } finally {
    patience.end();
  }
}
