/** Rounds of evidence in run-step: asked one after the other, each with what the earlier ones gathered; none in a preview. */
import { describe, expect, it } from 'vitest';
import { type EvidenceRequest, noEvidence } from '../analysis/evidence.ts';
import { inferFacts } from '../analysis/infer-facts.ts';
import { neverCancelled } from '../base/cancel.ts';
import { text } from '../base/text.ts';
import { leNetLike } from '../testing/nets.ts';
import { evidenceOf, type StepContext, type Technique } from './declare.ts';
import { pruneChannels } from './prune-channels.ts';
import { runStep, type StepHost } from './run-step.ts';

const model = leNetLike();
const context: StepContext = {
  model,
  facts: inferFacts(model),
  selected: [],
  params: {},
  seed: 1,
  ranges: () => ({ min: 0, max: 0 }),
};
const asking: Technique = {
  ...pruneChannels,
  id: 'asking',
  needs: { evidence: (c, round) => (round < 2 ? { samples: 10 + (c.evidence?.length ?? 0) } : undefined) },
  rewrite: (c) => ({ model: c.model, layers: [], notes: [text(String(c.evidence?.length), '')] }),
};

describe('evidence', () => {
  it('is gathered round by round and handed to the rewrite', async () => {
    const asked: EvidenceRequest[] = [];
    const host: StepHost = {
      cancel: neverCancelled,
      progress: () => {},
      log: () => {},
      evidence: async (_, request) => {
        asked.push(request);
        return noEvidence;
      },
    };
    const done = await runStep(asking, context, asking.rewrite, host);
    expect(asked.map((r) => r.samples)).toEqual([10, 11]);
    expect(done.notes[0]?.en).toBe('2');
  });

  it('faults with no-data where the host has none, and where a preview asks for it', async () => {
    const host: StepHost = { cancel: neverCancelled, progress: () => {}, log: () => {} };
    await expect(runStep(asking, context, asking.rewrite, host)).rejects.toThrow('asking needs data');
    expect(() => evidenceOf(context).rows('c1')).toThrow('a preview has seen no samples');
  });
});
