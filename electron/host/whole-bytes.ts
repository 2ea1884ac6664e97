/** Owns a held model as one piece of bytes, external data inside: what the runtime in the page is handed. */
import { readFile } from 'node:fs/promises';
import { Fault } from '#shared/base/fault.ts';
import { text } from '#shared/base/text.ts';
import { embedded } from '#shared/onnx/embedded.ts';
import { writeModel } from '#shared/onnx/write.ts';
import { openModelFile } from './model-files.ts';
import type { Held } from './model-store.ts';

/** WebAssembly holds the file and the session beside it. */
const largest = 256 * 2 ** 20;

/** Faults: `unsupported` above 256 MB; file faults. */
export async function wholeBytes(held: Held): Promise<Uint8Array> {
  if (held.fileBytes > largest)
    throw new Fault(
      'unsupported',
      text('the model is too large to run inside the page', '모델이 너무 커서 페이지 안에서 실행할 수 없습니다'),
      {
        where: held.name,
        hint: text(
          'At most 256 MB; the native runtime still measures it.',
          '최대 256 MB입니다. 네이티브 런타임으로는 측정할 수 있습니다.',
        ),
      },
    );
  const model = await openModelFile(held.path);
  const whole = embedded(model);
  return whole === model ? Uint8Array.from(await readFile(held.path)) : writeModel(whole);
}
