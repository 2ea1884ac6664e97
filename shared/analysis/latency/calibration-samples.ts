/** Owns samples: a traced model's kernels, each with the form and sizes that the estimate sees and the time that it took. */
import type { Sample, TimedChain } from '../../devices/machine/timed-chain.ts';
import type { Model } from '../../ir/model.ts';
import { runtimeKernels } from './runtime-kernels.ts';
import type { Traced } from './trace-layers.ts';
import { worksOf } from './works-of.ts';

/** Operators that only give a value another shape. */
const views = new Set(['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Identity']);

/** Kernels that are no layer, by the runtime's operator. */
const between: Readonly<Record<string, string>> = {
  ReorderInput: 'reorder-input',
  ReorderOutput: 'reorder-output',
  DequantizeLinear: 'decode',
};

export interface MeasuredModel {
  /** Milliseconds of an unprofiled run. */
  readonly wholeMs: number;
  readonly traced: Traced;
  /** The same with weights out of the cache. */
  readonly cold?: Traced;
  readonly pace: number;
}

/**
 * Matches a trace with the kernels that the rules expect: layers by their node, changes of layout in their order where both
 * sides have as many. What does not match is left out, so that no wrong time is learnt.
 */
export function timedChain(chain: string, model: Model, measured: MeasuredModel, block: number): TimedChain {
  const { traced, wholeMs, cold } = measured;
  const coldTimes = new Map(cold?.layers.flatMap((l) => (l.id === null ? [] : [[l.id, l.rawMs] as const])));
  const { layers } = worksOf(model);
  const placed = runtimeKernels(layers, block);
  const times = new Map(traced.layers.flatMap((l) => (l.id === null ? [] : [[l.id, l.rawMs] as const])));
  const samples: Sample[] = [];
  const used = new Set<string>();
  for (const { layer, kernel } of placed) {
    const id = layer === null ? undefined : layers[layer]?.id;
    const ms = id === undefined ? undefined : times.get(id);
    if (id === undefined || ms === undefined || kernel === undefined) continue;
    used.add(id);
    const coldMs = coldTimes.get(id);
    samples.push({ ...kernel, sizes: [...kernel.sizes], ms, ...(coldMs === undefined ? {} : { coldMs }) });
  }
  for (const [name, form] of Object.entries(between)) {
    const real = traced.layers.filter((l) => l.kernel === name && !used.has(l.id ?? ''));
    const mine = placed.filter((p) => p.kernel?.form === form);
    // By size: the runtime may run them in another order.
    if (real.length !== mine.length) continue;
    const sorted = [...real].sort((a, b) => a.rawMs - b.rawMs);
    const bySize = mine.flatMap((p) => p.kernel ?? []).sort((a, b) => a.bytes - b.bytes);
    for (const [k, kernel] of bySize.entries())
      samples.push({ ...kernel, sizes: [...kernel.sizes], ms: sorted[k]?.rawMs ?? 0 });
    for (const l of real) used.add(l.id ?? l.name);
  }
  const rest = traced.layers.filter((l) => views.has(l.kernel));
  return {
    chain,
    pace: measured.pace,
    wholeMs,
    tracedMs: traced.rawSum,
    kernels: traced.layers.length,
    viewsMs: rest.map((l) => l.rawMs),
    samples,
  };
}
