/** Owns what each kind of job does in its process. */
import { Fault } from '#shared/base/fault.ts';
import { text } from '#shared/base/text.ts';
import { headlineOf } from '#shared/contract/headline.ts';
import { compare } from '#shared/training/compare.ts';
import { evaluate } from '#shared/training/evaluate.ts';
import { evaluateAgainst } from '#shared/training/evaluate-against.ts';
import { openDataset } from '../host/datasets/open-dataset.ts';
import { chainsIn, keepMachine } from '../host/machine-file.ts';
import { openModelFile } from '../host/model-files.ts';
import { applyRecipe } from './apply-recipe.ts';
import { calibrateMachine } from './calibrate-machine.ts';
import { openCheckpoint, workKey } from './checkpoint.ts';
import { profileModel } from './profile-model.ts';
import type { Outcome, Task } from './protocol.ts';
import { clock, preprocessFor, subjectAt, type WorkParts } from './work-parts.ts';

type JobTask = Extract<Task, { kind: 'job' }>;

function pathOf(task: JobTask, modelId: string): string {
  const path = task.models[modelId];
  if (path === undefined)
    throw new Fault('not-found', text('the host does not hold this model', '호스트에 이 모델이 없습니다'), {
      where: modelId,
    });
  return path;
}

/** Faults: whatever the work throws; Cancelled where the token was pulled. */
export async function runJob(task: JobTask, parts: WorkParts): Promise<Outcome> {
  const { spec } = task;
  const { runtime, cancel, report } = parts;
  switch (spec.kind) {
    case 'apply': {
      const { before, predicted, after, ...more } = await applyRecipe(parts, {
        model: pathOf(task, spec.modelId),
        recipe: spec.recipe,
        out: task.out,
        data: spec.data,
        preprocess: task.preprocess,
        evaluate: spec.evaluate,
        openTeacher: (name) => openModelFile(pathOf(task, name)),
        checkpoint: task.checkpoint === undefined ? undefined : openCheckpoint(task.checkpoint, workKey(spec)),
        ...(spec.shapes === undefined ? {} : { shapes: { inputs: spec.shapes } }),
      });
      const headlines = { before: headlineOf(before), predicted: headlineOf(predicted), after: headlineOf(after) };
      return { kind: 'job', wrote: true, result: { ...headlines, ...more } };
    }
    case 'evaluate': {
      const subject = subjectAt(pathOf(task, spec.modelId));
      const dataset = await openDataset(spec.data);
      const preprocess = await preprocessFor(parts, subject, dataset, spec.preprocess ?? task.preprocess);
      const progress = (share: number): void => report.progress(share, 'evaluating');
      const how = { preprocess, cancel, progress };
      const id = spec.reference;
      const other = id === undefined ? undefined : { name: id, subject: subjectAt(pathOf(task, id)) };
      const single =
        other === undefined
          ? await evaluate(runtime, clock, subject, dataset, how)
          : await evaluateAgainst(runtime, clock, subject, other, dataset, how);
      return { kind: 'job', wrote: false, result: { single } };
    }
    case 'profile': {
      const { modelId, versus, shapes, seconds, provider } = spec;
      const threads = spec.threads ?? (task.threads > 0 ? task.threads : undefined);
      const profile = await profileModel(parts, {
        model: pathOf(task, modelId),
        seconds,
        ...(threads === undefined ? {} : { threads }),
        ...(provider === undefined ? {} : { provider }),
        ...(versus === undefined ? {} : { versus: pathOf(task, versus) }),
        ...(shapes === undefined ? {} : { shapes }),
      });
      return { kind: 'job', wrote: false, result: { profile } };
    }
    case 'calibrate-machine': {
      const folder = task.checkpoint;
      const threads = task.threads > 0 ? { threads: task.threads } : {};
      const kept = folder === undefined ? {} : { kept: chainsIn(folder) };
      const profile = await calibrateMachine(parts, { seconds: spec.seconds, ...threads, ...kept });
      if (folder !== undefined) await keepMachine(folder, profile);
      const { chains, samples, seconds, spread } = profile;
      const calibrated = { chains, samples, seconds, mostErrorPercent: 100 * spread.most };
      return { kind: 'job', wrote: false, result: { calibrated } };
    }
    case 'compare': {
      const [a, b] = [subjectAt(pathOf(task, spec.a)), subjectAt(pathOf(task, spec.b))];
      const asked = spec.preprocess ?? task.preprocess;
      const dataset = spec.data === undefined ? undefined : await openDataset(spec.data);
      report.progress(0, 'comparing');
      const data = dataset === undefined ? {} : { dataset, preprocess: await preprocessFor(parts, a, dataset, asked) };
      return { kind: 'job', wrote: false, result: { comparison: await compare(runtime, a, b, { cancel, ...data }) } };
    }
  }
}
