/** Owns the scoring graph: a model that only answers, its scores flat and some values beside them. What a teacher runs as. */
import { inferFacts } from '../analysis/infer-facts.ts';
import { Fault } from '../base/fault.ts';
import { text } from '../base/text.ts';
import { type Model, type Node, opsetVersion } from '../ir/model.ts';
import { int64Tensor } from '../ir/values.ts';
import { convertOpset } from '../transforms/convert-opset.ts';
import { assemble, floatInfo } from './assemble.ts';
import { setBatch } from './set-batch.ts';
import { needed, type OutputEnd, scoresOf } from './trained-part.ts';

export interface ScoringGraph {
  /** From the data to `scores` [batch, classes] and the asked values under their own names. */
  readonly model: Model;
  readonly scores: string;
  readonly classes: number;
  /** Of the scores before they are flat, the batch first. */
  readonly shape: readonly number[];
  readonly end: OutputEnd;
  /** Dimensions of the asked values. */
  readonly dims: ReadonlyMap<string, readonly number[]>;
}

/** Reshape with its shape as an input came with opset 5. */
const oldest = 7;

/**
 * `squashed`: scores as the output gives them; else before its closing softmax or sigmoid. Faults: `not-found` for a value that
 * the model does not compute, `unsupported` where a size is unknown, those of setBatch.
 */
export function scoringGraph(
  source: Model,
  data: string,
  s: {
    readonly batch: number;
    readonly output?: string;
    readonly squashed?: boolean;
    readonly values?: readonly string[];
  },
): ScoringGraph {
  const raised = (opsetVersion(source) ?? 1) < oldest ? convertOpset(source, oldest) : source;
  const model = setBatch(raised, data, s.batch);
  const { graph } = model;
  const output = s.output ?? graph.outputs[0]?.name ?? '';
  const found = scoresOf(graph, output);
  const value = s.squashed === true ? output : found.value;
  const values = [...new Set(s.values ?? [])];
  const facts = inferFacts(model);
  const sizes = (name: string): readonly number[] => {
    const known = facts.get(name);
    if (known === undefined)
      throw new Fault('not-found', text('the model has no such value', '모델에 그런 값이 없습니다'), { where: name });
    const shape = known.shape ?? [];
    if (shape[0] !== s.batch || !shape.every((d): d is number => typeof d === 'number'))
      throw new Fault(
        'unsupported',
        text('this value has no known size per sample', '이 값의 샘플당 크기를 알 수 없습니다'),
        { where: name },
      );
    return shape;
  };
  const scored = sizes(value);
  const elem = facts.get(value)?.elem;
  if (elem !== 'float')
    throw new Fault(
      'unsupported',
      text(
        `only outputs of float numbers are trained, this one is ${elem ?? 'unknown'}`,
        `실수 출력만 학습할 수 있는데 이 출력은 ${elem ?? '알 수 없음'}입니다`,
      ),
      {
        where: output,
      },
    );
  const classes = scored.slice(1).reduce((a, b) => a * b, 1);
  const dims = new Map(values.map((v) => [v, sizes(v)] as const));
  const taken = new Set([...facts.keys(), ...graph.initializers.map((t) => t.name)]);
  let scores = 'scores';
  while (taken.has(scores) || taken.has(`${scores}.shape`)) scores += '~';
  const shape = int64Tensor(`${scores}.shape`, [2], [s.batch, classes]);
  const flatten: Node = {
    id: scores,
    name: scores,
    op: 'Reshape',
    domain: '',
    inputs: [value, shape.name],
    outputs: [scores],
    attributes: [],
  };
  return {
    model: assemble(model, {
      nodes: [...needed(graph, [value, ...values]), flatten],
      constants: [shape],
      inputs: graph.inputs.filter((i) => i.name === data),
      outputs: [floatInfo(scores, [s.batch, classes]), ...[...dims].map(([name, d]) => floatInfo(name, d))],
    }),
    scores,
    classes,
    shape: scored,
    end: found.end,
    dims,
  };
}
