/**
 * Owns what a file is written for, and which forms of a stored weight are loaded there and decoded once, at load. The table is held
 * against both runtimes by `storage-target.test.ts`, form by form; a form that a target does not fold is not offered to it.
 */
import { type Model, opsetVersion } from '../ir/model.ts';

/** The runtimes that a recipe's target may name. */
export const targetRuntimes = ['onnxruntime', 'onnxruntime-web'] as const;
export type TargetRuntime = (typeof targetRuntimes)[number];

/** Since when a form exists in ONNX, and where its decoder is folded when the model is loaded. */
interface StorageForm {
  readonly opset: number;
  readonly irVersion: number;
  readonly folds: Readonly<Record<TargetRuntime, boolean>>;
}

/** Measured with 1.30 of both (WebAssembly, CPU): the layer then takes the time of its float twin. */
const both = { onnxruntime: true, 'onnxruntime-web': true };

export const storageForms = {
  /** UINT8 indices -> Cast -> Gather from a codebook. */
  'byte-index': { opset: 7, irVersion: 3, folds: both },
  /** UINT4 indices -> Cast -> Gather. */
  'uint4-index': { opset: 21, irVersion: 10, folds: both },
  /** UINT2 indices -> Cast -> Gather. */
  'uint2-index': { opset: 25, irVersion: 13, folds: both },
  /** Planes of 4, 2 and 1 bits in bytes -> BitShift -> Mod -> Cast, added up. */
  'bit-planes': { opset: 11, irVersion: 3, folds: both },
  /** One bit an element -> CumSum -> Gather(kept values) x bit. */
  'bit-mask': { opset: 11, irVersion: 3, folds: both },
  /** Sparse initializer (COO); float alone. */
  sparse: { opset: 11, irVersion: 5, folds: both },
  /** INT8 -> Cast x scale. */
  int8: { opset: 9, irVersion: 3, folds: both },
  /** INT4 -> Cast x scale. */
  int4: { opset: 21, irVersion: 10, folds: both },
  /** Narrow floats -> Cast. */
  float16: { opset: 7, irVersion: 3, folds: both },
  bfloat16: { opset: 13, irVersion: 4, folds: both },
  float8e4m3fn: { opset: 19, irVersion: 9, folds: both },
} as const satisfies Readonly<Record<string, StorageForm>>;
export type StorageFormName = keyof typeof storageForms;

export interface StorageTarget {
  readonly opset: number;
  readonly irVersion: number;
  readonly runtime: TargetRuntime;
}

/** Of a model as it stands; a recipe without a target is for onnxruntime. */
export const storageTarget = (model: Model, runtime: TargetRuntime | undefined): StorageTarget => ({
  opset: opsetVersion(model) ?? 0,
  irVersion: model.irVersion,
  runtime: runtime ?? 'onnxruntime',
});

/** Whether a weight may be stored so in a file for this target. */
export function storable(form: StorageFormName, { opset, irVersion, runtime }: StorageTarget): boolean {
  const known: StorageForm = storageForms[form];
  return opset >= known.opset && irVersion >= known.irVersion && known.folds[runtime];
}
