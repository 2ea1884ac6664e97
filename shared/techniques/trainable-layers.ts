/** Owns which selected layers a training changes, which stay frozen and why: said before a job starts. */
import { trainableBehind } from '../autodiff/parameters.ts';
import { trainability } from '../autodiff/trainability.ts';
import { type Text, text, textAround } from '../base/text.ts';
import { type ElementType, isFloat } from '../ir/element-type.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Node } from '../ir/model.ts';
import { isNone } from '../ops/declare.ts';
import { opOf } from '../ops/index.ts';
import type { Fit, StepContext, Taken } from './declare.ts';
import { reasonText } from './reason-words.ts';

/** Layers with float weights and a gradient rule. */
export function fitsTraining(node: Node, c: Pick<StepContext, 'facts'>): Fit {
  const op = opOf(node);
  const roles = Object.keys(op?.parameters ?? {}).map(Number);
  const weights = roles.filter((k) => {
    const facts = c.facts.get(node.inputs[k] ?? '');
    return facts?.constant === true && facts.elem !== null && isFloat(facts.elem);
  });
  if (op === undefined || weights.length === 0)
    return { fits: false, reason: text(`${node.op} has no float weights`, `${node.op}에는 실수 가중치가 없습니다`) };
  if (isNone(op.gradient))
    return { fits: false, reason: text(`${node.op}: ${op.gradient.none}`, `${node.op}: 기울기 규칙이 없습니다`) };
  return { fits: true };
}

const stores = new Set<ElementType | null>(['int8', 'uint8', 'int4', 'uint4', 'int2', 'uint2', 'int16', 'uint16']);

/** Element type of integer weights, plain or behind the nodes that decode them. */
function integerBehind(node: Node, c: Pick<StepContext, 'model' | 'facts'>): string | undefined {
  const index = graphIndex(c.model.graph);
  for (const [k, role] of Object.entries(opOf(node)?.parameters ?? {})) {
    if (role !== 'weight') continue;
    const stack = [node.inputs[Number(k)] ?? ''];
    const seen = new Set<string>();
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      const facts = c.facts.get(at);
      if (seen.has(at) || facts?.constant !== true) continue;
      seen.add(at);
      if (facts.elem !== null && stores.has(facts.elem)) return facts.elem;
      stack.push(...(index.producer.get(at)?.inputs ?? []));
    }
  }
  return undefined;
}

/** What becomes of each selected node with stored parameters. `output`: the one that is trained, the first by default. */
export function trainedLayers(c: StepContext, output?: string): readonly Taken[] {
  const able = new Map(
    trainability(c.model, c.facts, new Set(c.selected.map((n) => n.id)), output).map((l) => [l.id, l] as const),
  );
  return c.selected.flatMap((node): readonly Taken[] => {
    const { id } = node;
    const op = opOf(node);
    const facts = Object.keys(op?.parameters ?? {}).flatMap((k) => c.facts.get(node.inputs[Number(k)] ?? '') ?? []);
    const decodes = node.outputs.every((o) => c.facts.get(o)?.constant === true);
    if (op === undefined || decodes || !facts.some((f) => f.constant)) return [];
    const behind = integerBehind(node, c);
    const found = able.get(id);
    if (found === undefined)
      return behind === undefined ? [] : [{ id, taken: false, reason: `frozen: ${behind} weights` }];
    const { stop } = found;
    if (stop !== undefined) {
      const where = stop.node === undefined || stop.node === id ? '' : `${stop.op} ${stop.node}: `;
      const reason = textAround(
        reasonText(stop.reason),
        (why) => `frozen: ${where}${why}`,
        (why) => `고정됨: ${where}${why}`,
      );
      return [{ id, taken: false, reason }];
    }
    const half =
      behind !== undefined && ![...trainableBehind(c.model.graph, c.facts, node).values()].includes('weight');
    return [{ id, taken: true, what: half ? `bias trained; ${behind} weights frozen` : 'trained' }];
  });
}

/** How many train and how many stay frozen; nothing where all train. */
export function frozenNotes(layers: readonly Taken[]): readonly Text[] {
  const learns = layers.filter((l) => l.taken).length;
  const frozen = layers.length - learns;
  if (frozen === 0) return [];
  return [
    text(
      `${learns} layers train; ${frozen} stay frozen (integer weights, or no gradient).`,
      `${learns}개 레이어를 학습합니다. ${frozen}개는 고정됩니다(정수 가중치이거나 기울기가 없음).`,
    ),
  ];
}
