/**
 * Owns Rest: what the file said beside the fields that Bantam reads (unknown fields, rarely used ones), carried
 * through untouched. Only `shared/onnx` makes it and looks inside.
 */
export interface Rest {
  readonly onnx: unknown;
}
