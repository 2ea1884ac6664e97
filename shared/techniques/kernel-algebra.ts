/** Owns kernels [outputs, inputs, taps] seen as matrices: by their inputs, and multiplied along their inputs. */
import { product } from '../base/low-rank.ts';

/** The kernel as [inputs, outputs * taps]. */
export function byInput(values: Float64Array, outputs: number, inputs: number, taps: number): Float64Array {
  const out = new Float64Array(values.length);
  for (let n = 0; n < outputs; n++)
    for (let c = 0; c < inputs; c++)
      for (let t = 0; t < taps; t++) out[(c * outputs + n) * taps + t] = values[(n * inputs + c) * taps + t] ?? 0;
  return out;
}

/** `matrix` [to, from] applied to the inputs of a kernel [outputs, from, taps]: [outputs, to, taps]. */
export function alongInputs(
  matrix: Float64Array,
  values: Float64Array,
  size: { readonly outputs: number; readonly from: number; readonly to: number; readonly taps: number },
): Float64Array {
  const { outputs, from, to, taps } = size;
  const out = new Float64Array(outputs * to * taps);
  for (let n = 0; n < outputs; n++)
    out.set(product(matrix, values.subarray(n * from * taps, (n + 1) * from * taps), to, from, taps), n * to * taps);
  return out;
}
