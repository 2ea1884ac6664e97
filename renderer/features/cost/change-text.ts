/** Owns the words for what became of a time: the same, faster or slower, and by how much. */
import type { Text } from '#shared/base/text.ts';
import { ratio } from '../../ui/format.ts';
import type { Say } from '../../ui/language.ts';
import { words } from './words.ts';

/** `near`: the change is none (each kind of figure knows what it cannot tell apart), said as `same`. Times in ms. */
export const changeText = (say: Say, from: number, to: number, near: boolean, same: Text = words.same): string =>
  near
    ? say(same)
    : to > from
      ? say(words.slower, { ratio: ratio(to, from) })
      : say(words.faster, { ratio: ratio(from, to) });
