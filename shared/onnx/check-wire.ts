/**
 * Owns checkWire: walks the bytes of an ONNX file against the schema before protobuf decodes them, because the decoder trusts
 * wire types. Finds truncation, wrong wire types, overlong varints and hostile nesting, and says where.
 */
import type { DescField, DescMessage } from '@bufbuild/protobuf';
import { Fault } from '../base/fault.ts';
import { type Said, text, textAround } from '../base/text.ts';

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
  const bad = (why: Said): never => {
    throw new Fault(
      'bad-file',
      textAround(
        why,
        (w) => `not a readable ONNX file: ${w}`,
        (w) => `읽을 수 있는 ONNX 파일이 아닙니다: ${w}`,
      ),
      {
        where: text(
          `byte ${at}, in ${stack.map((s) => s.field).join('.')}`,
          `${at}바이트째, ${stack.map((s) => s.field).join('.')} 안`,
        ),
        hint: text(
          'The file is corrupt, cut off, or no ONNX model.',
          '파일이 손상되었거나 잘렸거나 ONNX 모델이 아닙니다.',
        ),
      },
    );
  };
  const varint = (end: number): number => {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      if (at >= end) return bad(text('it ends inside a number', '수의 중간에서 끝납니다'));
      const b = bytes[at++] ?? 0;
      value += (b & 127) * scale;
      if (b < 128) return value;
      scale *= 128;
    }
    return bad(text('a number is longer than ten bytes', '10바이트보다 긴 수가 있습니다'));
  };
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    if (at >= top.end) {
      stack.pop();
      continue;
    }
    const tag = varint(top.end);
    const number = Math.floor(tag / 8);
    const wire = tag % 8;
    if (number === 0 || number > 536870911)
      bad(text(`field number ${number} does not exist`, `필드 번호 ${number}은(는) 없습니다`));
    const known = shapeOf(top.desc).get(number);
    if (known !== undefined && wire !== known.wire && !(known.packable && wire === 2))
      bad(
        text(
          `field ${known.name} has wire type ${wire}, expected ${known.wire}`,
          `필드 ${known.name}의 와이어 형식이 ${known.wire}이(가) 아니라 ${wire}입니다`,
        ),
      );
    if (wire === 0) varint(top.end);
    else if (wire === 1) at += 8;
    else if (wire === 5) at += 4;
    else if (wire === 2) {
      const length = varint(top.end);
      if (length > top.end - at)
        bad(
          text(
            `${known?.name ?? `field ${number}`} claims ${length} bytes, ${top.end - at} are left`,
            `${known?.name ?? `필드 ${number}`}은(는) ${length}바이트라고 하지만 ${top.end - at}바이트만 남았습니다`,
          ),
        );
      if (known?.message !== undefined) {
        if (stack.length >= deepest)
          bad(
            text(`graphs are nested deeper than ${deepest} messages`, `그래프가 ${deepest}단계보다 깊이 겹쳐 있습니다`),
          );
        stack.push({ desc: known.message, end: at + length, field: known.name });
      } else at += length;
    } else bad(text(`wire type ${wire} is not used in ONNX`, `와이어 형식 ${wire}은(는) ONNX에서 쓰지 않습니다`));
    if (at > top.end)
      bad(
        text(
          `${known?.name ?? `field ${number}`} runs past its message`,
          `${known?.name ?? `필드 ${number}`}이(가) 메시지 끝을 넘어갑니다`,
        ),
      );
  }
}
