/** Owns the messages that come up and go: a fault stays until it is closed, good news leaves by itself. */
import { create } from 'zustand';
import { type FaultData, toFault } from '#shared/base/fault.ts';
import type { Text } from '#shared/base/text.ts';

export type Toast =
  | { readonly id: number; readonly kind: 'fault'; readonly title: Text; readonly fault: FaultData }
  | { readonly id: number; readonly kind: 'news'; readonly title: Text };

let next = 1;
export const useToasts = create<{ readonly toasts: readonly Toast[] }>(() => ({ toasts: [] }));

export const closeToast = (id: number): void =>
  useToasts.setState((s) => ({ toasts: s.toasts.filter((t) => t.id !== id) }));

/** Shows a fault: what failed, and the fault's own message, place and hint. Repeats of the same message replace it. */
export function showFault(title: Text, thrown: unknown): void {
  const fault = toFault(thrown).toData();
  useToasts.setState((s) => ({
    toasts: [
      ...s.toasts.filter((t) => t.kind !== 'fault' || t.fault.message !== fault.message).slice(-3),
      { id: next++, kind: 'fault', title, fault },
    ],
  }));
}

export function showNews(title: Text): void {
  const id = next++;
  useToasts.setState((s) => ({ toasts: [...s.toasts.slice(-3), { id, kind: 'news', title }] }));
  setTimeout(() => closeToast(id), 4000);
}
