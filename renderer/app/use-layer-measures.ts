/** Owns bringing to the screen what is measured of the opened model's layers: profiles from jobs, zeros from the host. */
import { useEffect } from 'react';
import { useHost, useJobs } from '../host/use-host.tsx';
import { forgetMeasures, profileOf, useLayerMeasures } from '../state/measured.ts';
import { setSummaries } from '../state/preview.ts';
import { useDocument } from '../state/store.ts';
import { useView } from '../state/view.ts';
import { showFault } from '../ui/toast.ts';
import { words } from './words.ts';

export function useFeedMeasures(): void {
  const host = useHost();
  const jobs = useJobs();
  const modelId = useDocument((d) => d.open?.modelId);
  const serial = useDocument((d) => d.open?.serial);
  const wantsZeros = useView((v) => v.colourBy === 'sparsity');
  // biome-ignore lint/correctness/useExhaustiveDependencies: a model opened anew starts with nothing
  useEffect(forgetMeasures, [serial]);
  useEffect(() => {
    if (modelId === undefined) return;
    const found = profileOf(jobs, modelId);
    const had = useLayerMeasures.getState();
    if (found.profile !== had.profile || found.measuring !== had.measuring) useLayerMeasures.setState(found);
  }, [jobs, modelId]);
  useEffect(() => {
    if (!wantsZeros || modelId === undefined || serial === undefined) return;
    let stale = false;
    host.call('magnitudeSummaries', { modelId }).then(
      (found) => {
        if (stale) return;
        setSummaries(serial, found);
        useLayerMeasures.setState({ zeros: new Map(Object.entries(found)) });
      },
      (thrown: unknown) => showFault(words.noSummaries, thrown),
    );
    return () => {
      stale = true;
    };
  }, [host, wantsZeros, modelId, serial]);
}
