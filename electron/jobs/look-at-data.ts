/** Owns looking at a data set with a model, before anything is run: what it holds, and which preprocessing suits. */
import type { Cancel } from '#shared/base/cancel.ts';
import { Fault } from '#shared/base/fault.ts';
import type { DataLook } from '#shared/contract/calls.ts';
import type { Runtime } from '#shared/ports/runtime.ts';
import { type Proposal, proposePreprocess } from '#shared/training/propose-preprocess.ts';
import { withoutTest } from '#shared/training/test-guard.ts';
import { openDataset } from '../host/datasets/open-dataset.ts';
import { subjectAt } from './work-parts.ts';

/** Faults: those of the data. A model that data cannot feed has no proposals. */
export async function lookAtData(runtime: Runtime, model: string, data: string, cancel: Cancel): Promise<DataLook> {
  const dataset = await openDataset(data);
  const { source, labelled, classes, counts, splitRule } = dataset.info;
  let proposals: readonly Proposal[] = [];
  try {
    proposals = await proposePreprocess(runtime, subjectAt(model), withoutTest(dataset), { cancel });
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.code === 'bad-file') throw thrown;
  }
  return {
    source,
    labelled,
    classes: classes.length,
    counts: { ...counts },
    splitRule,
    proposals: proposals.slice(0, 8).map((p) => ({ ...p })),
  };
}
