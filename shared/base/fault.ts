/** Owns Fault, the one kind of error that reaches a person: what went wrong, where, and what to do. */

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

/** A fault as data, as it crosses the contract and the journal. */
export interface FaultData {
  readonly code: FaultCode;
  readonly message: string;
  /** File, tensor, node or field that the fault is about. */
  readonly where?: string;
  /** What the person can do about it. */
  readonly hint?: string;
}

/** An error meant for a person. Thrown everywhere below the contract, turned into data at its edge. */
export class Fault extends Error implements FaultData {
  readonly code: FaultCode;
  readonly where?: string;
  readonly hint?: string;

  constructor(code: FaultCode, message: string, more: { where?: string; hint?: string; cause?: unknown } = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'Fault';
    this.code = code;
    if (more.where !== undefined) this.where = more.where;
    if (more.hint !== undefined) this.hint = more.hint;
  }

  toData(): FaultData {
    return {
      code: this.code,
      message: this.message,
      ...(this.where === undefined ? {} : { where: this.where }),
      ...(this.hint === undefined ? {} : { hint: this.hint }),
    };
  }
}

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
