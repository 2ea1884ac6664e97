/** Owns what a command that runs models is given: runtime with its threads, cancelling by Ctrl+C, a progress line. */
import { cancelSource } from '#shared/base/cancel.ts';
import type { WorkParts } from '../jobs/work-parts.ts';
import { nodeRuntime } from '../runtime/node-runtime.ts';
import { progressLine } from './output.ts';

export interface RunOptions {
  readonly threads?: number;
}

/** Runs `work`; Ctrl+C stops it between steps, a second one at once. Log lines go to stderr. */
export async function withParts<T>(options: RunOptions, work: (parts: WorkParts) => Promise<T>): Promise<T> {
  const { token, cancel } = cancelSource();
  const line = progressLine();
  process.once('SIGINT', cancel);
  try {
    return await work({
      runtime: nodeRuntime(options.threads ?? 0),
      cancel: token,
      report: {
        progress: line.show,
        log: (text) => {
          line.done();
          process.stderr.write(`${text}\n`);
        },
        training: () => {},
        curve: (p) => {
          line.done();
          const held = p.validation === null ? '' : `, validation ${(p.validation * 100).toFixed(2)} %`;
          process.stderr.write(`epoch ${p.epoch}: loss ${p.loss.toPrecision(3)}${held}\n`);
        },
      },
    });
  } finally {
    line.done();
    process.off('SIGINT', cancel);
  }
}
