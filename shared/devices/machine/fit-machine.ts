/** Owns fitMachine: from timed chains to the profile of a machine. Nothing here has seen a network. */
import { quantileSorted } from 'simple-statistics';
import { fitForm } from './form-fit.ts';
import { coldShare, type MachineProfile } from './machine-profile.ts';
import { fitRoofline, type Timed } from './roofline-fit.ts';
import type { Sample, TimedChain } from './timed-chain.ts';

const median = (list: readonly number[]): number | undefined =>
  list.length === 0
    ? undefined
    : quantileSorted(
        [...list].sort((a, b) => a - b),
        0.5,
      );
const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);
const weightsOf = (chain: TimedChain): number => sum(chain.samples.map((s) => s.weightBytes));

/** Beyond this pace the machine was disturbed. */
export const steadyPace = 1.06;

/** Chains of this name hold only weights, more and more of them: how much the cache keeps from run to run. */
export const cacheProbe = 'cache';

/** Milliseconds a byte of weights by how many there are: flat while the cache holds them, flat again when it holds none. */
function fitCold(chains: readonly TimedChain[]): MachineProfile['cold'] {
  const probes = chains
    .filter((c) => c.chain.startsWith(cacheProbe))
    .map((c) => ({ bytes: weightsOf(c), ms: sum(c.samples.map((s) => s.ms)) }));
  probes.sort((a, b) => a.bytes - b.bytes);
  const rates = probes.map((p) => p.ms / p.bytes);
  const [hot, cold] = [Math.min(...rates), Math.max(...rates)];
  const best = rates.indexOf(hot);
  if (probes.length < 2 || cold <= hot) return { share: [], byteMs: 0 };
  let reached = 0;
  const share = probes.map(({ bytes }, k): [number, number] => {
    // Before the best the calls show, not the memory.
    if (k > best) reached = Math.max(reached, ((rates[k] ?? hot) - hot) / (cold - hot));
    return [bytes, reached];
  });
  return { share, byteMs: cold - hot };
}

/**
 * What a byte of cold weights costs in kernels of one form. Emptied caches slow activations too, which in a network come warm
 * from the kernel before: the two are told apart by least squares without negative parts. undefined: too few samples tell.
 */
function coldByteMs(samples: readonly Sample[]): number | undefined {
  const extra = samples.filter((s) => s.coldMs !== undefined && s.coldMs > s.ms && s.weightBytes > 0);
  if (extra.length < 8) return undefined;
  const parts = fitRoofline(
    extra.map((s) => ({
      kernel: { form: s.form, macs: 0, bytes: s.bytes, weightBytes: s.weightBytes, sizes: [] },
      ms: (s.coldMs ?? 0) - s.ms,
    })),
  );
  return parts[3];
}

/** Slower than this, times say more of the disturbance than of the kernel. */
const worstPace = 1.5;

/** The pace that the machine mostly keeps: what a person who measures on it will meet. */
const usualPace = (chains: readonly TimedChain[]): number =>
  Math.min(worstPace, median(chains.map((c) => c.pace)) ?? 1);

/** Times as they would be at the usual pace, without chains that were disturbed most while enough others remain. */
function atUsualPace(chains: readonly TimedChain[]): readonly TimedChain[] {
  const usual = usualPace(chains);
  const calm = chains.filter((c) => c.pace <= worstPace);
  const kept = calm.length >= chains.length / 2 ? calm : chains;
  return kept.map((c) => {
    const by = usual / c.pace;
    return {
      ...c,
      wholeMs: c.wholeMs * by,
      tracedMs: c.tracedMs * by,
      viewsMs: c.viewsMs.map((ms) => ms * by),
      samples: c.samples.map((s) => ({
        ...s,
        ms: s.ms * by,
        ...(s.coldMs === undefined ? {} : { coldMs: s.coldMs * by }),
      })),
    };
  });
}

/** What a run takes beside its kernels, by relative least squares over the chains: so much a run, so much a kernel. */
function fitCall(chains: readonly TimedChain[]): MachineProfile['call'] {
  const view = median(chains.flatMap((c) => c.viewsMs)) ?? 0;
  let [aa, ab, bb, ay, by] = [0, 0, 0, 0, 0];
  for (const { wholeMs, tracedMs, kernels } of chains) {
    const left = wholeMs - tracedMs;
    // A whole that lies far from its kernels was disturbed.
    if (wholeMs > 1.5 || Math.abs(left) > 0.4 * wholeMs) continue;
    const w = 1 / wholeMs ** 2;
    aa += w;
    ab += w * kernels;
    bb += w * kernels * kernels;
    ay += w * left;
    by += w * kernels * left;
  }
  const det = aa * bb - ab * ab;
  if (!(det > 0)) return { run: 0, kernel: 0, view };
  const kernel = Math.min(0.01, Math.max(-0.003, (aa * by - ab * ay) / det));
  return { run: Math.max(0, (ay - kernel * ab) / aa), kernel, view };
}

export type ProfileAbout = Pick<
  MachineProfile,
  'machine' | 'runtime' | 'threads' | 'date' | 'seconds' | 'block' | 'paceMs'
>;

/** At least a few chains. */
export function fitMachine(timed: readonly TimedChain[], about: ProfileAbout): MachineProfile {
  const chains = atUsualPace(timed);
  const cold = fitCold(chains);
  const byForm = new Map<string, { sample: Sample; timed: Timed; chain: TimedChain }[]>();
  for (const chain of chains) {
    const share = coldShare({ cold }, weightsOf(chain));
    for (const sample of chain.samples) {
      // As if its weights lay in the cache: what memory adds is added by the estimate.
      const ms = Math.max(sample.ms - share * cold.byteMs * sample.weightBytes, 0.3 * sample.ms);
      if (ms <= 0) continue;
      const list = byForm.get(sample.form) ?? [];
      list.push({ sample, timed: { kernel: sample, ms }, chain });
      byForm.set(sample.form, list);
    }
  }
  const forms: Record<string, MachineProfile['forms'][string]> = {};
  const predicted = new Map<TimedChain, number>();
  for (const [form, list] of byForm) {
    const { fit, leftOut } = fitForm(list.map((l) => l.timed));
    const { smooth, parts, ...more } = fit;
    const byteMs = coldByteMs(list.map((l) => l.sample)) ?? cold.byteMs;
    forms[form] = {
      ...more,
      parts: [...parts],
      coldByteMs: byteMs,
      ...(smooth === undefined
        ? {}
        : {
            smooth: {
              lengths: [...smooth.lengths],
              points: smooth.points.map((p) => [...p]),
              weights: [...smooth.weights],
            },
          }),
    };
    for (const [k, { timed, chain, sample }] of list.entries()) {
      const ms = timed.ms * Math.exp(-(leftOut[k] ?? 0)) + (sample.ms - timed.ms);
      predicted.set(chain, (predicted.get(chain) ?? 0) + ms);
    }
  }
  const errors = chains
    .filter((c) => c.samples.length > 0 && !c.chain.startsWith(cacheProbe))
    .map((c) => Math.abs((predicted.get(c) ?? 0) / sum(c.samples.map((s) => s.ms)) - 1))
    .sort((a, b) => a - b);
  return {
    bantam: 1,
    ...about,
    paceMs: about.paceMs * usualPace(timed),
    chains: chains.length,
    samples: sum(chains.map((c) => c.samples.length)),
    forms,
    call: fitCall(chains),
    cold,
    spread:
      errors.length === 0
        ? { median: 0.2, most: 0.4 }
        : { median: quantileSorted(errors, 0.5), most: quantileSorted(errors, 0.8) },
  };
}
