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
import { type Said, type Text, text, textAround } from '#shared/base/text.ts';

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

const again = (part: string): Text =>
  existsSync(part)
    ? text(
        'What has come stays; fetch it again to go on from there.',
        '받은 만큼은 남아 있습니다. 다시 받으면 거기서부터 이어집니다.',
      )
    : text('Fetch it again when it can be reached.', '연결되면 다시 받으세요.');

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
  const unreachable = (why: Said): Fault =>
    new Fault(
      'unsupported',
      textAround(
        why,
        (w) => `${hostOf(wanted.address)} cannot be reached: ${w}`,
        (w) => `${hostOf(wanted.address)}에 연결할 수 없습니다: ${w}`,
      ),
      {
        where: wanted.address,
        hint: again(part),
      },
    );
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
    throw new Fault(
      'not-found',
      text(
        `${hostOf(wanted.address)} does not have this file any more (${status})`,
        `${hostOf(wanted.address)}에 이 파일이 더 이상 없습니다(${status})`,
      ),
      {
        where: wanted.address,
      },
    );
  if ((status !== 200 && status !== 206) || body === null)
    throw unreachable(text(`it answered ${status}`, `응답 ${status}`));
  const start = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1];
  return { body: body as unknown as AsyncIterable<Uint8Array>, goesOn: status === 206 && Number(start) === from };
}

const wrongContent = (wanted: Wanted, why: Said): Fault =>
  new Fault(
    'bad-file',
    textAround(
      why,
      (w) => `what ${hostOf(wanted.address)} sent is not the file that was published: ${w}`,
      (w) => `${hostOf(wanted.address)}에서 온 것이 공개된 파일과 다릅니다: ${w}`,
    ),
    {
      where: wanted.address,
      hint: text(
        'Nothing was kept. The publisher may have replaced the file, or something on the way changes it.',
        '아무것도 남기지 않았습니다. 배포자가 파일을 바꾸었거나 중간에서 내용이 바뀌었을 수 있습니다.',
      ),
    },
  );

const broken = (wanted: Wanted, part: string, why: Said): Fault =>
  new Fault(
    'unsupported',
    textAround(
      why,
      (w) => `the transfer from ${hostOf(wanted.address)} broke off: ${w}`,
      (w) => `${hostOf(wanted.address)}에서 받다가 끊겼습니다: ${w}`,
    ),
    {
      where: wanted.address,
      hint: again(part),
    },
  );

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
      if (end + chunk.length > wanted.bytes)
        throw wrongContent(wanted, text(`it is longer than ${wanted.bytes} bytes`, `${wanted.bytes}바이트보다 깁니다`));
      await file.write(chunk, 0, chunk.length, end);
      hash.update(chunk);
      end += chunk.length;
      o.progress(end / wanted.bytes);
    }
    if (end < wanted.bytes)
      throw broken(
        wanted,
        part,
        text(`${end} of ${wanted.bytes} bytes came`, `${wanted.bytes}바이트 가운데 ${end}바이트만 왔습니다`),
      );
    const found = hash.digest('hex');
    if (found !== wanted.sha256)
      throw wrongContent(
        wanted,
        text(`its SHA-256 is ${found}, not ${wanted.sha256}`, `SHA-256이 ${wanted.sha256}이(가) 아니라 ${found}입니다`),
      );
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
