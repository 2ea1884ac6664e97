/** Owns facts whose content is read only when a rule asks: reading it may compute a whole weight. */
import { lazy } from '../base/lazy.ts';
import type { Facts, Scalar } from './declare.ts';

const unread = new WeakSet<Facts>();

/** True where reading `content` may compute a tensor: whoever only compares facts must not. */
export const isLazy = (facts: Facts): boolean => unread.has(facts);

/** These facts with a content that `read` gives when it is first asked; undefined where it cannot be read. */
export function withLazyContent(base: Facts, read: () => readonly Scalar[] | undefined): Facts {
  const once = lazy(read);
  const facts: Facts = {
    elem: base.elem,
    shape: base.shape,
    constant: base.constant,
    get content() {
      return once() as readonly Scalar[];
    },
  };
  unread.add(facts);
  return facts;
}
