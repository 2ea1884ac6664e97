/** Owns brokenPromise: whether a rewritten model keeps what its technique promises. Read by run-step and by the laws. */
import type { Figures } from '../analysis/figures.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model, ValueInfo } from '../ir/model.ts';
import type { Technique, TechniquePromise } from './declare.ts';

export interface Compared {
  readonly before: Figures;
  readonly after: Figures;
  /** What the preview said; must equal `after`. */
  readonly predicted?: Figures;
}

const signature = (infos: readonly ValueInfo[]): string =>
  infos
    .map((i) => {
      const t = i.type;
      return t.kind === 'tensor' ? `${i.name}: ${t.elem}[${t.shape?.join(',') ?? '?'}]` : `${i.name}: ${t.kind}`;
    })
    .join('; ');

/** The same output but for the size of one dimension. */
function resized(from: ValueInfo, to: ValueInfo | undefined): boolean {
  const [a, b] = [from.type, to?.type];
  if (from.name !== to?.name || a.kind !== b?.kind) return false;
  if (a.kind !== 'tensor' || b.kind !== 'tensor') return true;
  if (a.elem !== b.elem || a.shape?.length !== b.shape?.length) return false;
  return (a.shape ?? []).filter((d, k) => d !== b.shape?.[k]).length <= 1;
}

const grew = (what: string, before: number | null, after: number | null): string | undefined =>
  before !== null && after !== null && after > before ? `${what} grew from ${before} to ${after}` : undefined;
const moved = (what: string, before: number | null, after: number | null): string | undefined =>
  before !== after ? `${what} changed from ${before} to ${after}` : undefined;

function broken(promise: TechniquePromise, from: Model, to: Model, c: Compared): string | undefined {
  switch (promise) {
    case 'same-io': {
      const inputs = [from, to].map((m) => signature(graphIndex(m.graph).requiredInputs));
      const outputs = [from, to].map((m) => signature(m.graph.outputs));
      if (inputs[0] !== inputs[1]) return `inputs were ${inputs[0]}, are ${inputs[1]}`;
      return outputs[0] !== outputs[1] ? `outputs were ${outputs[0]}, are ${outputs[1]}` : undefined;
    }
    case 'other-classes': {
      const inputs = [from, to].map((m) => signature(graphIndex(m.graph).requiredInputs));
      if (inputs[0] !== inputs[1]) return `inputs were ${inputs[0]}, are ${inputs[1]}`;
      const off = from.graph.outputs.find((o, k) => !resized(o, to.graph.outputs[k]));
      const same = from.graph.outputs.length === to.graph.outputs.length;
      return off === undefined && same ? undefined : `output ${off?.name} changed more than the number of classes`;
    }
    case 'fewer-parameters':
      return grew('parameters', c.before.parameters, c.after.parameters);
    case 'fewer-macs':
      return grew('MACs', c.before.macs, c.after.macs);
    case 'smaller-file':
      return grew('the file', c.before.fileBytes, c.after.fileBytes);
    case 'same-parameters':
      return moved('parameters', c.before.parameters, c.after.parameters);
    case 'same-macs':
      return moved('MACs', c.before.macs, c.after.macs);
    case 'function-preserved':
      return undefined; // compared by running both, where the runtime is at hand
  }
}

/** The first promise that does not hold, in words; undefined where all do. Limits reached may leave a figure as it was. */
export function brokenPromise(technique: Technique, from: Model, to: Model, c: Compared): string | undefined {
  for (const promise of technique.promises) {
    const why = broken(promise, from, to, c);
    if (why !== undefined) return why;
  }
  const { predicted, after } = c;
  if (predicted === undefined) return undefined;
  return (
    moved('predicted parameters', predicted.parameters, after.parameters) ??
    moved('predicted MACs', predicted.macs, after.macs) ??
    moved('predicted file bytes', predicted.fileBytes, after.fileBytes)
  );
}
