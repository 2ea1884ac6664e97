/** Owns placeBlocks: blocks written in the place of selected convolutions, or of selected runs of layers, weights not yet looked at. */
import { relativeError } from '../../base/low-rank.ts';
import { type Text, text } from '../../base/text.ts';
import { GraphEdit } from '../../ir/graph-edit.ts';
import type { Node } from '../../ir/model.ts';
import type { Tensor } from '../../ir/tensor.ts';
import type { Rewrite, StepContext, Taken } from '../declare.ts';
import { withInitializers } from '../with-initializers.ts';
import type { BlockEnd } from './activation-fit.ts';
import { type Activation, BlockWriter } from './block-writer.ts';
import { type ConvLayer, convLayer } from './conv-layer.ts';
import type { BlockKind, BlockOptions } from './declare.ts';
import { findRuns } from './find-runs.ts';
import { blockKind } from './index.ts';
import { type RunLayer, runLayer } from './run-layer.ts';

const optionsOf = (p: StepContext['params']): BlockOptions => ({
  ratio: Number(p.ratio ?? 0.5),
  expansion: Number(p.expansion ?? 4),
  groups: Number(p.groups ?? 2),
  multiplier: Number(p.multiplier ?? 1),
});

export const onActivations = (c: StepContext): boolean => c.params.fit === 'activations';
const ofRuns = (c: StepContext): boolean => c.params.span === 'run';

export interface Placed extends Rewrite {
  readonly ends: readonly BlockEnd[];
  readonly runs: readonly RunLayer[];
  /** Values that the blocks make in the place of what was there. */
  readonly made: readonly string[];
}

const percent = (share: number): string => (share * 100).toFixed(share < 0.001 ? 3 : 1);

/** How near the block's kernel is to the old one; only where nothing bends inside is there a kernel to compare. */
function kernelNote(layer: ConvLayer, composite: () => Float64Array): Text {
  const name = layer.node.name || layer.node.id;
  const share = percent(relativeError(layer.weight(), composite()));
  return text(
    `${name}: the block starts ${share} % away from the old kernel (relative Frobenius norm).`,
    `${name}: 블록의 시작 커널은 원래 커널과 ${share} % 다릅니다(상대 프로베니우스 노름).`,
  );
}

/** A single filter a channel is little where there are few channels to choose from. */
function fewFilters(layer: ConvLayer, kind: BlockKind, o: BlockOptions): Text | undefined {
  const filters = layer.inputs * o.multiplier;
  if (kind.id !== 'depthwise-separable' || filters * 2 >= Math.min(layer.outputs, 9)) return undefined;
  const name = layer.node.name || layer.node.id;
  return text(
    `${name} has ${layer.inputs} input channel${layer.inputs === 1 ? '' : 's'}: the block sees through ${filters} filter${filters === 1 ? '' : 's'}. A multiplier gives it more.`,
    `${name}: 입력 채널이 ${layer.inputs}개라 블록의 필터가 ${filters}개뿐입니다. 채널 배수를 높이면 늘어납니다.`,
  );
}

class Placer {
  readonly edit: GraphEdit;
  readonly layers: Taken[] = [];
  readonly notes: Text[] = [];
  readonly findings: (() => Text)[] = [];
  readonly added: Tensor[] = [];
  readonly ends: BlockEnd[] = [];
  readonly runs: RunLayer[] = [];
  readonly made: string[] = [];
  readonly #c: StepContext;
  readonly #kind: BlockKind;
  readonly #options: BlockOptions;
  readonly #activation: Activation;

  constructor(c: StepContext) {
    this.#c = c;
    this.edit = new GraphEdit(c.model.graph);
    this.#kind = blockKind(String(c.params.block ?? ''));
    this.#options = optionsOf(c.params);
    this.#activation = (c.params.activation ?? 'none') as Activation;
  }

