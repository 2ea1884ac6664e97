/** Owns ZIP archives, as far as NPZ uses them: stored or deflated entries, ZIP64; hostile sizes are refused. */
import { crc32, inflateRawSync } from 'node:zlib';
import { Fault } from '#shared/base/fault.ts';
import { type Said, text } from '#shared/base/text.ts';
import { type ByteSource, bytesSource, partOfSource } from './byte-source.ts';

export interface ZipEntry {
  readonly name: string;
  /** The entry's bytes; a stored one is read where it lies. Faults: `bad-file`, `unsupported` for what is too large to unpack. */
  open(): ByteSource;
}

/** A deflated entry is unpacked into memory; a bomb says so in its own directory, or stops here. */
const mostUnpacked = 2 ** 31;
const mostEntries = 10_000;

const view = (b: Uint8Array): DataView => new DataView(b.buffer, b.byteOffset, b.byteLength);

interface Directory {
  readonly from: number;
  readonly size: number;
  readonly entries: number;
}

function findDirectory(s: ByteSource): Directory {
  const bad = (message: Said): Fault => new Fault('bad-file', message, { where: s.where });
  if (s.size < 22) throw bad(text('not a ZIP file: too short', 'ZIP 파일이 아닙니다: 너무 짧습니다'));
  const tail = Math.min(s.size, 22 + 0xffff);
  const from = s.size - tail;
  const end = view(s.read(from, tail));
  let at = tail - 22;
  while (at >= 0 && end.getUint32(at, true) !== 0x06054b50) at--;
  if (at < 0)
    throw bad(
      text('not a ZIP file, or cut off: its directory is missing', 'ZIP 파일이 아니거나 잘렸습니다: 목록이 없습니다'),
    );
  const short = {
    from: end.getUint32(at + 16, true),
    size: end.getUint32(at + 12, true),
    entries: end.getUint16(at + 10, true),
  };
  const locator = from + at - 20;
  const long = short.from === 0xffffffff || short.size === 0xffffffff || short.entries === 0xffff;
  if (!long || locator < 0) return short;
  const place = view(s.read(locator, 20));
  if (place.getUint32(0, true) !== 0x07064b50)
    throw bad(text('the ZIP64 directory is missing', 'ZIP64 목록이 없습니다'));
  const record = Number(place.getBigUint64(8, true));
  if (!Number.isSafeInteger(record) || record + 56 > s.size)
    throw bad(text('the ZIP64 directory lies outside of the file', 'ZIP64 목록이 파일 밖에 있습니다'));
  const wide = view(s.read(record, 56));
  return {
    from: Number(wide.getBigUint64(48, true)),
    size: Number(wide.getBigUint64(40, true)),
    entries: Number(wide.getBigUint64(32, true)),
  };
}

interface Sizes {
  readonly packed: number;
  readonly unpacked: number;
  readonly header: number;
}

/** Sizes of 4 GB and more stand in the extra field 1, in this order, those that are needed alone. */
function wideSizes(extra: Uint8Array, short: Sizes): Sizes {
  const v = view(extra);
  for (let at = 0; at + 4 <= extra.length; at += 4 + v.getUint16(at + 2, true)) {
    if (v.getUint16(at, true) !== 1) continue;
    let from = at + 4;
    const end = Math.min(extra.length, from + v.getUint16(at + 2, true));
    const next = (value: number): number => {
      if (value !== 0xffffffff || from + 8 > end) return value;
      from += 8;
      return Number(v.getBigUint64(from - 8, true));
    };
    const unpacked = next(short.unpacked);
    const packed = next(short.packed);
    return { unpacked, packed, header: next(short.header) };
  }
  return short;
}

