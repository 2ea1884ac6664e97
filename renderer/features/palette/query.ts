/** Owns selecting by a query from the palette. */
import type { Model } from '#shared/ir/model.ts';
import type { Facts } from '#shared/ops/declare.ts';
import { selectNodes } from '#shared/recipes/select.ts';
import { usePreview } from '../../state/preview.ts';

/** Ids of the layers that a query picks; none where the words are no query. */
export function queried(model: Model, query: string): readonly string[] {
  const figures = usePreview.getState().preview?.before;
  if (figures === undefined) return [];
  const facts = new Map<string, Facts>(
    model.graph.initializers.map((t) => [t.name, { elem: t.type, shape: t.dims, constant: true }]),
  );
  try {
    return selectNodes(model, { query }, { facts, figures: () => figures }).map((n) => n.id);
  } catch {
    return []; // the words are a name or a command: the other parts of the palette answer
  }
}
