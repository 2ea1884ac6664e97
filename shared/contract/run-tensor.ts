/** Owns how run tensors cross the contract: name, type, dims and packed little-endian bytes. */
import { z } from 'zod';
import { Fault } from '../base/fault.ts';
import { text } from '../base/text.ts';
import { type ElementType, elementCount, elementTypes, rawByteLength } from '../ir/element-type.ts';
import { lazyTensor } from '../ir/tensor.ts';
import { toTyped } from '../ir/values.ts';
import type { Feeds, RunTensor } from '../ports/runtime.ts';

const bytes: z.ZodType<Uint8Array, Uint8Array> = z.instanceof(Uint8Array);

export const wireTensorSchema = z.strictObject({
  name: z.string().max(1000),
  type: z.enum(Object.keys(elementTypes) as [ElementType, ...ElementType[]]),
  dims: z.array(z.number().int().nonnegative()).max(16),
  bytes,
});
export type WireTensor = z.infer<typeof wireTensorSchema>;

/** Tensors by name as they travel. Faults: `unsupported` for strings. */
export function toWire(tensors: Readonly<Record<string, RunTensor>>): readonly WireTensor[] {
  return Object.entries(tensors).map(([name, t]) => {
    if (!ArrayBuffer.isView(t.data))
      throw new Fault('unsupported', text('strings do not cross here', '문자열은 이곳을 지나갈 수 없습니다'), {
        where: name,
      });
    const { buffer, byteOffset, byteLength } = t.data;
    return {
      name,
      type: t.type,
      dims: [...t.dims],
      bytes: new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength),
    };
  });
}

/** Tensors as a session takes them. Faults: `bad-input` where bytes and dims disagree. */
export function fromWire(tensors: readonly WireTensor[]): Feeds {
  return Object.fromEntries(
    tensors.map(({ name, type, dims, bytes }) => {
      if (type === 'string' || rawByteLength(type, elementCount(dims)) !== bytes.byteLength)
        throw new Fault(
          'bad-input',
          text(
            `${bytes.byteLength} bytes for ${type}[${dims}]`,
            `${type}[${dims}]에 ${bytes.byteLength}바이트가 왔습니다`,
          ),
          { where: name },
        );
      return [name, { type, dims, data: toTyped(lazyTensor(name, type, dims, () => bytes)) }];
    }),
  );
}
