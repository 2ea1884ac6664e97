/** Owns LeNet-300-100 and LeNet-5 by name, for those that need no other net of the zoo. */
import type { Model } from '../ir/model.ts';
import { buildNet } from './declare.ts';
import { lenetEntries } from './nets/lenet.ts';

const made = (id: string, seed: number): Model => {
  const entry = lenetEntries.find((e) => e.id === id);
  if (entry === undefined) throw new Error(`no ${id}`);
  return buildNet(entry, { seed });
};

/** 784 - 300 - 100 - 10, ReLU between: 266,610 parameters (LeCun et al. 1998). input: [N, 1, 28, 28] */
export const lenet300 = (seed = 1): Model => made('lenet-300-100', seed);

/** Caffe's LeNet-5: conv 20 and 50 of 5 x 5 without padding, 2 x 2 pools, 500, 10: 431,080 parameters. */
export const lenet5 = (seed = 1): Model => made('lenet-5', seed);
