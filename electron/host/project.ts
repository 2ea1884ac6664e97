/** Owns the autosaved project: the open model's id and the recipe, so that closing the window loses nothing. */
import { readFile } from 'node:fs/promises';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import { blobId } from '#shared/contract/calls.ts';
import { recipeSchema } from '#shared/recipes/recipe.ts';

const projectSchema = z.object({ modelId: blobId, recipe: recipeSchema });
export type Project = z.infer<typeof projectSchema>;

export interface ProjectFile {
  save(project: Project): Promise<void>;
  /** Undefined where there is none, or one that this version cannot read. */
  load(): Promise<Project | undefined>;
}

export function projectFile(path: string): ProjectFile {
  return {
    save: (project) => writeFileAtomic(path, `${JSON.stringify(project)}\n`),
    load: async () => {
      try {
        return projectSchema.parse(JSON.parse(await readFile(path, 'utf8')));
      } catch {
        return undefined;
      }
    },
  };
}
