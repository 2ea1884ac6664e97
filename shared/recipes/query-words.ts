/** Owns the words of the query language: splitting a query into tokens, each with its position, and reading amounts. */
import { Fault } from '../base/fault.ts';
import { type Said, text, textAround } from '../base/text.ts';

export interface Token {
  readonly kind: 'word' | 'text' | 'sign';
  readonly text: string;
  /** Index of its first character in the query. */
  readonly at: number;
}

/** The fault of a bad word, with where it stands (counted from 1). */
export const badWord = (query: string, at: number, message: Said, hint?: Said): Fault =>
  new Fault(
    'bad-recipe',
    textAround(
      message,
      (m) => `${m} (character ${at + 1} of the query)`,
      (m) => `${m}(쿼리의 ${at + 1}번째 글자)`,
    ),
    {
      where: query,
      ...(hint === undefined ? {} : { hint }),
    },
  );

const pattern = /\s*(?:"([^"]*)"|(>=|<=|!=|[()<>=~:])|([^\s()<>=~:"!]+))/y;

/** Tokens in order. Throws `bad-recipe` at a character that starts none. */
export function tokens(query: string): readonly Token[] {
  const out: Token[] = [];
  pattern.lastIndex = 0;
  for (let from = 0; query.slice(from).trim() !== ''; from = pattern.lastIndex) {
    pattern.lastIndex = from;
    const found = pattern.exec(query);
    if (found === null) {
      const at = from + query.slice(from).search(/\S/);
      throw badWord(
        query,
        at,
        text(
          `cannot read ${JSON.stringify(query[at] ?? '')}`,
          `${JSON.stringify(query[at] ?? '')}을(를) 읽을 수 없습니다`,
        ),
      );
    }
    const [whole, quoted, sign, word] = found;
    const at = from + whole.search(/\S/);
    if (quoted !== undefined) out.push({ kind: 'text', text: quoted, at });
    else if (sign !== undefined) out.push({ kind: 'sign', text: sign, at });
    else out.push({ kind: 'word', text: word ?? '', at });
  }
  return out;
}

/** An amount: a plain number, or a share of the model's total. */
export interface Amount {
  readonly value: number;
  readonly share: boolean;
}

const units: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
};

/** `10k`, `1.5M`, `2MiB`, `1%`; undefined where the word is no amount. */
export function amountOf(word: string): Amount | undefined {
  const found = /^(\d+(?:\.\d+)?)(%|[a-z]*)$/i.exec(word);
  if (found === null) return undefined;
  const number = Number(found[1]);
  const unit = (found[2] ?? '').toLowerCase();
  if (unit === '%') return { value: number / 100, share: true };
  const times = units[unit];
  return times === undefined ? undefined : { value: number * times, share: false };
}
