/**
 * Two readings of time, because one clock cannot serve both purposes.
 *
 * The wall clock is what people read; an operator or a time server may set it back at any moment. Leases and run
 * times therefore use the steady reading, which only ever moves forward while the process lives.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch; may jump in either direction. */
  now(): number;
  /** Milliseconds, an integer that never falls during one process. Comparable only within that process. */
  steady(): number;
}

/** The machine's clock. Its steady reading starts at the wall time of creation, so that it reads well in a row. */
export function createSystemClock(): Clock {
  const origin = Date.now() - performance.now();
  return {
    now: () => Date.now(),
    steady: () => Math.round(origin + performance.now()),
  };
}
