/** Owns a handful of samples for the screen, drawn by seed; test samples are out of its reach. */
import { Fault } from '#shared/base/fault.ts';
import { rng } from '#shared/base/random.ts';
import { text } from '#shared/base/text.ts';
import type { CallOutput } from '#shared/contract/calls.ts';
import { withoutTest } from '#shared/training/test-guard.ts';
import { openDataset } from '../host/datasets/open-dataset.ts';
import type { Task } from './protocol.ts';

/** From the validation split, or the training split where there is none. Faults: `no-data`, those of the data set. */
export async function someSamples(task: Extract<Task, { kind: 'samples' }>): Promise<CallOutput<'someSamples'>> {
  const dataset = withoutTest(await openDataset(task.data));
  const { info } = dataset;
  const split = info.counts.validation > 0 ? 'validation' : 'train';
  const count = info.counts[split];
  if (count === 0)
    throw new Fault('no-data', text('the data has no samples to show', '데이터에 보여 줄 샘플이 없습니다'), {
      where: info.id,
    });
  const random = rng(task.seed);
  const indices = Array.from({ length: Math.min(task.count, count) }, () => random.below(count));
  const samples = await dataset.read(split, indices);
  const own = info.sample;
  const plain = own.kind === 'image' ? own : { height: 1, width: own.length, channels: 1 };
  return {
    split,
    classes: [...info.classes],
    kind: own.kind,
    channels: plain.channels,
    samples: samples.map((s) => ({
      values: new Uint8Array(s.values.slice().buffer),
      height: s.height ?? plain.height,
      width: s.width ?? plain.width,
      label: s.label,
    })),
  };
}
