/** Owns `bantam profile`: a model timed in a job process of its own. */
import { Fault } from '#shared/base/fault.ts';
import { openModelFile } from '../host/model-files.ts';
import type { ShapeOption } from './inspect.ts';
import { inProcess } from './job-process.ts';
import { type OutputOptions, print } from './output.ts';
import type { RunOptions } from './parts.ts';
import { profileText } from './profile-report.ts';
import { shapeChoice } from './shapes.ts';

export interface ProfileOptions extends OutputOptions, RunOptions, ShapeOption {
  readonly vs?: string;
  readonly seconds?: number;
  readonly provider?: string;
}

export async function profile(path: string, options: ProfileOptions): Promise<void> {
  for (const file of options.vs === undefined ? [path] : [path, options.vs])
    shapeChoice(openModelFile(file), options.shape);
  const { vs, threads, provider, seconds = 2 } = options;
  const shapes = Object.fromEntries(Object.entries(options.shape ?? {}).map(([name, dims]) => [name, [...dims]]));
  const result = await inProcess({
    kind: 'job',
    spec: {
      kind: 'profile',
      modelId: 'a',
      seconds,
      ...(vs === undefined ? {} : { versus: 'b' }),
      ...(options.shape === undefined ? {} : { shapes }),
      ...(threads === undefined ? {} : { threads }),
      ...(provider === undefined ? {} : { provider }),
    },
    models: vs === undefined ? { a: path } : { a: path, b: vs },
    out: '',
    threads: threads ?? 0,
  });
  const found = result.profile;
  if (found === undefined) throw new Fault('internal', 'the job measured nothing');
  print(options, found, () => profileText(found));
}
