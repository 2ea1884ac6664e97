/** Owns the technique simplify: constants folded, equal weights stored once, nodes that do nothing and dead ones taken out. */
import { text } from '../base/text.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model, Node } from '../ir/model.ts';
import { foldConstants } from '../transforms/fold-constants.ts';
import { dedupInitializers, removeDead, removeIdentity } from '../transforms/tidy.ts';
import { inTurn, type Transform, type Transformed } from '../transforms/transform.ts';
import type { Fit, Rewrite, StepContext, Taken, Technique } from './declare.ts';

const passes: readonly Transform[] = [removeIdentity, foldConstants, dedupInitializers, removeDead];

const done = new WeakMap<Model, Transformed>();

/** All passes in turn until nothing changes; worked out once per model. */
function simplified(model: Model): Transformed {
  const known = done.get(model);
  if (known !== undefined) return known;
  const changes: string[] = [];
  let now = model;
  for (;;) {
    const turn = inTurn(now, passes);
    if (turn.changes.length === 0) break;
    changes.push(...turn.changes);
    now = turn.model;
  }
  const result = { model: now, changes };
  done.set(model, result);
  return result;
}

const nothing = 'nothing here can be simplified';

/** What happens to a node: it goes, or reads a stored tensor that several had copies of. */
function whatOf(before: Model, after: Model, node: Node): string | undefined {
  const now = graphIndex(after.graph).nodeById.get(node.id);
  if (now === undefined) return 'taken out';
  const changed = now.inputs.some((name, k) => name !== node.inputs[k]);
  if (changed) return 'reads what it needs directly';
  const { producer } = graphIndex(before.graph);
  return node.inputs.some((i) => {
    const made = producer.get(i);
    return made !== undefined && !graphIndex(after.graph).nodeById.has(made.id);
  })
    ? 'reads a constant'
    : undefined;
}

function fits(node: Node, c: Pick<StepContext, 'model'>): Fit {
  return whatOf(c.model, simplified(c.model).model, node) === undefined
    ? { fits: false, reason: text(nothing, '더 단순하게 만들 것이 없습니다') }
    : { fits: true };
}

/** A whole graph is simplified, whatever is selected: half of it would leave constants without readers. */
function rewrite(c: StepContext): Rewrite {
  const { model, changes } = simplified(c.model);
  const found = c.selected.flatMap((n): readonly Taken[] => {
    const what = whatOf(c.model, model, n);
    return what === undefined ? [] : [{ id: n.id, taken: true, what }];
  });
  const [first] = c.selected;
  // Dead initializers alone: no node tells of them.
  const only: readonly Taken[] =
    first === undefined
      ? []
      : changes.length > 0
        ? [{ id: first.id, taken: true, what: 'unused or repeated weights taken out of the file' }]
        : [{ id: first.id, taken: false, reason: nothing }];
  const gone = c.model.graph.nodes.length - model.graph.nodes.length;
  return {
    model,
    layers: found.length > 0 ? found : only,
    notes:
      gone > 0
        ? [
            text(
              `${gone} nodes fewer; what is computed stays the same.`,
              `노드가 ${gone}개 줄었습니다. 계산 결과는 같습니다.`,
            ),
          ]
        : [],
  };
}

export const simplify: Technique = {
  id: 'simplify',
  group: 'clean-up',
  version: 1,
  title: text('Simplify', '단순화'),
  summary: text(
    'Computes what is known beforehand, stores equal weights once, and takes out nodes that do nothing.',
    '미리 알 수 있는 값은 계산해 두고, 같은 가중치는 한 번만 저장하며, 하는 일이 없는 노드를 제거합니다.',
  ),
  cites: [],
  params: {},
  // Equal weights are found by their bytes.
  exactness: () => 'statistics',
  needs: {},
  fits,
  rewrite,
  knobs: [],
  promises: ['same-io', 'same-macs', 'fewer-parameters', 'function-preserved'],
  cases: [{ params: {} }],
  explain: () =>
    text(
      'Fewer nodes to open and to look at. The runtime folds constants on loading as well, so time hardly changes.',
      '열고 살펴볼 노드가 줄어듭니다. 런타임도 불러올 때 상수를 접으므로 시간은 거의 같습니다.',
    ),
  migrations: [],
};
