/** Owns asking the host for magnitude summaries, once a step of the open model needs them. */
import { useEffect } from 'react';
import { useHost } from '../host/use-host.tsx';
import { setSummaries, usePreview } from '../state/preview.ts';
import { useDocument } from '../state/store.ts';
import { showFault } from '../ui/toast.ts';
import { words } from './words.ts';

export function useSummaries(): void {
  const host = useHost();
  const modelId = useDocument((d) => d.open?.modelId);
  const serial = useDocument((d) => d.open?.serial);
  const needed = usePreview((p) => p.fault?.code === 'no-data');
  useEffect(() => {
    if (!needed || modelId === undefined || serial === undefined) return;
    let stale = false;
    host.call('magnitudeSummaries', { modelId }).then(
      (found) => {
        if (!stale) setSummaries(serial, found);
      },
      (thrown: unknown) => showFault(words.noSummaries, thrown),
    );
    return () => {
      stale = true;
    };
  }, [host, needed, modelId, serial]);
}
