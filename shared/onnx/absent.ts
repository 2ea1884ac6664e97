/** Owns the note that stands for a tensor's values in a skeleton: the field they take and how many bytes. */
import type { TensorProto } from 'onnx-buf';

export interface Absent {
  /** Field number in TensorProto. */
  readonly field: number;
  /** raw_data: payload bytes. Other fields: all bytes they take, tags and lengths included. */
  readonly bytes: number;
}

export const absentKey = 'bantam-absent';
export const absentNote = (a: Absent): string => `${a.field}:${a.bytes}`;

/** The note of a skeleton's tensor; undefined for any other. */
export function absentOf(proto: TensorProto): Absent | undefined {
  const entry = proto.externalData[0];
  if (entry?.key !== absentKey || proto.dataLocation === 1) return undefined;
  const [field, bytes] = entry.value.split(':').map(Number);
  return field === undefined || bytes === undefined ? undefined : { field, bytes };
}
