/**
 * Owns a run of layers as the one convolution that a block is fitted to: its sizes, and the kernel nearest to what the run does on
 * samples (least squares over patches of what enters and what leaves), or a seeded one where no samples are looked at.
 */
import { leastSquares } from '../../analysis/least-squares.ts';
import { lazy } from '../../base/lazy.ts';
import { rng } from '../../base/random.ts';
import { attr } from '../../ir/attribute.ts';
import { GraphEdit } from '../../ir/graph-edit.ts';
import type { Model, Node } from '../../ir/model.ts';
import { lazyTensor, type Tensor } from '../../ir/tensor.ts';
import { packNumbers } from '../../ir/values.ts';
import { windowOf } from '../../ops/window.ts';
import { evidenceOf, type StepContext } from '../declare.ts';
import type { ConvLayer } from './conv-layer.ts';
import type { Run } from './find-runs.ts';

/** A run seen as a convolution, and the nodes by which samples tell what it does. */
export interface RunLayer {
  readonly run: Run;
  readonly layer: ConvLayer;
  /** The layer's bias, made for it. */
  readonly bias: Tensor;
  /** Ids of the probes in `probed`: one reads what enters at every window, the other what leaves, number by number. */
  readonly enters: string;
  readonly leaves: string;
  /** |Y - convolution| / |Y| on the rows that fitted it; asked only once samples were looked at. */
  readonly error: () => number;
}

/** More unknowns than these a kernel of all taps would take minutes to solve for: then its centre alone is solved. */
const unknowns = 1200;

interface Solution {
  readonly kernel: Float64Array;
  readonly bias: Float64Array;
  readonly error: number;
}

/** He et al. 2015, eq. 10, by the step's seed and the run's name. */
function seeded(dims: readonly [number, number, number, number], seed: number, name: string): Solution {
  const [outputs, inputs, kh, kw] = dims;
  const random = rng(seed).fork(`run ${name}`);
  const scale = Math.sqrt(2 / (inputs * kh * kw));
  const kernel = Float64Array.from({ length: outputs * inputs * kh * kw }, () => random.normal() * scale);
  return { kernel, bias: new Float64Array(outputs), error: Number.NaN };
}

/** The kernel [outputs, inputs, kh, kw] and bias nearest to the run on the rows of round 0. */
function solved(
  c: StepContext,
  one: Pick<RunLayer, 'enters' | 'leaves'>,
  dims: readonly [number, number, number, number],
): Solution {
  const [outputs, inputs, kh, kw] = dims;
  const taps = kh * kw;
  const found = evidenceOf(c, 0);
  const [x, y] = [found.rows(one.enters), found.rows(one.leaves)];
  const all = inputs * taps <= unknowns;
  const centre = (taps - 1) / 2;
  const columns = (all ? inputs * taps : inputs) + 1;
  const patches = new Float32Array(x.rows * columns).fill(1);
  for (let r = 0; r < x.rows; r++)
    for (let i = 0; i < columns - 1; i++)
      patches[r * columns + i] = x.inputs[r * x.columns + (all ? i : i * taps + centre)] ?? 0;
  const width = outputs;
  const fit = leastSquares(
    { rows: x.rows, inputs: patches, columns, outputs: y.outputs, width },
    new Float64Array(columns * width),
  );
  const kernel = new Float64Array(outputs * inputs * taps);
  for (let i = 0; i < columns - 1; i++)
    for (let o = 0; o < outputs; o++)
      kernel[o * inputs * taps + (all ? i : i * taps + centre)] = fit[i * width + o] ?? 0;
  let [off, whole] = [0, 0];
  for (let r = 0; r < x.rows; r++)
    for (let o = 0; o < width; o++) {
      let is = 0;
      for (let i = 0; i < columns; i++) is += (patches[r * columns + i] ?? 0) * (fit[i * width + o] ?? 0);
      const was = y.outputs[r * width + o] ?? 0;
      off += (is - was) ** 2;
      whole += was ** 2;
    }
  return { kernel, bias: fit.slice((columns - 1) * width), error: whole > 0 ? Math.sqrt(off / whole) : 0 };
}

