/**
 * Owns the calls between screen and host: name -> input and output fields. Types, validation and handlers all come from
 * this one value. Binary fields are Uint8Array and travel as they are; weights stay host-side behind a model id.
 */
import { z } from 'zod';
import { machineProfileSchema } from '../devices/machine/machine-profile.ts';
import { preprocessSchema, recipeSchema } from '../recipes/recipe.ts';
import { browserCheckSchema } from './browser-check.ts';
import { comparisonSchema, evaluationSchema, headlineSchema } from './measured.ts';
import { profileSchema } from './profile.ts';
import { wireTensorSchema } from './run-tensor.ts';
import { providerSchema } from './runtimes.ts';

export * from './measured.ts';

const bytes: z.ZodType<Uint8Array, Uint8Array> = z.instanceof(Uint8Array);
export const blobId = z.string().regex(/^[a-z0-9-]{1,64}$/);

const textSchema = z.object({ en: z.string(), ko: z.string() });
const saidSchema = z.union([z.string(), textSchema]);

export const faultSchema = z.object({
  code: z.string(),
  message: z.string(),
  where: z.string().optional(),
  hint: z.string().optional(),
  korean: z
    .object({ message: z.string().optional(), where: z.string().optional(), hint: z.string().optional() })
    .optional(),
});

/** A model that the host holds open. The skeleton is the ONNX file with every large tensor's values left out. */
export const openedSchema = z.object({
  modelId: blobId,
  name: z.string(),
  fileBytes: z.number(),
  /** Read by `shared/onnx/skeleton.ts`: same graph, same byte counts, no weights. */
  skeleton: bytes,
  /** Where a sample or a remembered model has one: its data set and preprocessing. */
  data: z.string().optional(),
  preprocess: preprocessSchema.optional(),
});
export type Opened = z.infer<typeof openedSchema>;

export const jobSpecSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('apply'),
    modelId: blobId,
    recipe: recipeSchema,
    data: z.string().optional(),
    /** Dimensions that the person set, by input: the figures of the job are then those of the screen. */
    shapes: z.record(z.string(), z.array(z.number().int().positive())).optional(),
    /** Evaluate original and result on the test split afterwards (accuracy, latency, or agreement without labels). */
    evaluate: z.boolean().default(true),
    title: z.string().optional(),
  }),
  z.strictObject({
    kind: z.literal('evaluate'),
    modelId: blobId,
    data: z.string(),
    preprocess: preprocessSchema.optional(),
    /** A held model to agree with. */
    reference: blobId.optional(),
  }),
  z.strictObject({
    kind: z.literal('compare'),
    a: blobId,
    b: blobId,
    data: z.string().optional(),
    preprocess: preprocessSchema.optional(),
  }),
  /** Times on this machine, whole and by layer; against a second model where one is given. */
  z.strictObject({
    kind: z.literal('profile'),
    modelId: blobId,
    versus: blobId.optional(),
    shapes: z.record(z.string(), z.array(z.number().int().positive())).optional(),
    threads: z.number().int().min(1).max(1024).optional(),
    /** Execution provider; where it does not take the model, the processor does, and the profile says why. */
    provider: z.string().max(64).optional(),
    seconds: z.number().min(0.1).max(60).default(2),
  }),
  /** Times kernels of every kind on this machine, once, so that latencies can be estimated before anything runs. */
  z.strictObject({
    kind: z.literal('calibrate-machine'),
    seconds: z.number().min(1).max(60).default(50),
  }),
]);
export type JobSpec = z.infer<typeof jobSpecSchema>;

export const jobStateSchema = z.enum(['waiting', 'running', 'done', 'failed', 'cancelled']);

