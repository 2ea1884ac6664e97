/** Owns the list of blocks: one line each. */
import type { BlockKind } from './declare.ts';
import { bottleneck, factorised, fire } from './narrow.ts';
import { dense, preActivation, residual } from './residual.ts';
import { depthwiseSeparable, invertedResidual } from './separable.ts';
import { shuffleUnit, shuffleV2 } from './shuffle.ts';

export const blockKinds: readonly BlockKind[] = [
  depthwiseSeparable,
  bottleneck,
  invertedResidual,
  fire,
  residual,
  preActivation,
  dense,
  shuffleUnit,
  shuffleV2,
  factorised,
];

export const blockKind = (id: string): BlockKind => blockKinds.find((k) => k.id === id) ?? depthwiseSeparable;
