/** Owns what a command prints: one JSON object with --json, else text. */

export interface OutputOptions {
  readonly json?: boolean;
}

/** Prints the result. JSON is one line-broken object and nothing else on stdout. */
export function print(options: OutputOptions, json: unknown, text: () => string): void {
  process.stdout.write(options.json ? `${JSON.stringify(json, null, 2)}\n` : `${text()}\n`);
}

/** A line that says what is being done now: on stderr, rewritten in place on a terminal, silent elsewhere. */
export function progressLine(): { show(share: number, what: string): void; done(): void } {
  const live = process.stderr.isTTY === true;
  return {
    show: (share, what) => {
      if (live) process.stderr.write(`\r\x1b[K${(share * 100).toFixed(0).padStart(3)} %  ${what}`);
    },
    done: () => {
      if (live) process.stderr.write('\r\x1b[K');
    },
  };
}