/** An odd window that misses no pixel at this stride. */
const reach = (stride: number): number => Math.max(3, stride % 2 === 1 ? stride : stride + 1);

/** The run as a convolution; `onSamples`: its kernel is solved, else seeded. Or why no block takes its place. */
export function runLayer(c: StepContext, edit: GraphEdit, run: Run, onSamples: boolean): RunLayer | string {
  const [from, to] = [c.facts.get(run.from), c.facts.get(run.to)];
  const elem = to?.elem ?? null;
  if (elem !== 'float' && elem !== 'float16' && elem !== 'double')
    return `it gives ${elem ?? 'values of unknown type'}`;
  if (from?.elem !== elem) return 'what enters and what leaves are of two types';
  const [inputs, outputs] = [Number(from?.shape?.[1]), Number(to?.shape?.[1])];
  const [kh, kw] = [reach(run.strides[0]), reach(run.strides[1])];
  const dims = [outputs, inputs, kh, kw] as const;
  const name = `${run.nodes[0]?.name || run.from}..${run.nodes.at(-1)?.name || run.to}`;
  const [enters, leaves] = [`${run.to}/enters`, `${run.to}/leaves`];
  const solution = lazy(() => (onSamples ? solved(c, { enters, leaves }, dims) : seeded(dims, c.seed, run.to)));
  const biasName = edit.unique(`${name}/bias`);
  const bias = lazyTensor(biasName, elem, [outputs], () => packNumbers(elem, solution().bias));
  const [ph, pw] = [(kh - 1) / 2, (kw - 1) / 2];
  const node = edit.make({
    op: 'Conv',
    name,
    inputs: [run.from, edit.unique(`${name}/kernel`), biasName],
    outputs: [run.to],
    attributes: [
      attr.ints('kernel_shape', [kh, kw]),
      attr.ints('strides', [...run.strides]),
      attr.ints('pads', [ph, pw, ph, pw]),
    ],
  });
  const layer: ConvLayer = {
    node: { ...node, name },
    elem,
    inputs,
    outputs,
    kernel: [kh, kw],
    window: windowOf(node, 2),
    bias: biasName,
    biasValues: () => solution().bias,
    centred: true,
    skips: run.strides.every((s) => s === 1) && inputs === outputs,
    weight: () => solution().kernel,
  };
  return { run, layer, bias, enters, leaves, error: () => solution().error };
}

/** The model that enters the step, with the probes of each run. Nobody reads them: what a model gives stays. */
export function probed(model: Model, runs: readonly RunLayer[]): Model {
  const edit = new GraphEdit(model.graph);
  const nodes: Node[] = [];
  for (const { layer, enters, leaves, run } of runs) {
    const { elem, outputs, inputs, kernel } = layer;
    const zeros = edit.unique(`${enters}.weight`);
    edit.setInitializer(
      lazyTensor(zeros, elem, [1, inputs, ...kernel], () =>
        packNumbers(elem, new Float64Array(inputs * kernel[0] * kernel[1])),
      ),
    );
    const same = edit.unique(`${leaves}.weight`);
    edit.setInitializer(
      lazyTensor(same, elem, [outputs, outputs, 1, 1], () => {
        const identity = new Float64Array(outputs * outputs);
        for (let k = 0; k < outputs; k++) identity[k * outputs + k] = 1;
        return packNumbers(elem, identity);
      }),
    );
    const { attributes } = layer.node;
    nodes.push(
      {
        ...edit.make({
          op: 'Conv',
          name: enters,
          inputs: [run.from, zeros],
          outputs: [edit.unique(enters)],
          attributes,
        }),
        id: enters,
      },
      {
        ...edit.make({ op: 'Conv', name: leaves, inputs: [run.to, same], outputs: [edit.unique(leaves)] }),
        id: leaves,
      },
    );
  }
  const graph = edit.done();
  return { ...model, graph: { ...graph, nodes: [...graph.nodes, ...nodes] } };
}
