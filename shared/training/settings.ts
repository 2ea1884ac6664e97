/** Owns what a training is asked for: data, loss, optimizer, schedule, teachers, and the hooks that a technique may hang in. */
import type { LossKind } from '../autodiff/losses.ts';
import type { OptimizerKind } from '../autodiff/optimizers.ts';
import type { Penalty } from '../autodiff/penalty.ts';
import type { Augment } from './augment.ts';

export interface LossSettings {
  /**
   * `auto`: binary cross-entropy where the output ends in a Sigmoid, mean squared error against a teacher where it is no class
   * score, else cross-entropy. `none`: hints and penalty alone.
   */
  readonly kind: LossKind | 'auto';
  /** Share of a label spread evenly over all classes (Szegedy et al. 2016, section 7). 0 by default. */
  readonly labelSmoothing?: number;
  /** One factor a class on its samples' loss; 'balanced': inverse to how often the class stands in the training samples. */
  readonly classWeights?: readonly number[] | 'balanced';
}

/** A model that teaches: the one that entered the recipe, or a file. */
export type TeacherRef = { readonly kind: 'original' } | { readonly kind: 'file'; readonly path: string };

/** A value of the student that learns to be like a value of a teacher (Romero et al. 2015). */
export interface Hint {
  /** Which of the teachers; the first by default. */
  readonly teacher?: number;
  /** Value of the teacher's graph. */
  readonly from: string;
  /**
   * Value of the student's graph: same rank and spatial sizes. Where widths differ a linear map (1x1 convolution) is learnt
   * between them and thrown away afterwards.
   */
  readonly to: string;
  /** Factor on the mean squared error, which is relative to the teacher value's own mean square. */
  readonly weight: number;
}

export interface DistillSettings {
  /** Several: the mean of their probabilities teaches. */
  readonly teachers: readonly TeacherRef[];
  /** T: both sides' scores are divided by it, and the soft loss times T^2 (Hinton et al. 2015, section 2). */
  readonly temperature: number;
  /** Weight of the soft loss, 0 to 1; the labels have the rest. Without labels it is 1. */
  readonly softShare: number;
  readonly hints?: readonly Hint[];
}

/** Masks that move while training: gradual pruning. Zeros are written at once, and nothing learns beneath them. */
export interface Remask {
  /** Stored weights (initializer names) whose masks move; others with zeros keep the mask they came with. */
  readonly parameters: readonly string[];
  /** Asked at the start and after every so many steps. */
  readonly everySteps: number;
  /** Share of the training at which the masks are final: only epochs that end at it or later may be kept. */
  readonly until: number;
  /** 1 stays, 0 is zero: by parameter name, at a share (0 to 1) of the training, from the values as they stand. Pure. */
  masks(share: number, values: ReadonlyMap<string, Float32Array>): ReadonlyMap<string, Float32Array>;
}

/** One of several trainings in a row: what is its own; all else is as the settings say. */
export interface Phase {
  readonly epochs: number;
  readonly learningRate: number;
  /** Ids of the nodes that learn; the others stay bit for bit what they are. */
  readonly layers: readonly string[];
}

export interface TrainSettings {
  readonly epochs: number;
  readonly batch: number;
  readonly optimizer: OptimizerKind;
  readonly learningRate: number;
  /** Of `sgd`. */
  readonly momentum: number;
  /** Momentum that looks ahead (Sutskever et al. 2013, section 2). */
  readonly nesterov?: boolean;
  /** On weights alone: biases and normalisation are spared. */
  readonly weightDecay: number;
  readonly schedule: 'constant' | 'step' | 'cosine';
  /** `step`: shares of the training at which the rate is multiplied by `stepFactor`. 0.5 and 0.75, by 0.1. */
  readonly stepsAt?: readonly number[];
  readonly stepFactor?: number;
  /** Share of the training over which the rate rises from 0 to its full height (Goyal et al. 2017, section 2.2). */
  readonly warmUp?: number;
  /** Largest norm of all gradients together (Pascanu et al. 2013); 0 or nothing: no limit. */
  readonly clipNorm?: number;
  /** Whose weights come back: the best epoch on validation (the default; the start counts too), or the last one. */
  readonly keep?: 'best' | 'last';
  /** Stops after so many epochs without a better one on validation; 0 or nothing: never. */
  readonly patience?: number;
  /** Of training pictures alone; true: the standard one. */
  readonly augment: boolean | Augment;
  /** Cross-entropy and the like; `auto` by default. */
  readonly loss?: LossSettings;
  /** Output to train; the first by default. */
  readonly output?: string;
  readonly distill?: DistillSettings;
  /** Ids of the nodes that learn; all by default. */
  readonly layers?: readonly string[];
  /** Of those, the stored tensors that learn, by name; all by default. */
  readonly parameters?: readonly string[];
  /**
   * Trained one after the other, each from the best epoch of the one before and with a schedule and optimizer state of its own
   * (`epochs`, `learningRate` and `layers` are then theirs). Left out: one training as the settings say.
   */
  readonly phases?: readonly Phase[];
  /** Nothing else can teach: the original answers other classes. */
  readonly labelsOnly?: boolean;
  readonly remask?: Remask;
  readonly penalty?: Penalty;
}

/** Learning rate at a share of the whole training. Cosine falls to zero (Loshchilov and Hutter 2017, eq. 5). */
export function rateAt(s: TrainSettings, share: number): number {
  const rise = s.warmUp !== undefined && s.warmUp > share ? share / s.warmUp : 1;
  switch (s.schedule) {
    case 'constant':
      return s.learningRate * rise;
    case 'cosine':
      return (s.learningRate * rise * (1 + Math.cos(Math.PI * share))) / 2;
    case 'step': {
      const fallen = (s.stepsAt ?? [0.5, 0.75]).filter((at) => share >= at).length;
      return s.learningRate * rise * (s.stepFactor ?? 0.1) ** fallen;
    }
  }
}