function openEntry(s: ByteSource, where: string, flags: number, method: number, crc: number, sizes: Sizes): ByteSource {
  const bad = (message: Said): Fault => new Fault('bad-file', message, { where });
  if ((flags & 1) !== 0)
    throw new Fault('unsupported', text('the entry is encrypted', '항목이 암호화되어 있습니다'), { where });
  const local = view(s.read(sizes.header, 30));
  if (local.getUint32(0, true) !== 0x04034b50)
    throw bad(text('the ZIP entry is not where the directory says', 'ZIP 항목이 목록에 적힌 자리에 없습니다'));
  const from = sizes.header + 30 + local.getUint16(26, true) + local.getUint16(28, true);
  if (from + sizes.packed > s.size) throw bad(text('the ZIP entry is cut off', 'ZIP 항목이 잘렸습니다'));
  if (method === 0) {
    if (sizes.packed !== sizes.unpacked)
      throw bad(text('the ZIP entry contradicts itself about its size', 'ZIP 항목의 크기 정보가 서로 다릅니다'));
    return partOfSource(s, from, sizes.unpacked, where);
  }
  if (method !== 8)
    throw new Fault(
      'unsupported',
      text(`ZIP compression method ${method} is not known`, `ZIP 압축 방식 ${method}은(는) 알 수 없습니다`),
      { where },
    );
  if (sizes.unpacked > mostUnpacked)
    throw new Fault(
      'unsupported',
      text(
        `unpacked the entry would take ${(sizes.unpacked / 2 ** 30).toFixed(1)} GB`,
        `항목을 풀면 ${(sizes.unpacked / 2 ** 30).toFixed(1)} GB가 됩니다`,
      ),
      {
        where,
        hint: text(
          'Save it uncompressed (numpy.savez), then it is read piece by piece.',
          '압축하지 않고 저장하면(numpy.savez) 나누어 읽을 수 있습니다.',
        ),
      },
    );
  let bytes: Uint8Array;
  try {
    bytes = inflateRawSync(s.read(from, sizes.packed), { maxOutputLength: Math.max(1, sizes.unpacked) });
  } catch (cause) {
    throw new Fault(
      'bad-file',
      text('the ZIP entry is broken, or larger than it says', 'ZIP 항목이 깨졌거나 적힌 것보다 큽니다'),
      { where, cause },
    );
  }
  if (bytes.length !== sizes.unpacked || crc32(bytes) !== crc)
    throw bad(text('the ZIP entry is damaged: its checksum is wrong', 'ZIP 항목이 손상되었습니다: 체크섬이 다릅니다'));
  return bytesSource(where, bytes);
}

/** Lists the entries of a ZIP archive; nothing is unpacked yet. Faults: `bad-file`. */
export function openZip(s: ByteSource): readonly ZipEntry[] {
  const bad = (message: Said): Fault => new Fault('bad-file', message, { where: s.where });
  const directory = findDirectory(s);
  if (!(directory.from + directory.size <= s.size))
    throw bad(text('the ZIP directory lies outside of the file', 'ZIP 목록이 파일 밖에 있습니다'));
  if (directory.entries > mostEntries)
    throw bad(
      text(
        `a ZIP file of ${directory.entries} entries is no NPZ`,
        `항목이 ${directory.entries}개인 ZIP 파일은 NPZ가 아닙니다`,
      ),
    );
  const bytes = s.read(directory.from, directory.size);
  const v = view(bytes);
  const found: ZipEntry[] = [];
  for (let at = 0, k = 0; k < directory.entries; k++) {
    if (at + 46 > bytes.length || v.getUint32(at, true) !== 0x02014b50)
      throw bad(text('the ZIP directory is broken', 'ZIP 목록이 깨졌습니다'));
    const [names, extras, comments] = [28, 30, 32].map((o) => v.getUint16(at + o, true)) as [number, number, number];
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + names));
    const extra = bytes.subarray(at + 46 + names, at + 46 + names + extras);
    const [flags, method, crc] = [v.getUint16(at + 8, true), v.getUint16(at + 10, true), v.getUint32(at + 16, true)];
    const sizes = wideSizes(extra, {
      packed: v.getUint32(at + 20, true),
      unpacked: v.getUint32(at + 24, true),
      header: v.getUint32(at + 42, true),
    });
    found.push({ name, open: () => openEntry(s, `${s.where}: ${name}`, flags, method, crc, sizes) });
    at += 46 + names + extras + comments;
  }
  return found;
}