export const jobResultSchema = z.object({
  /** The compressed model, held open by the host: opens, compares and exports like any other. */
  modelId: blobId.optional(),
  before: headlineSchema.optional(),
  predicted: headlineSchema.optional(),
  /** Read back from the written file. */
  after: headlineSchema.optional(),
  evaluation: z.object({ before: evaluationSchema, after: evaluationSchema }).optional(),
  single: evaluationSchema.optional(),
  comparison: comparisonSchema.optional(),
  /** Of an apply whose target is the browser: the result and the original there. */
  browser: browserCheckSchema.nullable().optional(),
  profile: profileSchema.optional(),
  /** Of a calibration: what it rests on; the profile itself is asked by `machineProfile`. */
  calibrated: z
    .object({ chains: z.number(), samples: z.number(), seconds: z.number(), mostErrorPercent: z.number() })
    .optional(),
  /** Archive bytes of the original, where the steps' are told too. */
  packedBefore: z.number().nullable().optional(),
  steps: z
    .array(
      z.object({
        technique: z.string(),
        layers: z.array(z.object({ id: z.string(), taken: z.boolean(), what: saidSchema })),
        notes: z.array(textSchema),
        after: headlineSchema,
        /** Archive bytes after this step, where it was packed; null: too large to tell in passing. */
        packedBytes: z.number().nullable().optional(),
        /** Where the step trained. `bestEpoch` 0: none was better than the start. */
        training: z
          .object({
            epochs: z.number(),
            bestEpoch: z.number(),
            validation: z.number().nullable(),
            samplesPerSecond: z.number(),
          })
          .optional(),
      }),
    )
    .optional(),
});
export type JobResult = z.infer<typeof jobResultSchema>;

export const jobSchema = z.object({
  id: z.string(),
  spec: jobSpecSchema,
  title: z.string(),
  state: jobStateSchema,
  /** Grows with every change of this document. */
  seq: z.number(),
  progress: z.object({
    share: z.number().min(0).max(1),
    what: z.string(),
    secondsLeft: z.number().nullable(),
    /** A training under way: its epoch (from 1) of how many, its loss as it falls (smoothed), its learning rate. */
    training: z.object({ epoch: z.number(), epochs: z.number(), loss: z.number(), rate: z.number() }).optional(),
  }),
  /** Training curve so far: one point an epoch. */
  curve: z.array(
    z.object({
      /** From 1, in each training anew. */
      epoch: z.number(),
      /** Mean training loss of the epoch. */
      loss: z.number(),
      /** Share of validation samples answered right; without labels, as the teacher answers them. */
      validation: z.number().nullable(),
      validationLoss: z.number().nullable().optional(),
      rate: z.number().optional(),
      /** Step of the recipe that trains, from 0. */
      step: z.number().optional(),
    }),
  ),
  log: z.array(z.string()),
  createdAt: z.number(),
  result: jobResultSchema.optional(),
  fault: faultSchema.optional(),
});
export type Job = z.infer<typeof jobSchema>;

/** What a data set is, and which common preprocessing does best with a model on a few of its training samples, best first. */
export const dataLookSchema = z.object({
  source: z.string(),
  labelled: z.boolean(),
  classes: z.number(),
  counts: z.object({ train: z.number(), validation: z.number(), test: z.number() }),
  splitRule: z.string(),
  /** Empty without labels or class scores. */
  proposals: z.array(
    z.object({ name: z.string(), preprocess: preprocessSchema, top1: z.number(), samples: z.number() }),
  ),
});
export type DataLook = z.infer<typeof dataLookSchema>;

export const tensorSummarySchema = z.object({
  count: z.number(),
  zeros: z.number(),
  nonFinite: z.number(),
  min: z.number(),
  max: z.number(),
  mean: z.number(),
  std: z.number(),
  /** Equal-width bins from min to max. */
  histogram: z.array(z.number()),
  /** |w| at shares 0, 1/n, ..., 1 of the sorted magnitudes: what magnitude pruning needs to follow a slider. */
  magnitudeQuantiles: z.array(z.number()),
});
export type TensorSummary = z.infer<typeof tensorSummarySchema>;

