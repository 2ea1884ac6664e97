/**
 * Owns folding of small contents: what shape arithmetic (Shape -> Gather -> Mul -> Concat -> Reshape) computes, done
 * on Scalars during inference. A symbol passes unharmed; arithmetic on one gives null unless it trivially simplifies.
 */
import { type ElementType, elementTypes } from '../ir/element-type.ts';
import type { Dim } from '../ir/model.ts';
import type { Facts, Scalar } from './declare.ts';

/** Contents beyond this many elements are not followed. */
export const foldLimit = 1024;

/** Of floats only small contents matter (Resize scales, Range limits, Clip bounds); larger ones are weights. */
export const floatFoldLimit = 16;

/** The shape as numbers, or undefined where a dimension (or the rank) is not known. */
export function knownShape(shape: readonly Dim[] | null | undefined): readonly number[] | undefined {
  if (shape === null || shape === undefined) return undefined;
  for (let i = 0; i < shape.length; i++) if (typeof shape[i] !== 'number') return undefined;
  return shape as readonly number[];
}

/** Elements of a shape, or null where unknown. */
export function sizeOf(shape: readonly Dim[] | null | undefined): number | null {
  if (shape === null || shape === undefined) return null;
  let count = 1;
  for (let i = 0; i < shape.length; i++) {
    const d = shape[i];
    if (typeof d !== 'number') return null;
    count *= d;
  }
  return count;
}

/** The shape as numbers where a content of it may be kept. */
export function foldableShape(shape: readonly Dim[] | null | undefined): readonly number[] | undefined {
  const size = sizeOf(shape);
  return size !== null && size <= foldLimit ? (shape as readonly number[]) : undefined;
}

/** The contents where all are numbers. */
export function numbersOf(facts: Facts | undefined): readonly number[] | undefined {
  return facts?.content?.every((x) => typeof x === 'number') ? (facts.content as readonly number[]) : undefined;
}

/** Two dimensions under multidirectional broadcasting. Two different symbols, or numbers that clash: null. */
export function broadcastDim(a: Dim, b: Dim): Dim {
  if (a === b) return a;
  if (a === 1) return b;
  if (b === 1) return a;
  if (typeof a === 'number') return typeof b === 'number' ? null : a;
  return typeof b === 'number' ? b : null;
}

/** Shapes under multidirectional broadcasting; null where a rank is unknown. */
export function broadcastShapes(shapes: readonly (readonly Dim[] | null | undefined)[]): readonly Dim[] | null {
  let out: readonly Dim[] = [];
  for (const s of shapes) {
    if (s === null || s === undefined) return null;
    const rank = Math.max(out.length, s.length);
    const at = (dims: readonly Dim[], i: number): Dim => {
      const k = i - (rank - dims.length);
      return k < 0 ? 1 : (dims[k] ?? null);
    };
    const before = out;
    out = Array.from({ length: rank }, (_, i) => broadcastDim(at(before, i), at(s, i)));
  }
  return out;
}

/** A number as a tensor of this type would hold it: integers truncate, float rounds to 32 bits, bool is 0 or 1. */
export function asElement(elem: ElementType | null, x: Scalar): Scalar {
  if (typeof x !== 'number' || elem === null) return x;
  const { family } = elementTypes[elem];
  if (family === 'int' || family === 'uint') return Number.isNaN(x) ? null : Math.trunc(x) + 0;
  if (family === 'bool') return x === 0 ? 0 : 1;
  return elem === 'float' ? Math.fround(x) : x;
}

/**
 * Applies `f` element by element over broadcast contents. undefined where a shape is unknown or too large, or an input
 * has no content. `elem` is the result's type.
 */
export function foldElementwise(
  inputs: readonly (Facts | undefined)[],
  elem: ElementType | null,
  f: (...xs: readonly Scalar[]) => Scalar,
): readonly Scalar[] | undefined {
  if (inputs.some((i) => i?.content === undefined)) return undefined;
  const shape = foldableShape(broadcastShapes(inputs.map((i) => i?.shape)));
  if (shape === undefined) return undefined;
  const count = shape.reduce((n, d) => n * d, 1);
  const reads = inputs.map((i) => broadcastReader(i?.content ?? [], knownShape(i?.shape) ?? [], shape));
  return Array.from({ length: count }, (_, k) => asElement(elem, f(...reads.map((read) => read(k)))));
}

function broadcastReader(content: readonly Scalar[], from: readonly number[], to: readonly number[]) {
  const pad = to.length - from.length;
  const steps: { readonly size: number; readonly out: number; readonly step: number }[] = [];
  let out = 1;
  let own = 1;
  for (let i = to.length - 1; i >= 0; i--) {
    const size = to[i] ?? 1;
    const mine = i < pad ? 1 : (from[i - pad] ?? 1);
    if (mine !== 1) steps.push({ size, out, step: own });
    out *= size;
    own *= mine;
  }
  return (k: number): Scalar => {
    let at = 0;
    for (const s of steps) at += (Math.floor(k / s.out) % s.size) * s.step;
    return content[at] ?? null;
  };
}

const whole = (elem: ElementType | null): boolean =>
  elem !== null && (elementTypes[elem].family === 'int' || elementTypes[elem].family === 'uint');

/** Addition, subtraction, multiplication, division of two elements of one type (ints divide toward zero, as C does). */
export function scalarArithmetic(op: 'Add' | 'Sub' | 'Mul' | 'Div', elem: ElementType | null) {
  return (a: Scalar = null, b: Scalar = null): Scalar => {
    switch (op) {
      case 'Add':
        if (a === 0) return b;
        if (b === 0) return a;
        return typeof a === 'number' && typeof b === 'number' ? a + b : null;
      case 'Sub':
        if (b === 0) return a;
        if (typeof a === 'string' && a === b) return 0;
        return typeof a === 'number' && typeof b === 'number' ? a - b : null;
      case 'Mul':
        if (a === 0 || b === 0) return 0;
        if (a === 1) return b;
        if (b === 1) return a;
        return typeof a === 'number' && typeof b === 'number' ? a * b : null;
      case 'Div':
        if (b === 1) return a;
        if (typeof a === 'string' && a === b) return 1;
        if (typeof a !== 'number' || typeof b !== 'number') return null;
        if (whole(elem)) return b === 0 ? null : Math.trunc(a / b);
        return a / b;
    }
  };
}
