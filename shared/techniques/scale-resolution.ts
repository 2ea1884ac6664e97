/**
 * Owns the technique scale-resolution: MobileNet's resolution multiplier (Howard et al. 2017, section 3.4). The network works on smaller
 * pictures; either it shrinks them itself and takes what it took before, or its input is declared smaller.
 */
import { text } from '../base/text.ts';
import { attr } from '../ir/attribute.ts';
import { GraphEdit } from '../ir/graph-edit.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Model, Node, ValueInfo } from '../ir/model.ts';
import type { Tensor } from '../ir/tensor.ts';
import { int64Tensor } from '../ir/values.ts';
import { layoutOf } from '../training/model-input.ts';
import type { Fit, Rewrite, StepContext, Taken, Technique } from './declare.ts';
import { sizeBarrier, withoutStaleShapes } from './picture-size.ts';
import { withInitializers } from './with-initializers.ts';

interface Picture {
  readonly info: ValueInfo;
  /** Axes of height and width. */
  readonly axes: readonly [number, number];
  readonly size: readonly [number, number];
}

/** The input as a picture of known size, or why it is none. */
function pictureOf(info: ValueInfo): Picture | string {
  const { type } = info;
  if (type.kind !== 'tensor' || type.shape?.length !== 4) return `the input ${info.name} is no picture`;
  const axes = layoutOf(type.shape) === 'nhwc' ? ([1, 2] as const) : ([2, 3] as const);
  const [height, width] = [type.shape[axes[0]], type.shape[axes[1]]];
  if (typeof height !== 'number' || typeof width !== 'number')
    return `the size of the input ${info.name} is open: choose it when the model runs`;
  return { info, axes, size: [height, width] };
}

interface Scale {
  readonly scale: number;
  readonly multipleOf: number;
  readonly keepInput: boolean;
}

const scaleOf = (params: StepContext['params']): Scale => ({
  scale: Number(params.scale ?? 0.75),
  multipleOf: Number(params.multipleOf ?? 1),
  keepInput: params.keepInput !== false,
});

const sizeAt = (size: number, s: Scale): number =>
  Math.max(s.multipleOf, Math.round((size * s.scale) / s.multipleOf) * s.multipleOf);

function resizing(model: Model, picture: Picture, to: readonly [number, number]): Model {
  const edit = new GraphEdit(model.graph);
  const { name } = picture.info;
  const sizes: Tensor = int64Tensor(edit.unique(`${name}.size`), [2], to);
  edit.setInitializer(sizes);
  const out = edit.unique(`${name}.resized`);
  edit.rewire(name, out);
  const smooth = picture.axes[0] === 2 && to[0] <= picture.size[0] && to[1] <= picture.size[1];
  const node = edit.make({
    op: 'Resize',
    inputs: [name, '', '', sizes.name],
    outputs: [out],
    attributes: [
      attr.ints('axes', picture.axes),
      attr.string('mode', 'linear'),
      ...(smooth ? [attr.int('antialias', 1)] : []),
    ],
  });
  edit.prepend([node]);
  return withInitializers(model, edit.done(), [sizes]);
}

function declaring(model: Model, picture: Picture, to: readonly [number, number]): Model {
  const inputs = model.graph.inputs.map((info): ValueInfo => {
    const { type } = info;
    if (info.name !== picture.info.name || type.kind !== 'tensor' || type.shape === null) return info;
    const shape = type.shape.map((d, axis) =>
      axis === picture.axes[0] ? to[0] : axis === picture.axes[1] ? to[1] : d,
    );
    return { ...info, type: { ...type, shape } };
  });
  return { ...model, graph: { ...model.graph, inputs } };
}

/** The model at another size of one input, or why it cannot have it. */
function atScale(model: Model, info: ValueInfo, s: Scale): { readonly model: Model; readonly what: string } | string {
  const picture = pictureOf(info);
  if (typeof picture === 'string') return picture;
  const to = [sizeAt(picture.size[0], s), sizeAt(picture.size[1], s)] as const;
  const what = `${picture.size.join(' x ')} -> ${to.join(' x ')} pixels`;
  if (to[0] === picture.size[0] && to[1] === picture.size[1]) return { model, what };
  if (info.type.kind !== 'tensor' || (s.keepInput && info.type.elem !== 'float'))
    return `the input ${info.name} is not float32: the runtime would not resize it`;
  const read = graphIndex(model.graph).uses.get(info.name) ?? [];
  if (s.keepInput && read.some((u) => u.input < 0)) return `the input ${info.name} is read inside a branch`;
  const changed = s.keepInput ? resizing(model, picture, to) : declaring(model, picture, to);
  const why = sizeBarrier(model, changed);
  return why ?? { model: withoutStaleShapes(model, changed), what };
}

