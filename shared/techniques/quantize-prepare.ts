/** Owns what becomes of a model before static quantization plans it: normalisation folded in, and ranges shared out where asked. */
import { type Text, text } from '../base/text.ts';
import type { Model, Node } from '../ir/model.ts';
import { equalizeLayers } from '../transforms/equalize-layers.ts';
import type { StepContext } from './declare.ts';
import { foldedForQuantization } from './quantize-layers.ts';

export interface Prepared {
  readonly model: Model;
  /** Whether ranges must be observed on this model: its inner values are no longer those of the model that entered. */
  readonly rescaled: boolean;
  readonly notes: readonly Text[];
}

/**
 * `entered`: the nodes with which the step was entered, of which `c` may select fewer (layers tried in float). All of them are
 * equalised in any case, because that is the model on which ranges were observed.
 */
export function preparedForQuantization(c: StepContext, entered: readonly Node[] = c.selected): Prepared {
  if (c.params.equalize !== true) return { model: foldedForQuantization(c), rescaled: false, notes: [] };
  const chosen = new Set(entered.map((n) => n.id));
  const { model, pairs, clamped } = equalizeLayers(foldedForQuantization({ ...c, selected: entered }), {
    into: (layer) => chosen.has(layer.id),
    shape: (value) => c.facts.get(value)?.shape,
  });
  return { model, rescaled: pairs.length > 0, notes: [equalizedNote(pairs.length), ...clampedNote(clamped)] };
}

const equalizedNote = (count: number): Text =>
  count === 0
    ? text(
        'Nothing to equalise: no layer is read by another through nodes that pass a positive factor on.',
        '맞출 범위가 없습니다. 양의 배율을 그대로 전하는 노드로 이어진 레이어 쌍이 없습니다.',
      )
    : text(
        `${count} layers share out their weight ranges with the layers that read them.`,
        `레이어 ${count}개가 뒤따르는 레이어와 가중치 범위를 나누어 맞춥니다.`,
      );

const clampedNote = (clamped: readonly string[]): readonly Text[] =>
  clamped.length === 0
    ? []
    : [
        text(
          `Not equalised, because a Clip bounds them from above: ${clamped.join(', ')}.`,
          `위쪽이 Clip으로 막혀 있어 맞추지 못한 레이어: ${clamped.join(', ')}.`,
        ),
      ];
