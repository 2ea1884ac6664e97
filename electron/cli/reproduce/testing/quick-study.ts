/** Owns quickStudy: what a reproduction works with, for tests: one thread, a sixth of the digits, no MNIST, silent. */
import { neverCancelled } from '#shared/base/cancel.ts';
import type { Dataset } from '#shared/ports/dataset.ts';
import { nodeRuntime } from '../../../runtime/node-runtime.ts';
import { openStudy, type Study } from '../study.ts';

/** The first samples of each split, which is shuffled as it stands. */
const fewer = (d: Dataset): Dataset => ({
  ...d,
  info: { ...d.info, counts: { train: 1280, validation: 300, test: 500 } },
});

/** `state`: folder that keeps what is trained. */
export async function quickStudy(state?: string): Promise<Study> {
  const report = { progress: () => {}, log: () => {}, curve: () => {}, training: () => {} };
  const study = await openStudy({ runtime: nodeRuntime(1), cancel: neverCancelled, report }, undefined, state);
  return { ...study, digits: fewer(study.digits) };
}
