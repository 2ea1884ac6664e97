/** Owns the host: the handlers of every call, over the model store, the project file and the job queue. */
import { copyFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { neverCancelled } from '#shared/base/cancel.ts';
import { Fault } from '#shared/base/fault.ts';
import { text } from '#shared/base/text.ts';
import type { JobSpec, Opened } from '#shared/contract/calls.ts';
import type { Handlers, Service } from '#shared/contract/server.ts';
import type { Model } from '#shared/ir/model.ts';
import { externalLayout } from '#shared/onnx/external.ts';
import { skeletonOf } from '#shared/onnx/skeleton.ts';
import { distill, teacherNames } from '#shared/techniques/distill.ts';
import { catalogueEntry } from '#shared/zoo/catalogue.ts';
import { buildFromZoo } from '#shared/zoo/index.ts';
import { openJournal } from '../jobs/journal.ts';
import type { Spawn, Task } from '../jobs/protocol.ts';
import { createQueue, type Queue } from '../jobs/queue.ts';
import { runToEnd } from '../jobs/run-process.ts';
import type { DataFolder } from './data-folder.ts';
import { exportArchive } from './export-archive.ts';
import { exportModel } from './export-model.ts';
import { fetchFile } from './fetch-file.ts';
import { readMachine } from './machine-file.ts';
import { openModelFile, saveModelFile } from './model-files.ts';
import { type Held, type ModelStore, openStore } from './model-store.ts';
import { projectFile } from './project.ts';
import { sampleOf, samplesIn } from './samples.ts';
import { magnitudeSummaries, summarize, weightOf } from './tensor-summary.ts';
import { wholeBytes } from './whole-bytes.ts';

/** The system's own dialogs, where there are any. Null: the person cancelled. */
export interface Dialogs {
  open(): Promise<string | null>;
  save(name: string): Promise<string | null>;
  /** A folder or file of data. */
  data(kind: 'folder' | 'file'): Promise<string | null>;
}

/** Names of the teachers that a job's recipe asks for. */
const teachersIn = (spec: JobSpec): readonly string[] =>
  spec.kind !== 'apply'
    ? []
    : spec.recipe.steps.flatMap((s) => (s.technique === distill.id && !s.off ? teacherNames(s.params) : []));

export interface HostOptions {
  readonly kind: 'electron' | 'server';
  readonly version: string;
  /** 'onnxruntime-node 1.30.0': this process itself never loads it. */
  readonly runtime: string;
  readonly threads: number;
  readonly folder: DataFolder;
  /** assets/models */
  readonly samples: string;
  readonly spawn: Spawn;
  readonly dialogs?: Dialogs;
  /** How a file of the catalogue is fetched; a test has a server of its own. */
  readonly fetchFile?: typeof fetchFile;
  /** Bytes that held models may take on disk. */
  readonly storeLimit?: number;
}

export interface RunningHost {
  readonly service: Service;
  readonly queue: Queue;
  readonly store: ModelStore;
  /** Opens a file by its path, as the dialog does (also for a file given on the command line). */
  openPath(path: string): Promise<Opened>;
  close(): void;
}

/** Models kept parsed, so that a histogram does not read the file anew. */
const cachedModels = 3;
/** Length of the list of models opened lately. */
const recentShown = 8;

const lastPart = (name: string): string => name.split(/[\\/]/).at(-1) || 'model.onnx';

export async function startHost(options: HostOptions): Promise<RunningHost> {
  const { threads } = options;
  const store = await openStore(options.folder.models, options.storeLimit);
  const project = projectFile(options.folder.project);
  const parsed = new Map<string, Model>();

  const modelOf = async (held: Held): Promise<Model> => {
    const model = parsed.get(held.modelId) ?? (await openModelFile(held.path));
    parsed.delete(held.modelId);
    parsed.set(held.modelId, model);
    for (const id of [...parsed.keys()].slice(0, -cachedModels)) parsed.delete(id);
    return model;
  };
  const modelById = async (id: string): Promise<Model> => modelOf(await store.get(id));
  /** What was parsed while a file was taken in need not be parsed again; external data is read where it lies by then. */
  const remember = (held: Held, model: Model): Held => {
    if (externalLayout(model).tensors.length === 0) parsed.set(held.modelId, model);
    return held;
  };
  const opened = async (held: Held): Promise<Opened> => ({
    modelId: held.modelId,
    name: held.name,
    fileBytes: held.fileBytes,
    skeleton: skeletonOf(await modelOf(held)),
    ...(held.data === undefined ? {} : { data: held.data }),
    ...(held.preprocess === undefined ? {} : { preprocess: held.preprocess }),
  });

  /** Copies a file, with its external data, into the store: what happens to the original later changes nothing here. */
  const takeIn = async (path: string, card: Omit<Held, 'modelId' | 'path' | 'fileBytes'>): Promise<Held> => {
    const model = await openModelFile(path);
    const draft = await store.draft();
    try {
      // Without external data the very bytes are kept.
      if (externalLayout(model).tensors.length > 0) await saveModelFile(model, draft.path, { external: 'keep' });
      else await copyFile(path, draft.path);
      return remember(await store.keep(draft.folder, card), model);
    } catch (thrown) {
      await store.drop(draft.folder);
      throw thrown;
    }
  };
  const openPath = async (path: string): Promise<Opened> => opened(await takeIn(path, { name: lastPart(path) }));

  const idsOf = (spec: JobSpec): readonly string[] => {
    if (spec.kind === 'calibrate-machine') return [];
    if (spec.kind === 'compare') return [spec.a, spec.b];
    if (spec.kind === 'profile') return spec.versus === undefined ? [spec.modelId] : [spec.modelId, spec.versus];
    return spec.kind === 'evaluate' && spec.reference !== undefined ? [spec.modelId, spec.reference] : [spec.modelId];
  };
  /** A teacher by the id or the name of a model that is held, or of a sample. Faults: `not-found`. */
  const teacherPath = async (name: string): Promise<string> => {
    const held = await store.recent(1000);
    const found = held.find((h) => h.modelId === name) ?? held.find((h) => h.name === name);
    return found?.path ?? sampleOf(options.samples, name).path;
  };
  const checkpointOf = (id: string): string => join(options.folder.checkpoints, id);
  const taskOf = async (spec: JobSpec, id: string): Promise<Extract<Task, { kind: 'job' }>> => {
    const held = await Promise.all(idsOf(spec).map((id) => store.get(id)));
    const models = Object.fromEntries(held.map((h) => [h.modelId, h.path]));
    for (const name of teachersIn(spec)) models[name] = await teacherPath(name);
    const out = spec.kind === 'apply' ? (await store.draft()).path : '';
    const preprocess = held[0]?.preprocess;
    const known = preprocess === undefined ? {} : { preprocess };
    const folders = { apply: checkpointOf(id), 'calibrate-machine': options.folder.machine };
    const checkpoint = spec.kind in folders ? folders[spec.kind as keyof typeof folders] : undefined;
    const kept = checkpoint === undefined ? {} : { checkpoint };
    return { kind: 'job', spec, models, out, threads, ...known, ...kept };
  };
  const discard = async (task: Extract<Task, { kind: 'job' }>): Promise<void> => {
    if (task.out !== '') await store.drop(dirname(task.out));
  };
  const queue = createQueue({
    journal: openJournal(options.folder.journal),
    spawn: options.spawn,
    taskOf,
    discard,
    forget: (id) => rm(checkpointOf(id), { recursive: true, force: true }),
    adopt: async (task) => {
      if (task.spec.kind !== 'apply')
        throw new Fault('internal', text('only apply writes a model', '모델을 쓰는 작업은 apply뿐입니다'));
      const { modelId: _id, path: _path, fileBytes: _bytes, ...source } = await store.get(task.spec.modelId);
      const name = `${source.name.replace(/\.onnx$/i, '').replace(/-light$/, '')}-light.onnx`;
      return (await store.keep(dirname(task.out), { ...source, name })).modelId;
    },
  });

  const handlers: Handlers = {
    hello: async () => ({
      version: options.version,
      host: options.kind,
      runtime: options.runtime,
      threads,
      samples: samplesIn(options.samples).map((s) => ({
        id: s.id,
        title: s.title ?? s.id,
        note: s.note ?? '',
        fileBytes: s.fileBytes,
      })),
      capabilities: { dialogs: options.dialogs !== undefined, reveal: false },
    }),
    openSample: async ({ id }) => {
      const { path, data, preprocess } = sampleOf(options.samples, id);
      const more = { ...(data === undefined ? {} : { data }), ...(preprocess === undefined ? {} : { preprocess }) };
      return opened(await takeIn(path, { name: `${id}.onnx`, ...more }));
    },
    openZoo: async ({ id }) => {
      const model = buildFromZoo(id);
      const draft = await store.draft();
      try {
        await saveModelFile(model, draft.path);
        return opened(remember(await store.keep(draft.folder, { name: `${id}.onnx` }), model));
      } catch (thrown) {
        await store.drop(draft.folder);
        throw thrown;
      }
    },
    openCatalogue: async ({ id }) => {
      const entry = catalogueEntry(id);
      const path = join(options.folder.fetched, `${id}.onnx`);
      const get = options.fetchFile ?? fetchFile;
      await get(entry, path, { cancel: neverCancelled, progress: () => {} });
      const data = entry.data === 'MNIST' ? { data: 'digits' } : {};
      return opened(await takeIn(path, { name: `${id}.onnx`, preprocess: entry.preprocess, ...data }));
    },
    openBytes: async ({ name, bytes, companions }) => {
      let model: Model | undefined;
      const check = async (path: string): Promise<void> => {
        model = await openModelFile(path);
      };
      const held = await store.put(bytes, companions, { name: lastPart(name) }, check);
      return opened(model === undefined ? held : remember(held, model));
    },
    openDialog: async () => {
      if (options.dialogs === undefined)
        throw new Fault('unsupported', text('this host has no dialogs', '이 호스트에는 대화 상자가 없습니다'));
      const path = await options.dialogs.open();
      return path === null ? null : openPath(path);
    },
    pickData: async ({ kind }) => {
      if (options.dialogs === undefined)
        throw new Fault('unsupported', text('this host has no dialogs', '이 호스트에는 대화 상자가 없습니다'));
      return options.dialogs.data(kind);
    },
    openHeld: async ({ modelId }) => opened(await store.get(modelId)),
    tensorSummary: async ({ modelId, nodeId, input, bins }) =>
      summarize(weightOf(await modelById(modelId), nodeId, input), bins),
    magnitudeSummaries: async ({ modelId }) => magnitudeSummaries(await modelById(modelId)),
    lookAtData: async ({ modelId, data }) => {
      const { path } = await store.get(modelId);
      return (await runToEnd(options.spawn, { kind: 'look', model: path, data, threads })).look;
    },
    startJob: async ({ spec }) => {
      for (const id of idsOf(spec)) await store.get(id);
      return queue.start(spec);
    },
    cancelJob: async ({ id }) => queue.cancel(id),
    resumeJob: async ({ id }) => queue.resume(id),
    removeJob: async ({ id }) => {
      queue.remove(id);
      return {};
    },
    jobs: async () => [...queue.all()],
    exportModel: async ({ modelId, name }) => {
      const held = await store.get(modelId);
      return exportModel({ held, name: lastPart(name), store, ...options });
    },
    exportArchive: async ({ modelId, name }) =>
      exportArchive({ held: await store.get(modelId), name: lastPart(name), store, ...options }),
    modelBytes: async ({ modelId }) => ({ bytes: await wholeBytes(await store.get(modelId)) }),
    someSamples: async (asked) => (await runToEnd(options.spawn, { kind: 'samples', threads, ...asked })).samples,
    packedSize: async ({ modelId }) => {
      const model = (await store.get(modelId)).path;
      return (await runToEnd(options.spawn, { kind: 'pack', model, threads })).packed;
    },
    answer: async ({ modelId, feeds }) => {
      const model = (await store.get(modelId)).path;
      return (await runToEnd(options.spawn, { kind: 'answer', model, feeds, threads })).answer;
    },
    runtimes: async () => {
      const { providers } = await runToEnd(options.spawn, { kind: 'runtimes', threads });
      return { runtime: options.runtime, providers: [...providers] };
    },
    machineProfile: async () => readMachine(options.folder.machine, options.runtime, threads) ?? null,
    saveProject: async (next) => {
      await project.save(next);
      return {};
    },
    recentModels: async () =>
      (await store.recent(recentShown)).map(({ modelId, name, fileBytes }) => ({ modelId, name, fileBytes })),
    lastProject: async () => {
      const last = await project.load();
      const held = last === undefined ? undefined : await store.get(last.modelId).catch(() => undefined);
      return last === undefined || held === undefined ? null : { ...last, name: held.name };
    },
  };
  return { service: { handlers, onJob: queue.onJob }, queue, store, openPath, close: queue.close };
}
