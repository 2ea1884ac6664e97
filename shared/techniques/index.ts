/** Owns the registry of techniques: one line each. */
import { Fault } from '../base/fault.ts';
import { text } from '../base/text.ts';
import { binarize } from './binarize.ts';
import { changeOpset } from './change-opset.ts';
import type { Technique } from './declare.ts';

import { deepen } from './deepen.ts';
import { distill } from './distill.ts';

import { factorize } from './factorize.ts';

import { float16 } from './float16.ts';
import { foldBatchnorm } from './fold-batchnorm.ts';
import { pruneChannels } from './prune-channels.ts';
import { pruneHeads } from './prune-heads.ts';
import { pruneWeights } from './prune-weights.ts';
import { quantize } from './quantize.ts';
import { replaceBlock } from './replace-block.ts';
import { scaleResolution } from './scale-resolution.ts';
import { scaleWidth } from './scale-width.ts';
import { setBatch } from './set-batch.ts';
import { shareWeights } from './share-weights.ts';
import { simplify } from './simplify.ts';
import { train } from './train.ts';
import { transfer } from './transfer.ts';
import { widen } from './widen.ts';

export const techniques: readonly Technique[] = [
  pruneChannels,
  pruneHeads,
  pruneWeights,
  quantize,
  float16,
  shareWeights,
  binarize,
  replaceBlock,
  train,
  distill,
  transfer,
  factorize,
  foldBatchnorm,
  simplify,
  setBatch,
  changeOpset,
  widen,
  deepen,
  scaleWidth,
  scaleResolution,
];

/** The technique with this id. Faults: `bad-recipe` for an unknown one, listing those there are. */
export function techniqueOf(id: string): Technique {
  const found = techniques.find((t) => t.id === id);
  if (found === undefined)
    throw new Fault('bad-recipe', text(`there is no technique "${id}"`, `기법 "${id}"이(가) 없습니다`), {
      hint: text(
        `Known: ${techniques.map((t) => t.id).join(', ')}.`,
        `있는 기법: ${techniques.map((t) => t.id).join(', ')}.`,
      ),
    });
  return found;
}
