/** Owns Cancel, the token that long work reads between steps. */

/** Asked between steps; cancelling is an outcome, not a fault. */
export interface Cancel {
  readonly requested: boolean;
}

/** Thrown by `checkCancel` and turned into the outcome "cancelled" by whoever drives the work. */
export class Cancelled extends Error {
  constructor() {
    super('cancelled');
    this.name = 'Cancelled';
  }
}

/** A token that nobody cancels. */
export const neverCancelled: Cancel = { requested: false };

/** A token with its switch. */
export function cancelSource(): { readonly token: Cancel; cancel(): void } {
  const token = { requested: false };
  return {
    token,
    cancel: () => {
      token.requested = true;
    },
  };
}

/** Throws Cancelled when the token was pulled. */
export function checkCancel(cancel: Cancel): void {
  if (cancel.requested) throw new Cancelled();
}
