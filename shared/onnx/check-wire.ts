/**
 * Owns checkWire: walks the bytes of an ONNX file against the schema before protobuf decodes them, because the decoder trusts
 * wire types. Finds truncation, wrong wire types, overlong varints and hostile nesting, and says where.
 */
import type { DescField, DescMessage } from '@bufbuild/protobuf';
import { Fault } from '../base/fault.ts';

/** Deeper nesting than any real model has; a subgraph costs three levels. */
const deepest = 240;

const enum_ = 'enum';

function wireTypeOf(field: DescField): number {
  if (field.fieldKind === 'message') return 2;
  if (field.fieldKind === 'list' && field.listKind === 'message') return 2;
  const scalar =
    field.fieldKind === enum_ || (field.fieldKind === 'list' && field.listKind === enum_) ? 0 : field.scalar;
  switch (scalar) {
    case 1: // double
    case 6: // fixed64
    case 16: // sfixed64
      return 1;
    case 2: // float
    case 7:
    case 15:
      return 5;
    case 9: // string
    case 12: // bytes
      return 2;
    default:
      return 0;
  }
}

interface Shape {
  readonly wire: number;
  readonly packable: boolean;
  readonly message: DescMessage | undefined;
  readonly name: string;
}

const shapes = new WeakMap<DescMessage, ReadonlyMap<number, Shape>>();

function shapeOf(desc: DescMessage): ReadonlyMap<number, Shape> {
  let shape = shapes.get(desc);
  if (shape === undefined) {
    shape = new Map(
      desc.fields.map((f) => [
        f.number,
        {
          wire: wireTypeOf(f),
          packable: f.fieldKind === 'list' && f.listKind !== 'message' && wireTypeOf(f) !== 2,
          message:
            f.fieldKind === 'message' || (f.fieldKind === 'list' && f.listKind === 'message') ? f.message : undefined,
          name: f.name,
        },
      ]),
    );
    shapes.set(desc, shape);
  }
  return shape;
}

/** Throws Fault `bad-file` at the first byte that cannot be part of a message of this type. */
export function checkWire(desc: DescMessage, bytes: Uint8Array): void {
  let at = 0;
  const stack: { desc: DescMessage; end: number; field: string }[] = [{ desc, end: bytes.length, field: desc.name }];
  const bad = (why: string): never => {
    throw new Fault('bad-file', `not a readable ONNX file: ${why}`, {
      where: `byte ${at}, in ${stack.map((s) => s.field).join('.')}`,
      hint: 'The file is corrupt, cut off, or no ONNX model.',
    });
  };
  const varint = (end: number): number => {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      if (at >= end) return bad('it ends inside a number');
      const b = bytes[at++] ?? 0;
      value += (b & 127) * scale;
      if (b < 128) return value;
      scale *= 128;
    }
    return bad('a number is longer than ten bytes');
  };
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    if (at >= top.end) {
      stack.pop();
      continue;
    }
    const tag = varint(top.end);
    const number = Math.floor(tag / 8);
    const wire = tag % 8;
    if (number === 0 || number > 536870911) bad(`field number ${number} does not exist`);
    const known = shapeOf(top.desc).get(number);
    if (known !== undefined && wire !== known.wire && !(known.packable && wire === 2))
      bad(`field ${known.name} has wire type ${wire}, expected ${known.wire}`);
    if (wire === 0) varint(top.end);
    else if (wire === 1) at += 8;
    else if (wire === 5) at += 4;
    else if (wire === 2) {
      const length = varint(top.end);
      if (length > top.end - at)
        bad(`${known?.name ?? `field ${number}`} claims ${length} bytes, ${top.end - at} are left`);
      if (known?.message !== undefined) {
        if (stack.length >= deepest) bad(`graphs are nested deeper than ${deepest} messages`);
        stack.push({ desc: known.message, end: at + length, field: known.name });
      } else at += length;
    } else bad(`wire type ${wire} is not used in ONNX`);
    if (at > top.end) bad(`${known?.name ?? `field ${number}`} runs past its message`);
  }
}
