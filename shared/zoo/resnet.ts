/** Owns ResNet-8 by name, for those that need no other net of the zoo. */
import type { Model } from '../ir/model.ts';
import { buildFromZoo } from './index.ts';

/** A stem at half size and three residual blocks of 16, 24 and 48 channels, global average pooling, 10 classes. */
export const resnet8 = (seed = 1): Model => buildFromZoo('resnet-8-digits', { seed });
