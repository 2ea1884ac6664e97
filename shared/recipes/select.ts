/** Owns selectNodes: the nodes of the main graph that a recipe's `select` names. */
import type { Figures } from '../analysis/figures.ts';
import { type InnerGraph, innerName } from '../analysis/inner-graphs.ts';
import { Fault } from '../base/fault.ts';
import { text } from '../base/text.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model, Node } from '../ir/model.ts';
import type { Facts } from '../ops/declare.ts';
import { kernelShapeOf, type QueryLayer, runQuery } from './query.ts';
import type { Select } from './recipe.ts';

/** What a query needs to know beside the graph; asked only when one is used. */
export interface SelectContext {
  readonly facts: ReadonlyMap<string, Facts>;
  readonly figures: () => Figures;
}

/**
 * Selected nodes in graph order. A name is a node's id or its name in the file (all that carry it). Faults: `bad-recipe`
 * for a name, operator or query word that is not there. A query may pick nothing.
 */
export function selectNodes(model: Model, select: Select, c: SelectContext): readonly Node[] {
  const nodes = graphIndex(model.graph).order;
  if ('all' in select) return nodes;
  if ('names' in select) return byName(nodes, select.names);
  if ('op' in select) {
    const wanted = select.op.toLowerCase();
    const found = nodes.filter((n) => n.op.toLowerCase() === wanted);
    if (found.length === 0)
      throw new Fault(
        'bad-recipe',
        text(`the model has no operator "${select.op}"`, `모델에 연산자 "${select.op}"이(가) 없습니다`),
        { where: 'select.op' },
      );
    return found;
  }
  const picked = runQuery(select.query, layersOf(nodes, c));
  return nodes.filter((n) => picked.has(n.id));
}

export interface SelectedEverywhere {
  readonly selected: readonly Node[];
  readonly inside: readonly (InnerGraph & { readonly selected: readonly Node[] })[];
}

/**
 * As `selectNodes`, and the nodes inside nodes that the select means: all of them; those of the operator; those named by their path
 * (`If_0/else_branch/Conv_3`), by the path of their graph, or by the node that holds it. A query speaks of the main graph alone.
 */
export function selectEverywhere(
  model: Model,
  inner: readonly InnerGraph[],
  select: Select,
  c: SelectContext,
): SelectedEverywhere {
  const inside = inner.map((i) => ({ ...i, selected: graphIndex(i.graph).order.filter((n) => isMeant(select, i, n)) }));
  const found = inside.filter((i) => i.selected.length > 0);
  if (found.length === 0) return { selected: selectNodes(model, select, c), inside: [] };
  if ('op' in select) {
    const wanted = select.op.toLowerCase();
    return { selected: graphIndex(model.graph).order.filter((n) => n.op.toLowerCase() === wanted), inside: found };
  }
  if (!('names' in select)) return { selected: selectNodes(model, select, c), inside: found };
  const known = new Set(found.flatMap((i) => [...i.around.slice(1), ...i.selected.map((n) => innerName(i.path, n))]));
  const rest = select.names.filter((n) => !known.has(n));
  return { selected: rest.length === 0 ? [] : selectNodes(model, { names: rest }, c), inside: found };
}

function isMeant(select: Select, { path, around }: InnerGraph, node: Node): boolean {
  if ('all' in select) return true;
  if ('op' in select) return node.op.toLowerCase() === select.op.toLowerCase();
  if (!('names' in select)) return false;
  return select.names.some((n) => n === innerName(path, node) || around.includes(n));
}

function byName(nodes: readonly Node[], names: readonly string[]): readonly Node[] {
  const wanted = new Set(names);
  const found = new Set<string>();
  const out = nodes.filter((n) => {
    const hit = wanted.has(n.id) ? n.id : n.name !== '' && wanted.has(n.name) ? n.name : undefined;
    if (hit !== undefined) found.add(hit);
    return hit !== undefined;
  });
  const missing = names.find((n) => !found.has(n));
  if (missing !== undefined)
    throw new Fault(
      'bad-recipe',
      text(`the model has no layer "${missing}"`, `모델에 레이어 "${missing}"이(가) 없습니다`),
      {
        where: 'select.names',
        hint: closest(missing, nodes),
      },
    );
  return out;
}

/** A hint with names that look alike, or the first few there are. */
function closest(name: string, nodes: readonly Node[]): string {
  const lower = name.toLowerCase();
  const alike = nodes.filter((n) => n.id.toLowerCase().includes(lower) || lower.includes(n.id.toLowerCase()));
  const shown = (alike.length > 0 ? alike : nodes).slice(0, 3).map((n) => `"${n.id}"`);
  return `Layers there are: ${shown.join(', ')}${nodes.length > shown.length ? ' ...' : ''}.`;
}

function layersOf(nodes: readonly Node[], c: SelectContext): readonly QueryLayer[] {
  const figures = new Map(c.figures().layers.map((l) => [l.id, l]));
  return nodes.map((node) => {
    const f = figures.get(node.id);
    return {
      node,
      macs: f?.macs ?? null,
      parameters: f?.parameters ?? 0,
      bytes: f?.weightBytes ?? 0,
      kernel: f?.kernel ?? null,
      kernelShape: kernelShapeOf(node, c.facts.get(node.inputs[1] ?? '')?.shape),
    };
  });
}
