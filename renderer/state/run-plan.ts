/** Owns how a recipe is run from the screen: which data, evaluated or not; and what the export dialog is asked to write. */
import { create } from 'zustand';
import { text } from '#shared/base/text.ts';
import type { Host, Job, JobSpec } from '#shared/contract/calls.ts';
import { techniques } from '#shared/techniques/index.ts';
import { showFault } from '../ui/toast.ts';
import { type Editable, recipeOf } from './document.ts';
import { currentDocument } from './store.ts';
import { setView } from './view.ts';

export interface RunPlan {
  /** null: what comes with the model (a sample's own data), else none. */
  readonly data: string | null;
  readonly evaluate: boolean;
  /** Execution provider of measurements of time. */
  readonly provider: string;
  /** Job shown in the drawer; null: the newest. */
  readonly shownJob: string | null;
  /** A job's result that the export dialog writes instead of the screen's recipe. */
  readonly exported: { readonly modelId: string; readonly name: string } | null;
}

export const useRunPlan = create<RunPlan>(() => ({
  data: null,
  evaluate: true,
  provider: 'cpu',
  shownJob: null,
  exported: null,
}));

/** The data of a run: '' is none. */
export const dataOf = (plan: RunPlan): string => plan.data ?? currentDocument().open?.data ?? '';

const failed = text('The job could not be started', '작업을 시작하지 못했습니다');

const kinds = new Map(techniques.map((t) => [t.id, t]));
/** "LeNet-5 · Prune channels + Quantize": what a job of this recipe is called. */
export function jobTitle(name: string, ids: readonly string[], language: 'en' | 'ko'): string {
  const said = ids.map((id) => kinds.get(id)?.title[language] ?? id);
  return `${name} · ${said.join(' + ')}`;
}

/** Starts a job and shows it; a refusal is shown and gives null. */
export async function startJob(host: Host, spec: JobSpec): Promise<Job | null> {
  try {
    const job = await host.call('startJob', { spec });
    useRunPlan.setState({ shownJob: job.id });
    return job;
  } catch (thrown) {
    showFault(failed, thrown);
    return null;
  }
}

/** The shapes that the person set, as jobs take them; nothing where none is set. */
const chosenShapes = ({ shapes }: Editable): Pick<JobSpec & { kind: 'apply' }, 'shapes'> =>
  Object.keys(shapes).length === 0
    ? {}
    : { shapes: Object.fromEntries(Object.entries(shapes).map(([input, dims]) => [input, [...dims]])) };

/** Runs the screen's recipe. */
export async function runRecipeNow(host: Host, language: 'en' | 'ko'): Promise<Job | null> {
  const { open, edit } = currentDocument();
  if (open === null) return null;
  const plan = useRunPlan.getState();
  const data = dataOf(plan);
  const recipe = recipeOf(edit);
  const ids = recipe.steps.filter((s) => s.off !== true).map((s) => s.technique);
  setView({ jobsOpen: true });
  return startJob(host, {
    kind: 'apply',
    modelId: open.modelId,
    recipe,
    ...chosenShapes(edit),
    evaluate: plan.evaluate,
    title: jobTitle(open.name, ids, language),
    ...(data === '' ? {} : { data }),
  });
}

/** Measures the opened model as it is. */
export async function measureNow(host: Host): Promise<Job | null> {
  const { open, edit } = currentDocument();
  const data = dataOf(useRunPlan.getState());
  if (open === null) return null;
  setView({ jobsOpen: true });
  if (data === '') return null;
  return startJob(host, {
    kind: 'evaluate',
    modelId: open.modelId,
    data,
    ...(edit.preprocess === undefined ? {} : { preprocess: edit.preprocess }),
  });
}

/** Times a model on this machine, whole and layer by layer; in turn with a second one where one is given. */
export function profileNow(host: Host, modelId: string, versus?: string): Promise<Job | null> {
  const { provider } = useRunPlan.getState();
  return startJob(host, {
    kind: 'profile',
    modelId,
    ...(provider === 'cpu' ? {} : { provider }),
    ...(versus === undefined ? {} : { versus }),
    ...chosenShapes(currentDocument().edit),
    seconds: 2,
  });
}
