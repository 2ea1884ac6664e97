/**
 * Owns the frame: one message as bytes, [u32 little-endian header length][JSON header][attachments]. Every Uint8Array
 * of the message travels as an attachment and comes back as itself; the header says at which path each one stood.
 */
import { Fault } from '../base/fault.ts';
import { text } from '../base/text.ts';

type Path = readonly (string | number)[];
interface Header {
  readonly message: unknown;
  readonly attachments: readonly { readonly at: Path; readonly bytes: number }[];
}

/** Deepest nesting a message may have; recipes and documents stay far below. */
const maxDepth = 64;

function detach(value: unknown, at: Path, found: { at: Path; data: Uint8Array }[]): unknown {
  if (at.length > maxDepth)
    throw new Fault('bad-input', text('a message is nested too deeply', '메시지가 너무 깊이 겹쳐 있습니다'));
  if (value instanceof Uint8Array) {
    found.push({ at, data: value });
    return null;
  }
  if (Array.isArray(value)) return value.map((v, i) => detach(v, [...at, i], found));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, detach(v, [...at, k], found)]));
  return value;
}

/** A message (plain data and Uint8Array) as one frame. */
export function encodeFrame(message: unknown): Uint8Array {
  const found: { at: Path; data: Uint8Array }[] = [];
  const plain = detach(message, [], found);
  const header: Header = { message: plain, attachments: found.map((f) => ({ at: f.at, bytes: f.data.byteLength })) };
  const json = new TextEncoder().encode(JSON.stringify(header));
  const out = new Uint8Array(found.reduce((n, f) => n + f.data.byteLength, 4 + json.byteLength));
  new DataView(out.buffer).setUint32(0, json.byteLength, true);
  out.set(json, 4);
  let offset = 4 + json.byteLength;
  for (const f of found) {
    out.set(f.data, offset);
    offset += f.data.byteLength;
  }
  return out;
}

const broken = (why: string): Fault => new Fault('bad-input', text(`broken frame: ${why}`, `깨진 프레임: ${why}`));

function headerOf(value: unknown): Header {
  const h = value as Partial<Header> | null;
  if (typeof h !== 'object' || h === null || !Array.isArray(h.attachments)) throw broken('no header');
  return h as Header;
}

/** Puts `data` at `path` of a value that JSON.parse made. Own keys only, so no prototype can be reached. */
function attach(root: { message: unknown }, path: Path, data: Uint8Array): void {
  let holder: unknown = root;
  let key: string | number = 'message';
  for (const step of path) {
    holder = (holder as Record<string | number, unknown>)[key];
    key = step;
    if (typeof holder !== 'object' || holder === null || !Object.hasOwn(holder, key))
      throw broken('an attachment has no place');
  }
  (holder as Record<string | number, unknown>)[key] = data;
}

/** The message of a frame; attachments are views into it. Faults: `bad-input`. */
export function decodeFrame(frame: Uint8Array): unknown {
  if (frame.byteLength < 4) throw broken('too short');
  const length = new DataView(frame.buffer, frame.byteOffset).getUint32(0, true);
  if (4 + length > frame.byteLength) throw broken('header longer than the frame');
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(frame.subarray(4, 4 + length)));
  } catch {
    throw broken('header is no JSON');
  }
  const header = headerOf(parsed);
  const root = { message: header.message };
  let offset = 4 + length;
  for (const a of header.attachments) {
    if (!Number.isSafeInteger(a?.bytes) || a.bytes < 0 || !Array.isArray(a.at)) throw broken('bad attachment');
    if (offset + a.bytes > frame.byteLength) throw broken('attachment longer than the frame');
    attach(root, a.at, frame.subarray(offset, offset + a.bytes));
    offset += a.bytes;
  }
  if (offset !== frame.byteLength) throw broken('bytes left over');
  return root.message;
}
