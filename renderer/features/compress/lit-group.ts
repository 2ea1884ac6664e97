/** Owns lighting up on the canvas what a technique would touch together: the coupled groups of the selection, or why not. */
import { channelGroups } from '#shared/analysis/channel-groups.ts';
import { inferFacts } from '#shared/analysis/infer-facts.ts';
import type { OpenModel } from '../../state/document.ts';
import { dispatch } from '../../state/store.ts';

export interface Coupling {
  /** Node id -> the sentence that says why it is in. */
  readonly ids: ReadonlyMap<string, string>;
  readonly kind: 'group' | 'frozen';
  /** How many other layers make channels of the same groups. */
  readonly others: number;
}

/** The groups that the selected nodes make; undefined where nothing is selected or nothing is made. */
export function couplingOf(
  open: OpenModel,
  shapes: Readonly<Record<string, readonly number[]>>,
  selection: readonly string[],
): Coupling | undefined {
  if (selection.length === 0) return undefined;
  const groups = channelGroups(open.model, inferFacts(open.model, { inputs: shapes }));
  const made = new Set(selection.flatMap((id) => groups.madeBy.get(id) ?? []));
  if (made.size === 0) return undefined;
  const ids = new Map<string, string>();
  const makers = new Set<string>();
  let frozen = 0;
  for (const g of made) {
    if (g.frozen !== undefined) frozen++;
    for (const m of g.makers) makers.add(m.node.id);
    for (const m of g.members()) ids.set(m.node, g.frozen === undefined ? m.reason : g.frozen.reason);
  }
  for (const id of selection) makers.delete(id);
  return { ids, kind: frozen === made.size ? 'frozen' : 'group', others: makers.size };
}

export const light = (coupling: Coupling | undefined): void =>
  dispatch({
    type: 'highlighted',
    highlight: coupling === undefined ? null : { ids: coupling.ids, kind: coupling.kind },
  });
