/** Owns the data id: a path, and behind a # what to take from it (`digits.npz#x=pixels,y=class`, `wine.csv#label=kind`). */
import { existsSync } from 'node:fs';
import { Fault } from '#shared/base/fault.ts';
import { text } from '#shared/base/text.ts';

export interface DataId {
  readonly path: string;
  readonly options: Readonly<Record<string, string>>;
}

/** Splits a data id. A file whose own name holds a # is that file. Faults: `bad-input` for an option without a value. */
export function parseDataId(id: string): DataId {
  const at = id.lastIndexOf('#');
  if (at < 1 || existsSync(id)) return { path: id, options: {} };
  const pairs = id
    .slice(at + 1)
    .split(',')
    .map((pair) => pair.split('='));
  for (const [key, value, more] of pairs)
    if (!key || !value || more !== undefined)
      throw new Fault(
        'bad-input',
        text('behind # stand options like x=images,y=labels', '# 뒤에는 x=images,y=labels 같은 옵션을 적습니다'),
        { where: id },
      );
  return { path: id.slice(0, at), options: Object.fromEntries(pairs.map(([k = '', v = '']) => [k, v])) };
}

/** Faults: `bad-input` for options that this kind of data does not have. */
export function checkOptions(id: DataId, known: readonly string[]): void {
  const odd = Object.keys(id.options).find((k) => !known.includes(k));
  if (odd !== undefined)
    throw new Fault(
      'bad-input',
      text(`this data has no option "${odd}"`, `이 데이터에는 옵션 "${odd}"이(가) 없습니다`),
      {
        where: id.path,
        hint:
          known.length === 0
            ? text('It has none.', '옵션이 없습니다.')
            : text(`Known: ${known.join(', ')}.`, `있는 옵션: ${known.join(', ')}.`),
      },
    );
}
