/** Owns fitMachine: from timed chains to the profile of a machine. Nothing here has seen a network. */
import { quantileSorted } from 'simple-statistics';
import { estimateForm, type FormFit, fitForm } from './form-fit.ts';
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

/** Chains of this name set kernels among others, as networks do: they tell what that changes, of each form and of the run. */
export const composite = 'composite';
const isComposite = (chain: TimedChain): boolean => chain.chain.startsWith(composite);

/** Milliseconds a byte of weights by how many there are: flat while the cache holds them, flat again when it holds none. */
function fitCold(chains: readonly TimedChain[]): MachineProfile['cold'] {
  const probes = chains
    .filter((c) => c.chain.startsWith(cacheProbe))
    .map((c) => ({ bytes: weightsOf(c), ms: sum(c.samples.map((s) => s.ms)) }));
  probes.sort((a, b) => a.bytes - b.bytes);
  const rates = probes.map((p) => p.ms / p.bytes);
  const hot = Math.min(...rates);
  const best = rates.indexOf(hot);
  // Before the best the calls show, not the memory.
  const cold = Math.max(...rates.slice(best));
  if (probes.length < 2 || cold <= hot) return { share: [], byteMs: 0 };
  let reached = 0;
  const share = probes.map(({ bytes }, k): [number, number] => {
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

/**
 * Chains that were not disturbed much, while enough are left. Their times stay as they were: one kernel's pace is not another's
 * (measured: dividing by it made estimates worse).
 */
function undisturbed(chains: readonly TimedChain[]): readonly TimedChain[] {
  const calm = chains.filter((c) => c.pace <= worstPace);
  return calm.length >= chains.length / 2 ? calm : chains;
}

/** A whole run of less than this is mostly calls. */
const smallMs = 1;
/** What a run takes beside kernels, where nothing tells. */
const runMs = 0.01;

/**
 * What a run takes beside its kernels. Chains of many small kernels tell what a kernel's call is (below 0, because the trace's
 * own time is in each); the others then tell how many times longer kernels take than traced, with what lies between them.
 */
function fitCall(all: readonly TimedChain[]): MachineProfile['call'] {
  const view = median(all.flatMap((c) => c.viewsMs)) ?? 0;
  const among = all.filter(isComposite);
  const small = among.filter((c) => c.wholeMs < smallMs);
  const each = median(small.map((c) => (c.wholeMs - runMs - c.tracedMs) / c.kernels)) ?? 0;
  const kernel = Math.min(0.01, Math.max(-0.012, each));
  const scales = among
    .filter((c) => c.wholeMs >= smallMs)
    .map((c) => (c.wholeMs - runMs - kernel * c.kernels) / c.tracedMs);
  const scale = scales.length < fewestComposites ? 1 : (median(scales) ?? 1);
  return { run: runMs, kernel, scale: Math.min(1.25, Math.max(0.8, scale)), view };
}

const fewestComposites = 5;
/** So many samples count as much as none being different. */
const doubt = 3;

/** How many times longer kernels of a form take among others than in chains of their own, by the middle of the composites. */
function contextOf(logs: readonly number[]): number {
  const middle = median(logs) ?? 0;
  return Math.exp((middle * logs.length) / (logs.length + doubt));
}

export type ProfileAbout = Pick<
  MachineProfile,
  'machine' | 'runtime' | 'threads' | 'date' | 'seconds' | 'block' | 'paceMs'
>;

interface Met {
  readonly sample: Sample;
  /** As if its weights lay in the cache: what memory adds is added by the estimate. */
  readonly timed: Timed;
  readonly chain: TimedChain;
}

function byForm(chains: readonly TimedChain[], cold: MachineProfile['cold']): ReadonlyMap<string, readonly Met[]> {
  const out = new Map<string, Met[]>();
  for (const chain of chains) {
    const share = coldShare({ cold }, weightsOf(chain));
    for (const sample of chain.samples) {
      const ms = Math.max(sample.ms - share * cold.byteMs * sample.weightBytes, 0.3 * sample.ms);
      if (ms <= 0) continue;
      const list = out.get(sample.form) ?? [];
      list.push({ sample, timed: { kernel: sample, ms }, chain });
      out.set(sample.form, list);
    }
  }
  return out;
}

/** The fit of one form, and what it says of each chain with such kernels when that chain's samples are left out. */
interface Learnt {
  readonly form: MachineProfile['forms'][string];
  readonly said: readonly { readonly chain: TimedChain; readonly ms: number }[];
}

function learn(all: readonly Met[], cold: MachineProfile['cold']): Learnt {
  const alone = all.filter((m) => !isComposite(m.chain));
  const fitted = alone.length >= 3 ? alone : all;
  const among = alone.length >= 3 ? all.filter((m) => isComposite(m.chain)) : [];
  const { fit, leftOut } = fitForm(fitted.map((m) => m.timed));
  // What a call costs is the same anywhere: kernels that do little else tell nothing of what memory changes.
  const logs = among
    .filter(({ timed }) => timed.ms >= 3 * fit.parts[0])
    .map(({ timed }) => Math.log(timed.ms / estimateForm(fit, timed.kernel).ms));
  const context = contextOf(logs);
  const { smooth, parts, error, ...more } = fit;
  const moved: FormFit = { ...fit, parts: [parts[0], parts[1] * context, parts[2] * context, parts[3] * context] };
  const form = {
    ...more,
    error:
      logs.length < 5
        ? error
        : Math.max(error, 1.4826 * (median(logs.map((l) => Math.abs(l - Math.log(context)))) ?? 0)),
    parts: moved.parts,
    coldByteMs: coldByteMs(fitted.map((m) => m.sample)) ?? cold.byteMs,
  };
  const said = fitted.map(({ timed, chain, sample }, k) => ({
    chain,
    ms: timed.ms * Math.exp(-(leftOut[k] ?? 0)) + (sample.ms - timed.ms),
  }));
  for (const { timed, chain, sample } of among)
    said.push({ chain, ms: estimateForm(moved, timed.kernel).ms + (sample.ms - timed.ms) });
  return {
    form: {
      ...form,
      parts: [...form.parts],
      ...(smooth === undefined
        ? {}
        : {
            smooth: {
              lengths: [...smooth.lengths],
              points: smooth.points.map((p) => [...p]),
              weights: [...smooth.weights],
            },
          }),
    },
    said,
  };
}

/** At least a few chains. */
export function fitMachine(timed: readonly TimedChain[], about: ProfileAbout): MachineProfile {
  const chains = undisturbed(timed);
  const cold = fitCold(chains);
  const forms: Record<string, MachineProfile['forms'][string]> = {};
  const predicted = new Map<TimedChain, number>();
  for (const [name, all] of byForm(chains, cold)) {
    const { form, said } = learn(all, cold);
    forms[name] = form;
    for (const { chain, ms } of said) predicted.set(chain, (predicted.get(chain) ?? 0) + ms);
  }
  const judged = chains.filter((c) => c.samples.length > 0 && !c.chain.startsWith(cacheProbe));
  // What stands among others is most like what will be asked.
  const composites = judged.filter(isComposite);
  const errors = (composites.length >= fewestComposites ? composites : judged)
    .map((c) => Math.abs((predicted.get(c) ?? 0) / sum(c.samples.map((s) => s.ms)) - 1))
    .sort((a, b) => a - b);
  return {
    bantam: 1,
    ...about,
    paceMs: about.paceMs * (median(timed.map((c) => c.pace)) ?? 1),
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
