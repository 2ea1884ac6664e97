/**
 * Owns asWritten: a model in the layout that it will be saved in, so that its size is the saved files' whatever they are called.
 * One .onnx file up to 2 GB; beyond it, large tensors stand in one data file whose name always has the same length.
 */
import { elementCount, rawByteLength } from '../ir/element-type.ts';
import type { Model } from '../ir/model.ts';
import { embedded } from './embedded.ts';
import { withExternalData } from './external.ts';
import { onnxFileBytes } from './size.ts';
import { largestFile } from './write.ts';

/** Name of a data file. @param tag eight characters that keep it from overwriting another model's. */
export const dataFileName = (tag: string): string => `weights-${tag.slice(0, 8).padEnd(8, '0')}.data`;

/** Below this sum of weights nothing can pass the limit: nodes and names never weigh as much as the rest. */
const surelySmall = 0.5;

function weightBytes(model: Model): number {
  let bytes = 0;
  for (const t of model.graph.initializers) bytes += rawByteLength(t.type, elementCount(t.dims));
  return bytes;
}

/** The model as it would be saved with this largest .onnx file in bytes; the same object where nothing moves. */
export function asWritten(model: Model, limit = largestFile): Model {
  const whole = embedded(model);
  if (weightBytes(whole) < limit * surelySmall || onnxFileBytes(whole) <= limit) return whole;
  // Laid out from nothing every time: saving packs the same tensors in the same order, so at the same offsets.
  const name = dataFileName('');
  return withExternalData(whole, { locate: () => name, spill: name }).model;
}
