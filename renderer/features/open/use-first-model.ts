/** Owns what is open when the page starts: the last project, else the first sample; and keeps the project saved. */
import { useEffect } from 'react';
import { useHost } from '../../host/use-host.tsx';
import { recipeOf } from '../../state/document.ts';
import { currentDocument, useDocument } from '../../state/store.ts';
import { openHeld, openSample, useOpening } from './open-model.ts';

const saveAfterMs = 800;

/** Call once, in the composition root. */
export function useFirstModel(): void {
  const host = useHost();
  useEffect(() => {
    let stale = false;
    // what opens by itself never takes the place of what the person opened, or is opening
    const idle = (): boolean => !stale && currentDocument().open === null && useOpening.getState().name === null;
    (async () => {
      const hello = await host.call('hello', {});
      const last = await host.call('lastProject', {}).catch(() => null);
      if (idle() && last !== null && (await openHeld(host, last.modelId, last.name, last.recipe))) return;
      const first = hello.samples[0];
      if (idle() && first !== undefined) await openSample(host, first.id, first.title);
    })().catch(() => {}); // no host yet: the page says so itself
    return () => {
      stale = true;
    };
  }, [host]);

  const modelId = useDocument((d) => d.open?.modelId);
  const edit = useDocument((d) => d.edit);
  useEffect(() => {
    if (modelId === undefined) return;
    const timer = setTimeout(() => {
      host.call('saveProject', { modelId, recipe: recipeOf(edit) }).catch(() => {}); // the next change tries again
    }, saveAfterMs);
    return () => clearTimeout(timer);
  }, [host, modelId, edit]);
}