  /** The block in the place of the node that made the layer's output; or why not. `as`: whose rows tell what it gave. */
  #put(layer: ConvLayer, maker: Node, as: string): { readonly what: string } | string {
    const refusal = this.#kind.refuses(layer, this.#options);
    if (refusal !== undefined) return refusal;
    const block = new BlockWriter(this.edit, layer, this.#activation);
    const composite = this.#kind.write(block, this.#options);
    for (const t of block.tensors) this.edit.setInitializer(t);
    this.added.push(...block.tensors);
    this.edit.replace(maker.id, block.nodes);
    this.ends.push({ layer: as, name: layer.node.name || layer.node.id, last: block.nodes.at(-1) ?? maker });
    this.made.push(...layer.node.outputs.slice(0, 1));
    if (composite !== undefined && this.#activation === 'none') this.findings.push(() => kernelNote(layer, composite));
    const few = fewFilters(layer, this.#kind, this.#options);
    if (few !== undefined) this.notes.push(few);
    return { what: `${this.#kind.id}, ${block.nodes.length} nodes` };
  }

  convolutions(): void {
    for (const node of this.#c.selected) {
      const layer = convLayer(this.#c, node);
      if (typeof layer === 'string') {
        if (node.op === 'Conv') this.layers.push({ id: node.id, taken: false, reason: layer });
        continue;
      }
      const put = this.#put(layer, node, node.id);
      this.layers.push(
        typeof put === 'string' ? { id: node.id, taken: false, reason: put } : { id: node.id, taken: true, ...put },
      );
    }
  }

  stretches(): void {
    for (const { nodes, run } of findRuns(this.#c)) {
      const put = typeof run === 'string' ? run : this.#stretch(run);
      const inside = new Set(typeof run === 'string' ? [] : run.nodes.map((n) => n.id));
      // Without a convolution the first node stands for the others.
      const speaks = nodes.find((n) => n.op === 'Conv') ?? nodes[0];
      for (const node of nodes) {
        const { id, op } = node;
        if (typeof put !== 'string' && inside.has(id)) this.layers.push({ id, taken: true, ...put });
        else if (op === 'Conv' || node === speaks)
          this.layers.push({ id, taken: false, reason: typeof put === 'string' ? put : 'it lies outside the run' });
      }
    }
  }

  #stretch(run: Exclude<ReturnType<typeof findRuns>[number]['run'], string>): { readonly what: string } | string {
    const maker = run.nodes.find((n) => n.outputs.includes(run.to));
    if (maker === undefined) return 'nothing in it makes what leaves it';
    const samples = onActivations(this.#c);
    const found = runLayer(this.#c, this.edit, run, samples);
    if (typeof found === 'string') return found;
    this.edit.setInitializer(found.bias);
    const put = this.#put(found.layer, maker, found.leaves);
    if (typeof put === 'string') {
      this.edit.removeInitializer(found.bias.name);
      return put;
    }
    this.added.push(found.bias);
    this.runs.push(found);
    const { name } = found.layer.node;
    if (samples)
      this.findings.push(() =>
        text(
          `${name}: one convolution in place of the run is ${percent(found.error())} % off on samples; the block is fitted to it.`,
          `${name}: 구간 전체를 합성곱 하나로 근사하면 샘플에서 오차가 ${percent(found.error())} %이고, 블록은 여기에 맞춥니다.`,
        ),
      );
    return { what: `${put.what}, for a run of ${run.nodes.length} layers` };
  }

  placed(): Placed {
    this.edit.removeUnused();
    const graph = this.edit.done();
    const kept = new Set(graph.initializers.map((t) => t.name));
    const model = withInitializers(
      this.#c.model,
      graph,
      this.added.filter((t) => kept.has(t.name)),
    );
    if (this.#activation !== 'none')
      this.notes.push(
        text(
          'With an activation inside, the block is no longer near the old layer: train it afterwards.',
          '블록 안에 활성화가 있으면 원래 레이어와 가깝지 않습니다. 이후에 학습하세요.',
        ),
      );
    if (this.runs.length > 0 && !onActivations(this.#c))
      this.notes.push(
        text(
          'A run of layers has no kernel to start from: the block starts from seeded numbers. Fit it on activations, or reconstruct.',
          '여러 층에는 시작점이 될 커널이 없어 난수에서 시작합니다. 활성값으로 맞추거나 재구성하세요.',
        ),
      );
    const { layers, notes, findings, ends, runs, made } = this;
    // Where the kernel is drawn from a seed, how near the block comes to it says nothing.
    const told = runs.length > 0 && !onActivations(this.#c) ? [] : findings;
    return { model, layers, notes, findings: () => told.map((found) => found()), ends, runs, made };
  }
}

/** The blocks in place, their weights from the kernels alone (of a run: from the samples of round 0, where those are asked for). */
export function placeBlocks(c: StepContext): Placed {
  const placer = new Placer(c);
  if (ofRuns(c)) placer.stretches();
  else placer.convolutions();
  return placer.placed();
}
