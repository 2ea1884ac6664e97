/** Owns Fault, the one kind of error that reaches a person: what went wrong, where, and what to do. */
import { inLanguage, type Language, type Said, type Text } from './text.ts';

/** Every fault code of the product; a code never changes its meaning. */
export type FaultCode =
  | 'bad-input' // a value from outside does not fit its schema
  | 'bad-file' // a file cannot be read: corrupt, truncated, wrong format
  | 'bad-path' // a path leaves its folder or does not exist
  | 'bad-recipe'
  | 'bad-graph' // the graph contradicts itself (missing value, cycle, wrong rank)
  | 'does-not-fit' // a technique cannot take what was selected
  | 'no-rule' // an operator owes a rule that is needed here
  | 'no-data' // a step needs data that was not given
  | 'runtime' // the inference runtime refused or failed
  | 'crashed' // a job process died
  | 'diverged' // training produced NaN or a loss that only grows
  | 'unsupported' // valid, but this version or this machine cannot do it
  | 'not-found'
  | 'denied'
  | 'internal'; // a bug of ours

/** What a fault says in Korean; what is left out reads as in English (a name, a library's own words). */
export interface KoreanFault {
  readonly message?: string | undefined;
  readonly where?: string | undefined;
  readonly hint?: string | undefined;
}

/** A fault as data, as it crosses the contract and the journal. Its own fields are in English: logs and the command line read them. */
export interface FaultData {
  readonly code: FaultCode;
  readonly message: string;
  /** File, tensor, node or field that the fault is about. */
  readonly where?: string;
  /** What the person can do about it. */
  readonly hint?: string;
  readonly korean?: KoreanFault;
}

interface More {
  readonly where?: Said;
  readonly hint?: Said;
  readonly cause?: unknown;
  /** Of a fault that is made from another's data. */
  readonly korean?: KoreanFault | undefined;
}

const english = (said: Said): string => inLanguage(said, 'en');

/** The Korean of the parts that have one. Parts that are plain strings keep what the other fault said of them. */
function koreanOf(message: Said, more: More): KoreanFault | undefined {
  const part = (said: Said | undefined, kept: string | undefined): string | undefined =>
    typeof said === 'object' ? said.ko : kept;
  const found = {
    message: part(message, more.korean?.message),
    where: part(more.where, more.korean?.where),
    hint: part(more.hint, more.korean?.hint),
  };
  const known = Object.entries(found).filter(([, words]) => words !== undefined);
  return known.length === 0 ? undefined : Object.fromEntries(known);
}

/**
 * An error meant for a person. Thrown everywhere below the contract, turned into data at its edge. What it says is written where it
 * is thrown, in both languages: `new Fault('bad-file', text('the file is empty', '파일이 비어 있습니다'))`.
 */
export class Fault extends Error implements FaultData {
  readonly code: FaultCode;
  readonly where?: string;
  readonly hint?: string;
  readonly korean?: KoreanFault;

  constructor(code: FaultCode, message: Said, more: More = {}) {
    super(english(message), more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'Fault';
    this.code = code;
    if (more.where !== undefined) this.where = english(more.where);
    if (more.hint !== undefined) this.hint = english(more.hint);
    const korean = koreanOf(message, more);
    if (korean !== undefined) this.korean = korean;
  }

  toData(): FaultData {
    return {
      code: this.code,
      message: this.message,
      ...(this.where === undefined ? {} : { where: this.where }),
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.korean === undefined ? {} : { korean: this.korean }),
    };
  }
}

/** What a fault says, whatever its code. */
export interface Complaint {
  readonly message: string;
  readonly where?: string | undefined;
  readonly hint?: string | undefined;
  readonly korean?: KoreanFault | undefined;
}

/** What a fault says, in one language. */
export function faultIn({ message, where, hint, korean }: Complaint, language: Language): Omit<Complaint, 'korean'> {
  const ko = language === 'ko' ? (korean ?? {}) : {};
  return {
    message: ko.message ?? message,
    ...(where === undefined ? {} : { where: ko.where ?? where }),
    ...(hint === undefined ? {} : { hint: ko.hint ?? hint }),
  };
}

/** A fault's message in both languages, to build another's from it. */
export const faultMessage = ({ message, korean }: Complaint): Text => ({ en: message, ko: korean?.message ?? message });

/** Where, in both languages; empty where it does not say. */
export const faultWhere = ({ where = '', korean }: Complaint): Text => ({ en: where, ko: korean?.where ?? where });

/** A fault's hint in both languages; empty where it has none. */
export const faultHint = ({ hint = '', korean }: Complaint): Text => ({ en: hint, ko: korean?.hint ?? hint });

/** Any thrown thing as a Fault; what is not a Fault already becomes `internal`, its cause kept. */
export function toFault(thrown: unknown, code: FaultCode = 'internal', where?: string): Fault {
  if (thrown instanceof Fault) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new Fault(code, message, { cause: thrown, ...(where === undefined ? {} : { where }) });
}

/** One line for a terminal: `message (where). hint` */
export function faultLine(fault: FaultData): string {
  const message = fault.message.replace(/\.$/, '').replace(/\s+/g, ' ');
  const where = fault.where === undefined ? '' : ` (${fault.where})`;
  const hint = fault.hint === undefined ? '' : ` ${fault.hint}`;
  return `${message}${where}.${hint}`;
}
