/** Owns coverageOf: how much of a model's work each technique reaches, for the coverage table. */
import { channelGroups } from '../analysis/channel-groups.ts';
import type { ShapeChoice } from '../analysis/figures.ts';
import { inferFacts } from '../analysis/infer-facts.ts';
import { innerGraphs, innerName } from '../analysis/inner-graphs.ts';
import { measureFigures } from '../analysis/measure-figures.ts';
import { workOf } from '../analysis/work-of.ts';
import { subgraphs } from '../ir/graph-index.ts';
import type { Model } from '../ir/model.ts';
import { rewriteEverywhere } from '../techniques/everywhere.ts';
import { withFixedTargets } from '../techniques/fixed-targets.ts';
import { quantize } from '../techniques/quantize.ts';
import { contextOf } from './quantized.ts';

export interface Coverage {
  readonly macs: number | null;
  readonly notCounted: readonly string[];
  /** Share of MACs in layers that lose work when channels are pruned (their own, or those they read); null: no MACs. */
  readonly prune: number | null;
  /** Share of MACs in layers that static 8-bit quantization takes. */
  readonly quantize: number | null;
  /** What keeps most of the rest from being pruned. */
  readonly reason: string;
}

/** Shapes as `--shape` would set them, for files whose dimensions are open beyond the batch. */
export const namedShapes: Readonly<Record<string, ShapeChoice>> = {
  '3-exporter/paddle-ocr-cls.onnx': { inputs: { x: [1, 3, 48, 192] } },
  '3-exporter/pytorch16-gpt2-past.onnx': {
    inputs: {
      input_ids: [1, 1],
      ...Object.fromEntries(Array.from({ length: 12 }, (_, k) => [`past_${k}`, [2, 1, 2, 7, 2]])),
    },
  },
  '4-rnn/silero-vad-v5.onnx': { inputs: { input: [1, 512], state: [2, 1, 128] } },
};

/** What the quantize technique itself says of each layer, with all selected, inner ones by their path. */
function quantizedLayers(model: Model, shapes: ShapeChoice | undefined): ReadonlySet<string> {
  const c = contextOf(model, {}, shapes);
  const inside = innerGraphs(c.model, shapes).map((i) => ({ ...i, selected: i.graph.nodes }));
  const { layers } = rewriteEverywhere(quantize, { ...c, inside });
  return new Set(layers.filter((l) => l.taken).map((l) => l.id));
}

/** Of the MACs inside a node's graphs, the shares in layers that each technique reaches: all branches together. */
function insideShares(model: Model, id: string, shapes: ShapeChoice | undefined, taken: ReadonlySet<string>) {
  let [total, pruned, quantized] = [0, 0, 0];
  for (const inner of innerGraphs(model, shapes)) {
    if (inner.around[0] !== id) continue;
    const { groups } = channelGroups({ ...model, graph: inner.graph }, inner.facts);
    const open = groups.filter((g) => g.frozen === undefined && g.units > 1);
    const reached = new Set(open.flatMap((g) => g.members().map((m) => m.node)));
    for (const [at, node] of inner.graph.nodes.entries()) {
      if (subgraphs(node).length > 0) continue;
      const macs = workOf(node, at, inner.scope).work?.macs ?? 0;
      total += macs;
      if (reached.has(node.id)) pruned += macs;
      if (taken.has(innerName(inner.path, node))) quantized += macs;
    }
  }
  return total === 0 ? undefined : { pruned: pruned / total, quantized: quantized / total };
}

export function coverageOf(model: Model, shapes?: ShapeChoice): Coverage {
  const figures = measureFigures(model, shapes);
  const taken = quantizedLayers(model, shapes);
  const fixed = withFixedTargets(model, inferFacts(model, shapes));
  const { groups, madeBy } = channelGroups(fixed.model, fixed.facts);
  const open = groups.filter((g) => g.frozen === undefined && g.units > 1);
  const reached = new Set(open.flatMap((g) => g.members().map((m) => m.node)));
  const nodes = new Map(model.graph.nodes.map((n) => [n.id, n]));
  let [total, pruned, quantized] = [0, 0, 0];
  const reasons = new Map<string, number>();
  for (const layer of figures.layers) {
    const macs = layer.macs ?? 0;
    const node = nodes.get(layer.id);
    if (macs === 0 || node === undefined) continue;
    total += macs;
    const inside = subgraphs(node).length > 0 ? insideShares(model, node.id, shapes, taken) : undefined;
    if (inside !== undefined) {
      pruned += macs * inside.pruned;
      quantized += macs * inside.quantized;
      continue;
    }
    if (taken.has(layer.id)) quantized += macs;
    if (reached.has(layer.id)) pruned += macs;
    else {
      const frozen = madeBy.get(layer.id)?.find((g) => g.frozen !== undefined)?.frozen;
      const why = `${layer.op}: ${frozen?.reason ?? 'makes no channels from a constant weight'}`;
      reasons.set(why, (reasons.get(why) ?? 0) + macs);
    }
  }
  const most = [...reasons].sort((a, b) => b[1] - a[1])[0];
  return {
    macs: figures.macs,
    notCounted: figures.notCounted.map((n) => n.op),
    prune: total === 0 ? null : pruned / total,
    quantize: total === 0 ? null : quantized / total,
    reason: most === undefined ? '' : `${most[0]} (${((100 * most[1]) / total).toFixed(0)} %)`,
  };
}

const percent = (share: number | null): string => (share === null ? '-' : `${(100 * share).toFixed(0)} %`);
const cell = (text: string): string => text.replace(/[|*_]/g, '\\$&').replace(/\s+/g, ' ').slice(0, 110);

/** One row of the table: file, opens, runs, MACs, shares, reason. */
export const coverageRow = (file: string, runs: string, c: Coverage | string): string =>
  typeof c === 'string'
    ? `| ${file} | no | ${runs} | - | - | - | ${cell(c)} |`
    : `| ${file} | yes | ${runs} | ${c.macs ?? 'unknown'} | ${percent(c.prune)} | ${percent(c.quantize)} | ${cell(
        [c.reason, c.notCounted.length > 0 ? `not counted: ${c.notCounted.join(', ')}` : ''].filter(Boolean).join('; '),
      )} |`;

export const coverageHead = [
  '# Coverage of the corpus',
  '',
  'Written by `npx vitest run shared/testing/coverage.test.ts` with `BANTAM_WRITE=1`; a test holds it. Prune: share of MACs in',
  'layers that lose work when channels go (their own or those they read). Quantize: in layers that the static 8-bit step takes.',
  'A shape behind a file name is what its open dimensions were set to. Layers inside branches and loop bodies count too; there, and',
  'where weights are float16 or no 8-bit kernel exists, the step stores 8-bit weights that are decoded at load.',
  '',
  '| file | opens | runs | MACs | prune | quantize | what keeps the rest |',
  '| --- | --- | --- | --- | --- | --- | --- |',
].join('\n');
