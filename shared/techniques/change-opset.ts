/** Owns the technique change-opset: every operator's meaning brought to another opset of ai.onnx, newer or older. */
import { Fault } from '../base/fault.ts';
import { text } from '../base/text.ts';
import { type Model, opsetVersion } from '../ir/model.ts';
import { convertOpset, newestOpset } from '../transforms/convert-opset.ts';
import { lowerOpset, oldestOpset } from '../transforms/lower-opset.ts';
import type { Rewrite, StepContext, Technique } from './declare.ts';

const converted = (model: Model, to: number): Model | string => {
  try {
    return to < (opsetVersion(model) ?? 0) ? lowerOpset(model, to) : convertOpset(model, to);
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === 'unsupported')
      return `${thrown.message} (${thrown.where ?? 'the model'})`;
    throw thrown;
  }
};

function rewrite(c: StepContext): Rewrite {
  const to = Number(c.params.opset ?? newestOpset);
  const from = opsetVersion(c.model) ?? 0;
  const refused = (reason: string): Rewrite => ({
    model: c.model,
    layers: c.selected.slice(0, 1).map((n) => ({ id: n.id, taken: false, reason })),
    notes: [],
  });
  if (from === to) return refused(`the model has opset ${to} already`);
  const model = converted(c.model, to);
  if (typeof model === 'string') return refused(model);
  const before = new Set(c.model.graph.nodes);
  const changed = model.graph.nodes.filter((n) => !before.has(n)).length;
  return {
    model,
    layers: c.selected.map((n) => ({ id: n.id, taken: true, what: `opset ${from} -> ${to}` })),
    notes: [
      text(
        `Opset ${from} becomes ${to}; ${changed} nodes are written in another form.`,
        `opset ${from}이(가) ${to}(으)로 바뀝니다. 노드 ${changed}개의 표기가 달라집니다.`,
      ),
    ],
  };
}

export const changeOpset: Technique = {
  id: 'change-opset',
  group: 'clean-up',
  version: 1,
  title: text('Change the opset', 'opset 바꾸기'),
  summary: text(
    'Writes the model in another version of the ONNX operators, with every meaning kept.',
    '의미를 그대로 유지하며 다른 버전의 ONNX 연산자로 모델을 씁니다.',
  ),
  cites: [],
  params: {
    opset: {
      kind: 'number',
      label: text('Opset', 'opset'),
      min: oldestOpset,
      max: newestOpset,
      step: 1,
      default: 21,
      integer: true,
      unit: 'none',
    },
  },
  exactness: () => 'shape',
  needs: {},
  fits: () => ({ fits: true }),
  rewrite,
  knobs: [],
  promises: ['same-io', 'same-macs', 'function-preserved'],
  cases: [
    { params: {} },
    { params: { opset: newestOpset } },
    { params: { opset: 13 } },
    { params: { opset: oldestOpset } },
  ],
  explain: () =>
    text(
      'Neither smaller nor faster: it lets the file load where only that version is known.',
      '크기나 속도는 같습니다. 해당 버전만 아는 환경에서도 열 수 있게 됩니다.',
    ),
  migrations: [],
};
