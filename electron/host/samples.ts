/** Owns the sample models that come with Bantam: assets/models/NAME.onnx with its card NAME.json. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { Fault } from '#shared/base/fault.ts';
import { text } from '#shared/base/text.ts';
import { preprocessSchema } from '#shared/recipes/recipe.ts';

/** What the host reads of a card; the rest of it is for people. */
const cardSchema = z.object({
  title: z.string().optional(),
  /** Place in the list; those without one come last. */
  order: z.number().optional(),
  note: z.string().optional(),
  data: z.string().optional(),
  preprocess: preprocessSchema.optional(),
});

export interface SampleModel extends z.infer<typeof cardSchema> {
  readonly id: string;
  readonly path: string;
  readonly fileBytes: number;
}

const last = Number.MAX_SAFE_INTEGER;

/** Every sample in the folder, by its card's order, then by name; none where the folder is missing. */
export function samplesIn(folder: string): readonly SampleModel[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.onnx'))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .map((name) => {
      const id = name.slice(0, -'.onnx'.length);
      const cardPath = join(folder, `${id}.json`);
      const card = existsSync(cardPath) ? cardSchema.parse(JSON.parse(readFileSync(cardPath, 'utf8'))) : {};
      const path = join(folder, name);
      return { ...card, id, path, fileBytes: statSync(path).size };
    })
    .sort((a, b) => (a.order ?? last) - (b.order ?? last));
}

/** Faults: `not-found`, listing those there are. */
export function sampleOf(folder: string, id: string): SampleModel {
  const all = samplesIn(folder);
  const found = all.find((s) => s.id === id);
  if (found === undefined)
    throw new Fault('not-found', text('there is no such sample', '그런 예제가 없습니다'), {
      where: id,
      hint: text(
        `There are: ${all.map((s) => s.id).join(', ') || 'none'}.`,
        `있는 예제: ${all.map((s) => s.id).join(', ') || '없음'}.`,
      ),
    });
  return found;
}
