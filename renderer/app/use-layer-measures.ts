/** Owns bringing to the screen what jobs measured of the opened model's layers. */
import { useEffect } from 'react';
import { useJobs } from '../host/use-host.tsx';
import { forgetMeasures, profileOf, useLayerMeasures } from '../state/measured.ts';
import { useDocument } from '../state/store.ts';

export function useFeedMeasures(): void {
  const jobs = useJobs();
  const modelId = useDocument((d) => d.open?.modelId);
  const serial = useDocument((d) => d.open?.serial);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a model opened anew starts with nothing
  useEffect(forgetMeasures, [serial]);
  useEffect(() => {
    if (modelId === undefined) return;
    const found = profileOf(jobs, modelId);
    const had = useLayerMeasures.getState();
    if (found.profile !== had.profile || found.measuring !== had.measuring) useLayerMeasures.setState(found);
  }, [jobs, modelId]);
}
