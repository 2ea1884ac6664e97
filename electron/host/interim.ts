/** Owns stand-ins for the file doors until they have landed: whole models in memory, no external data. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Model } from '#shared/ir/model.ts';
import { readModel } from '#shared/onnx/read.ts';
import { writeModel } from '#shared/onnx/write.ts';

export const openModelFile = (path: string): Model => readModel(new Uint8Array(readFileSync(path)));
export const saveModelFile = async (model: Model, path: string): Promise<void> =>
  writeFileSync(path, writeModel(model));
export const skeletonOf = (model: Model): Uint8Array => writeModel(model);
