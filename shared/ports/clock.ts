/** Owns the Clock port. */
export interface Clock {
  /** Monotonic milliseconds with a fraction. */
  now(): number;
}
