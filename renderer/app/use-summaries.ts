/** Owns asking the host for magnitude summaries, once, when a step of the open model or the colours of the canvas need them. */
import { useEffect } from 'react';
import { useHost } from '../host/use-host.tsx';
import { setSummaries, summariesOf, usePreview } from '../state/preview.ts';
import { currentDocument, useDocument } from '../state/store.ts';
import { useView } from '../state/view.ts';
import { showFault } from '../ui/toast.ts';
import { words } from './words.ts';

export function useSummaries(): void {
  const host = useHost();
  const modelId = useDocument((d) => d.open?.modelId);
  const serial = useDocument((d) => d.open?.serial);
  const lacking = usePreview((p) => p.fault?.code === 'no-data');
  const coloured = useView((v) => v.colourBy === 'sparsity');
  const needed = lacking || coloured;
  useEffect(() => {
    if (!needed || modelId === undefined || serial === undefined) return;
    const { open } = currentDocument();
    // other summaries would cost the preview all that it remembers
    if (open !== null && summariesOf(open) !== undefined) return;
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
