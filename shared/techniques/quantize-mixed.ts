/**
 * Owns mixed precision of weight-only quantization: how many bits each layer gets within a budget of bytes. Each layer's cost is
 * measured alone at one width on validation samples; at others it goes with the squared error of its weights. Bits are then given
 * where they take away most noise for their bytes (as ZeroQ and HAWQ choose from such tables, here greedily).
 */
import type { EvidenceRequest } from '../analysis/evidence.ts';
import { lossOf } from '../analysis/sensitivity.ts';
import type { Field, FieldValues } from '../base/fields.ts';
import { type Text, text } from '../base/text.ts';
import { elementCount } from '../ir/element-type.ts';
import type { Model } from '../ir/model.ts';
import { evidenceOf, type StepContext } from './declare.ts';
import type { QuantLayer } from './quantize-layers.ts';
import { weightError } from './quantize-weights.ts';

export const mixedFields: Readonly<Record<'precision' | 'budget', Field>> = {
  precision: {
    kind: 'choice',
    label: text('Bits by layer', '층별 비트 수'),
    help: text(
      'Mixed: each layer gets 2 to 8 bits, more where validation samples show that rounding it costs more.',
      '혼합: 층마다 2~8비트를 주되, 검증 표본에서 반올림 손실이 큰 층에 더 많이 줍니다.',
    ),
    options: [
      { value: 'same', label: text('the same for all', '모두 같게') },
      { value: 'mixed', label: text('mixed, within a budget', '예산 안에서 혼합') },
    ],
    default: 'same',
    when: { field: 'mode', is: ['weight-only'] },
  },
  budget: {
    kind: 'number',
    label: text('Bits of a weight on average', '가중치당 평균 비트'),
    min: 2,
    max: 8,
    step: 0.25,
    default: 4,
    unit: 'bits',
    when: { field: 'precision', is: ['mixed'] },
  },
};

export const isMixed = (p: FieldValues): boolean => p.mode === 'weight-only' && p.precision === 'mixed';

/** Widths that a layer may get. */
export const widths: readonly number[] = [2, 3, 4, 5, 6, 7, 8];
/** The width at which each layer is tried alone: coarse enough to be seen, fine enough to be in proportion. */
const triedAt = 4;
const key = (id: string): string => `mixed ${id}`;

/** What a preview shows before samples have been asked: the budget's whole bits for all. */
const evenly = (budget: number): number => widths.reduce((best, w) => (w <= budget ? w : best), widths[0] ?? 2);

/** Every layer alone at 4 bits. `store`: the model with only these layers narrow. */
export function mixedTrials(
  c: StepContext,
  layers: ReadonlyMap<string, QuantLayer>,
  store: (only: ReadonlyMap<string, QuantLayer>, bits: number) => Model,
): EvidenceRequest | undefined {
  if (!isMixed(c.params) || layers.size === 0) return undefined;
  const trials = [...layers].map(([id, layer]) => ({
    key: key(id),
    model: () => store(new Map([[id, layer]]), triedAt),
  }));
  return { samples: Math.min(64, Number(c.params.samples ?? 64)), trials };
}

/** A layer as the choice sees it: weights, and noise-to-signal of the output at each of `widths`. */
export interface MixedLayer {
  readonly id: string;
  readonly weights: number;
  readonly noise: readonly number[];
}

/**
 * Index into `widths` for every layer: all begin at the fewest bits; one more step at a time goes where it takes away most noise
 * for its bits, as long as the mean stays within the budget. Noises of layers are taken to add up.
 */
export function chooseWidths(layers: readonly MixedLayer[], budget: number): readonly number[] {
  const at = layers.map(() => 0);
  const width = (k: number): number => widths[k] ?? 8;
  const total = layers.reduce((n, l) => n + l.weights, 0);
  let left = budget * total - layers.reduce((n, l) => n + l.weights * width(0), 0);
  for (;;) {
    let best: { readonly layer: number; readonly to: number; readonly gain: number; readonly cost: number } | undefined;
    for (const [i, l] of layers.entries()) {
      const from = at[i] ?? 0;
      // Several steps at once where the next alone gains little.
      for (let to = from + 1; to < widths.length; to++) {
        const cost = l.weights * (width(to) - width(from));
        const gain = ((l.noise[from] ?? 0) - (l.noise[to] ?? 0)) / cost;
        if (cost <= left + 1e-6 && gain > (best?.gain ?? 0)) best = { layer: i, to, gain, cost };
      }
    }
    if (best === undefined) return at;
    at[best.layer] = best.to;
    left -= best.cost;
  }
}

export interface Precision {
  /** Bits of the layer with this id. */
  readonly bitsOf: (id: string) => number;
  readonly notes: readonly Text[];
}

/** `round`: which of the evidence's rounds the trials were. Without evidence, in a preview, the budget's whole bits for all. */
export function precisionOf(c: StepContext, layers: ReadonlyMap<string, QuantLayer>, round: number): Precision {
  if (!isMixed(c.params)) return { bitsOf: () => Number(c.params.bits), notes: [] };
  const budget = Number(c.params.budget ?? 4);
  if (c.evidence?.[round] === undefined) return { bitsOf: () => evenly(budget), notes: [] };
  const evidence = evidenceOf(c, round);
  const block = Number(c.params.block);
  // A weight that several layers read is stored once, as the first of them has it.
  const owners = new Map<string, string>();
  for (const [id, l] of layers) if (!owners.has(l.weight.tensor.name)) owners.set(l.weight.tensor.name, id);
  const sized = [...owners.values()].flatMap((id): readonly MixedLayer[] => {
    const layer = layers.get(id);
    if (layer === undefined) return [];
    const loss = lossOf(evidence.trial(key(id)));
    const tried = Math.max(weightError(layer, triedAt, block), Number.MIN_VALUE);
    // Outputs that are no numbers: louder than all others, yet finite, so that gains compare.
    const noise = Number.isFinite(loss) ? loss : 1e30;
    return [
      {
        id,
        weights: elementCount(layer.weight.tensor.dims),
        noise: widths.map((w) => (noise * weightError(layer, w, block)) / tried),
      },
    ];
  });
  const chosen = chooseWidths(sized, budget);
  const bits = new Map(sized.map((l, i) => [l.id, widths[chosen[i] ?? 0] ?? 8]));
  const total = sized.reduce((n, l) => n + l.weights, 0);
  const mean = sized.reduce((n, l) => n + l.weights * (bits.get(l.id) ?? 8), 0) / Math.max(1, total);
  const list = sized.map((l) => `${l.id} ${bits.get(l.id)}`).join(', ');
  return {
    bitsOf: (id) => bits.get(owners.get(layers.get(id)?.weight.tensor.name ?? '') ?? '') ?? evenly(budget),
    notes: [
      text(
        `Bits by layer, ${mean.toFixed(2)} a weight on average: ${list}.`,
        `층별 비트 수(가중치당 평균 ${mean.toFixed(2)}비트): ${list}.`,
      ),
    ],
  };
}
