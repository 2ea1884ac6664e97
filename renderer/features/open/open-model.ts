/** Owns the ways a model comes to the screen: sample, file from the page, the system's dialog, one the host holds. */
import { create } from 'zustand';
import { Fault } from '#shared/base/fault.ts';
import { type Text, text } from '#shared/base/text.ts';
import type { Host, Opened } from '#shared/contract/calls.ts';
import { readSkeleton } from '#shared/onnx/skeleton.ts';
import type { Recipe } from '#shared/recipes/recipe.ts';
import { dispatch } from '../../state/store.ts';
import { showFault } from '../../ui/toast.ts';
import { words } from './words.ts';

/** Name of what is being opened, for the screen to say so. */
export const useOpening = create<{ readonly name: string | null }>(() => ({ name: null }));

let serial = 0;
/** Number of the newest request to open: an answer that a newer one has overtaken is dropped. */
let newest = 0;

/** Puts what the host opened on the screen. */
export function showOpened(opened: Opened, askedAt: number, recipe?: Recipe): void {
  const model = readSkeleton(opened.skeleton);
  dispatch({
    type: 'opened',
    open: {
      modelId: opened.modelId,
      name: opened.name,
      fileBytes: opened.fileBytes,
      model,
      skeleton: opened.skeleton,
      serial: ++serial,
      askedAt,
      ...(opened.data === undefined ? {} : { data: opened.data }),
      ...(opened.preprocess === undefined ? {} : { preprocess: opened.preprocess }),
    },
    ...(recipe === undefined ? {} : { recipe }),
  });
}

async function opening(
  name: string,
  title: Text,
  ask: () => Promise<Opened | null>,
  recipe?: Recipe,
): Promise<boolean> {
  if (useOpening.getState().name === name) return false; // a double click asks once
  const askedAt = performance.now();
  const mine = ++newest;
  useOpening.setState({ name });
  try {
    const opened = await ask();
    if (opened === null || mine !== newest) return false;
    showOpened(opened, askedAt, recipe);
    return true;
  } catch (thrown) {
    if (mine === newest) showFault(title, thrown);
    return false;
  } finally {
    if (mine === newest) useOpening.setState({ name: null });
  }
}

/** Each returns whether a model was opened; a fault is shown, and what was open stays open. */
export const openSample = (host: Host, id: string, title: string): Promise<boolean> =>
  opening(title, words.sampleFailed, () => host.call('openSample', { id }));

export const openZoo = (host: Host, id: string, title: string): Promise<boolean> =>
  opening(title, words.failed, () => host.call('openZoo', { id }));

export const openCatalogue = (host: Host, id: string, title: string): Promise<boolean> =>
  opening(title, words.fetchFailed, () => host.call('openCatalogue', { id }));

export const openHeld = (host: Host, modelId: string, name: string, recipe?: Recipe): Promise<boolean> =>
  opening(name, words.failed, () => host.call('openHeld', { modelId }), recipe);

export const openByDialog = (host: Host): Promise<boolean> =>
  opening('…', words.failed, () => host.call('openDialog', {}));

const bytesOf = async (file: File): Promise<Uint8Array<ArrayBuffer>> => new Uint8Array(await file.arrayBuffer());

/** Files picked or dropped in the page: one ONNX file, the others its external data. */
export function openFiles(host: Host, files: readonly File[]): Promise<boolean> {
  const main = files.find((f) => /\.(onnx|ort|pb)$/i.test(f.name)) ?? files[0];
  if (main === undefined) return Promise.resolve(false);
  return opening(main.name, words.failed, async () => {
    if (main.size === 0)
      throw new Fault('bad-file', text('the file is empty', '파일이 비어 있습니다'), { where: main.name });
    const others = files.filter((f) => f !== main);
    const companions = Object.fromEntries(
      await Promise.all(others.map(async (f) => [f.name, await bytesOf(f)] as const)),
    );
    return host.call('openBytes', { name: main.name, bytes: await bytesOf(main), companions });
  });
}
