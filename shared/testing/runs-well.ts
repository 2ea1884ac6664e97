/**
 * Owns runsWell: a technique's file beside the one it came from, both run once by the runtime, and everything in which the run
 * is not what was promised.
 */
import { inferFacts } from '../analysis/infer-facts.ts';
import type { Model } from '../ir/model.ts';
import { readModel } from '../onnx/read.ts';
import { writeModel } from '../onnx/write.ts';
import type { Feeds, RunTensor, Runtime } from '../ports/runtime.ts';
import type { Technique } from '../techniques/declare.ts';
import { maxError, randomFeeds } from './feeds.ts';

interface Ran {
  readonly outputs: Readonly<Record<string, RunTensor>>;
  /** Nodes of constants alone that ran all the same: a decoded weight must be folded when the file is loaded. */
  readonly decoding: ReadonlySet<string>;
}

async function ran(runtime: Runtime, bytes: Uint8Array, feeds: Feeds): Promise<Ran> {
  const model = readModel(bytes);
  const facts = inferFacts(model);
  // Beside 16-bit activations, for which the CPU has no kernels, it decodes weights on every run, whatever the file says.
  const wide = model.graph.nodes.some(
    (n) => n.op === 'DequantizeLinear' && facts.get(n.inputs[0] ?? '')?.elem === 'uint16',
  );
  const constant = new Set(
    model.graph.nodes.flatMap((n) =>
      n.name !== '' && n.outputs.every((o) => facts.get(o)?.constant) && !(wide && n.op === 'DequantizeLinear')
        ? [n.name]
        : [],
    ),
  );
  const session = await runtime.open({ bytes }, { threads: 1, profile: true });
  try {
    const outputs = await session.run(feeds);
    const entries = await session.endProfile();
    return { outputs, decoding: new Set(entries.flatMap((e) => (constant.has(e.node) ? [`${e.op} ${e.node}`] : []))) };
  } finally {
    await session.release();
  }
}

const starts = new WeakMap<Model, Promise<Ran>>();

/** The model as it stands, run once for all techniques that are tried on it. */
function ranBefore(runtime: Runtime, from: Model, feeds: Feeds): Promise<Ran> {
  const known = starts.get(from) ?? ran(runtime, writeModel(from), feeds);
  starts.set(from, known);
  return known;
}

/** What a run of both files shows: outputs there and of their form, equal where promised, nothing decoded per call. */
export async function runsWell(
  technique: Technique,
  runtime: Runtime,
  from: Model,
  bytes: Uint8Array,
  values: 'true' | 'stand-ins' = 'true',
): Promise<string[]> {
  const feeds = randomFeeds(from);
  const before = await ranBefore(runtime, from, feeds);
  const broken: string[] = [];
  const sameIo = technique.promises.includes('same-io');
  const fed = sameIo ? feeds : randomFeeds(readModel(bytes));
  const after = await ran(runtime, bytes, fed).catch((thrown: unknown) => {
    broken.push(`does not run: ${thrown instanceof Error ? thrown.message : thrown}`);
    return undefined;
  });
  if (after === undefined) return broken;
  for (const kernel of after.decoding)
    if (!before.decoding.has(kernel)) broken.push(`${kernel} decodes a weight on every call`);
  if (sameIo)
    for (const [name, was] of Object.entries(before.outputs)) {
      const is = after.outputs[name];
      if (is === undefined) broken.push(`output ${name} is gone`);
      else if (is.type !== was.type || is.dims.join() !== was.dims.join())
        broken.push(`output ${name} was ${was.type}[${was.dims}], is ${is.type}[${is.dims}]`);
    }
  if (values === 'true' && technique.promises.includes('function-preserved')) {
    const error = maxError(before.outputs, after.outputs);
    if (!(error < 1e-4)) broken.push(`outputs differ by ${error}`);
  }
  return broken;
}