/** Graph inputs with no default that a node reads directly. */
const inputsOf = (node: Node, model: Model): readonly ValueInfo[] =>
  graphIndex(model.graph).requiredInputs.filter((i) => node.inputs.includes(i.name));

const tried = new WeakMap<Model, Map<string, string | undefined>>();

/** Why an input cannot have another size; tried once with three quarters. */
function barrierOf(model: Model, info: ValueInfo): string | undefined {
  const known = tried.get(model) ?? new Map<string, string | undefined>();
  tried.set(model, known);
  if (!known.has(info.name)) {
    const done = atScale(model, info, { scale: 0.75, multipleOf: 1, keepInput: false });
    known.set(info.name, typeof done === 'string' ? done : undefined);
  }
  return known.get(info.name);
}

function fits(node: Node, c: Pick<StepContext, 'model'>): Fit {
  const [info] = inputsOf(node, c.model);
  if (info === undefined)
    return { fits: false, reason: text(`${node.op} does not read the input`, `${node.op}은(는) 입력을 읽지 않습니다`) };
  const why = barrierOf(c.model, info);
  return why === undefined ? { fits: true } : { fits: false, reason: text(why, `크기를 바꿀 수 없음: ${why}`) };
}

function rewrite(c: StepContext): Rewrite {
  const s = scaleOf(c.params);
  let model = c.model;
  const done = new Map<string, ReturnType<typeof atScale>>();
  const layers = c.selected.flatMap((node): Taken[] => {
    const [info] = inputsOf(node, c.model);
    if (info === undefined) return [];
    let at = done.get(info.name);
    if (at === undefined) {
      at = atScale(model, info, s);
      done.set(info.name, at);
      if (typeof at !== 'string') model = at.model;
    }
    return [
      typeof at === 'string' ? { id: node.id, taken: false, reason: at } : { id: node.id, taken: true, what: at.what },
    ];
  });
  const changed = model !== c.model;
  const notes =
    changed && !s.keepInput
      ? [
          text(
            'The input is declared at the new size: give the model pictures of that size.',
            '입력이 새 크기로 선언됩니다. 그 크기의 그림을 넣으세요.',
          ),
        ]
      : [];
  return { model, layers, notes };
}

export const scaleResolution: Technique = {
  id: 'scale-resolution',
  group: 'scale',
  formula: 'H × W → ρH × ρW;  MACs → ≈ ρ²·MACs',
  version: 1,
  title: text('Scale resolution', '해상도 조절'),
  summary: text(
    'The network works on smaller pictures: MACs and activations fall with the square, parameters stay.',
    '더 작은 그림으로 계산합니다. 연산량과 활성화 메모리가 배수의 제곱으로 줄고 파라미터는 그대로입니다.',
  ),
  cites: [
    {
      title: 'MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications',
      authors: 'Howard, Zhu, Chen, Kalenichenko, Wang, Weyand, Andreetto, Adam',
      year: 2017,
      where: 'arXiv:1704.04861, section 3.4',
    },
  ],
  params: {
    scale: {
      kind: 'number',
      label: text('Resolution multiplier', '해상도 배수'),
      min: 0.1,
      max: 2,
      step: 0.05,
      default: 0.75,
      unit: 'none',
    },
    multipleOf: {
      kind: 'choice',
      label: text('Sizes a multiple of', '크기 배수 맞춤'),
      options: [1, 4, 8, 16, 32].map((n) => ({ value: n, label: text(String(n), String(n)) })),
      default: 1,
    },
    keepInput: {
      kind: 'switch',
      label: text('Keep the input as it is', '입력 크기 유지'),
      help: text(
        'The model shrinks its pictures itself, so that whoever feeds it need change nothing.',
        '모델이 그림을 스스로 줄이므로 넣는 쪽은 바꿀 것이 없습니다.',
      ),
      default: true,
    },
  },
  exactness: () => 'shape',
  // Resize by axes and with antialiasing is of opset 18.
  needs: { opset: (params) => (params.keepInput === false ? 1 : 18) },
  fits,
  rewrite,
  knobs: ['scale'],
  promises: ['same-parameters'],
  cases: [
    { params: { scale: 0.75 } },
    { params: { scale: 0.5, keepInput: false } },
    { params: { scale: 1.5, multipleOf: 4 } },
  ],
  explain: () =>
    text(
      'Time falls with the pixels. Fine detail is lost, so train afterwards; a network with fully connected layers on the picture cannot take it.',
      '실행 시간이 픽셀 수만큼 줄어듭니다. 세부가 사라지니 이어서 학습시키세요. 그림에 완전 연결 레이어를 바로 붙인 신경망에는 쓸 수 없습니다.',
    ),
  migrations: [],
};