export const calls = {
  hello: {
    input: z.strictObject({}),
    output: z.object({
      version: z.string(),
      host: z.enum(['electron', 'server']),
      runtime: z.string(),
      threads: z.number(),
      samples: z.array(z.object({ id: z.string(), title: z.string(), note: z.string(), fileBytes: z.number() })),
      capabilities: z.object({ dialogs: z.boolean(), reveal: z.boolean() }),
    }),
  },
  openSample: { input: z.strictObject({ id: z.string() }), output: openedSchema },
  /** A network of the zoo, built with random weights from a fixed seed; its id as `shared/zoo` lists it. */
  openZoo: { input: z.strictObject({ id: z.string() }), output: openedSchema },
  /**
   * A trained model of the catalogue (`shared/zoo/catalogue.ts`), fetched and checked the first time, kept for the next. Faults as
   * `fetchFile`: what came of a broken transfer stays, and the next call goes on from there.
   */
  openCatalogue: { input: z.strictObject({ id: z.string() }), output: openedSchema },
  /** Bytes dropped or picked in the page. External data files come along by their relative name. */
  openBytes: {
    input: z.strictObject({ name: z.string().max(255), bytes, companions: z.record(z.string(), bytes).default({}) }),
    output: openedSchema,
  },
  /** Asks with the system's dialog (capability `dialogs`); null when the person cancels. */
  openDialog: { input: z.strictObject({}), output: openedSchema.nullable() },
  /** Models opened or made lately that the host still holds, newest first. */
  recentModels: {
    input: z.strictObject({}),
    output: z.array(z.object({ modelId: blobId, name: z.string(), fileBytes: z.number() })),
  },
  /** A model the host already holds (a job's result, after a reload). */
  openHeld: { input: z.strictObject({ modelId: blobId }), output: openedSchema },
  tensorSummary: {
    input: z.strictObject({
      modelId: blobId,
      nodeId: z.string(),
      input: z.number().int().nonnegative(),
      bins: z.number().int().min(1).max(400).default(60),
    }),
    output: tensorSummarySchema,
  },
  /** Every weight's magnitude summary at once, for global pruning previews: key is the initializer name. */
  magnitudeSummaries: {
    input: z.strictObject({ modelId: blobId }),
    output: z.record(z.string(), z.object({ count: z.number(), zeros: z.number(), quantiles: z.array(z.number()) })),
  },
  /** Looks at a data set with a model. Faults: what is wrong with the data, with file and line. */
  lookAtData: {
    input: z.strictObject({ modelId: blobId, data: z.string().max(4096) }),
    output: dataLookSchema,
  },
  /** Asks for a folder or file of data with the system's dialog, where there is one; null: the person cancelled. */
  pickData: { input: z.strictObject({ kind: z.enum(['folder', 'file']) }), output: z.string().nullable() },
  startJob: { input: z.strictObject({ spec: jobSpecSchema }), output: jobSchema },
  cancelJob: { input: z.strictObject({ id: z.string() }), output: jobSchema },
  resumeJob: { input: z.strictObject({ id: z.string() }), output: jobSchema },
  removeJob: { input: z.strictObject({ id: z.string() }), output: z.strictObject({}) },
  jobs: { input: z.strictObject({}), output: z.array(jobSchema) },
  /** Writes a held model out: the system's save dialog where there is one, else the bytes for the page to download. */
  exportModel: {
    input: z.strictObject({ modelId: blobId, name: z.string().max(255) }),
    output: z.object({
      saved: z.string().nullable(),
      bytes: bytes.nullable(),
      /** The written file, opened again by the runtime: figures, and outputs against the held model on random input. */
      verified: z.object({
        after: headlineSchema,
        maxAbsError: z.number(),
        loads: z.boolean(),
        /** The same file in the runtime that pages use; null where it is too large for that. */
        browser: browserCheckSchema.nullable(),
      }),
    }),
  },
  /** Packs a held model into an archive that `unpack` restores bit for bit: saved by the dialog, else its bytes. */
  exportArchive: {
    input: z.strictObject({ modelId: blobId, name: z.string().max(255) }),
    output: z.object({
      saved: z.string().nullable(),
      bytes: bytes.nullable(),
      fileBytes: z.number(),
      archiveBytes: z.number(),
    }),
  },
  /** The whole file, for the runtime in the page. At most 256 MB, external data inside. */
  modelBytes: { input: z.strictObject({ modelId: blobId }), output: z.object({ bytes }) },
  /** Some samples as decoded, drawn by seed from the validation split (the training split where there is none): never test samples. */
  someSamples: {
    input: z.strictObject({
      data: z.string(),
      seed: z.number().int().nonnegative(),
      count: z.number().int().min(1).max(32),
    }),
    output: z.object({
      split: z.string(),
      classes: z.array(z.string()),
      kind: z.enum(['image', 'vector']),
      channels: z.number(),
      /** `values`: float32, row-major; an image is [height, width, channels] in 0..255. */
      samples: z.array(
        z.object({ values: bytes, height: z.number(), width: z.number(), label: z.number().nullable() }),
      ),
    }),
  },
  /** Runs a held model in a process of its own, on the native runtime. */
  answer: {
    input: z.strictObject({ modelId: blobId, feeds: z.array(wireTensorSchema).max(64) }),
    output: z.object({
      outputs: z.array(wireTensorSchema),
      latencyMs: z.object({ median: z.number(), p95: z.number() }),
      runtime: z.string(),
      threads: z.number(),
    }),
  },
  /** The execution providers of the native runtime, each tried in a process of its own. */
  runtimes: {
    input: z.strictObject({}),
    output: z.object({ runtime: z.string(), providers: z.array(providerSchema) }),
  },
  /** What the model's file takes packed: entropy-coded tensor by tensor, and the rest (graph, names) deflated. */
  packedSize: {
    input: z.strictObject({ modelId: blobId }),
    output: z.object({
      fileBytes: z.number(),
      /** With all tables and the checksum. */
      archiveBytes: z.number(),
      parts: z.array(
        z.object({
          name: z.string(),
          type: z.string(),
          plainBytes: z.number(),
          codedBytes: z.number(),
          coder: z.enum(['raw', 'deflate', 'huffman', 'relative', 'codebook', 'relative codebook']),
        }),
      ),
      rest: z.object({ plainBytes: z.number(), codedBytes: z.number() }),
    }),
  },
  /** What calibration learnt of this machine with this runtime and thread count; null: it has not been calibrated. */
  machineProfile: { input: z.strictObject({}), output: machineProfileSchema.nullable() },
  /** Autosave: recipe and open model by project name. */
  saveProject: { input: z.strictObject({ modelId: blobId, recipe: recipeSchema }), output: z.strictObject({}) },
  lastProject: {
    input: z.strictObject({}),
    output: z.object({ modelId: blobId, name: z.string(), recipe: recipeSchema }).nullable(),
  },
} as const satisfies Record<string, { input: z.ZodType; output: z.ZodType }>;

export type Calls = typeof calls;
export type CallName = keyof Calls;
export type CallInput<K extends CallName> = z.input<Calls[K]['input']>;
export type CallOutput<K extends CallName> = z.output<Calls[K]['output']>;

/** What the screen holds of the host, whatever wire is between them. */
export interface Host {
  call<K extends CallName>(name: K, input: CallInput<K>): Promise<CallOutput<K>>;
  /** Job documents as they change, at about 10 Hz. Returns the unsubscriber. */
  onJob(listener: (job: Job) => void): () => void;
  /** True while connected; on reconnecting the client reads `jobs` and goes on. */
  onConnection(listener: (connected: boolean) => void): () => void;
}
