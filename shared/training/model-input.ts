/** Owns what a model wants fed: its one data input, how an image lies in it, and whether the batch is free. */
import { Fault } from '../base/fault.ts';
import { text } from '../base/text.ts';
import type { ElementType } from '../ir/element-type.ts';
import { graphIndex } from '../ir/graph-index.ts';
import type { Dim, Model } from '../ir/model.ts';

export interface ModelInput {
  readonly name: string;
  readonly elem: ElementType;
  readonly shape: readonly Dim[];
  /** The leading dimension where it is a fixed number; null where any batch may be tried. */
  readonly batch: number | null;
}

/** The input that samples feed. Faults: `unsupported` where the model wants several, or none of known rank. */
export function modelInput(model: Model): ModelInput {
  const wanted = graphIndex(model.graph).requiredInputs;
  const [first] = wanted;
  if (first === undefined) throw new Fault('unsupported', text('the model takes no input', '모델에 입력이 없습니다'));
  if (wanted.length > 1)
    throw new Fault(
      'unsupported',
      text(
        `the model takes ${wanted.length} inputs, data feeds one`,
        `모델의 입력은 ${wanted.length}개인데 데이터는 하나만 채웁니다`,
      ),
      {
        where: wanted.map((i) => i.name).join(', '),
      },
    );
  const { type, name } = first;
  if (type.kind !== 'tensor' || type.elem === null || type.shape === null || type.shape.length === 0)
    throw new Fault(
      'unsupported',
      text('the input has no known rank and type', '입력의 랭크와 형식을 알 수 없습니다'),
      { where: name },
    );
  const lead = type.shape[0];
  return { name, elem: type.elem, shape: type.shape, batch: typeof lead === 'number' && lead > 0 ? lead : null };
}

export type Layout = 'nchw' | 'nhwc' | 'flat';

/** Where the channels of an image stand: a dimension of 1, 3 or 4 tells; NCHW where both or neither do. */
export function layoutOf(shape: readonly Dim[]): Layout {
  const small = (d: Dim | undefined): boolean => d === 1 || d === 3 || d === 4;
  if (shape.length === 4) return !small(shape[1]) && small(shape[3]) ? 'nhwc' : 'nchw';
  return 'flat';
}
