/**
 * The circuit of one worker account: runs that fail again and again keep new ones away for a while, whatever its checks say. Pure: what
 * happened and when goes in, the next state comes out. Times are steady milliseconds.
 */

/** Failures that open it, and how long each counts. */
export const failuresToOpen = 3;
export const failureCountsMs = 5 * 60_000;
/** How long it stays open the first time; each probe that fails doubles it, up to the longest. */
export const firstPauseMs = 30_000;
export const longestPauseMs = 5 * 60_000;

export interface Circuit {
  readonly state: "closed" | "open" | "half_open";
  /** When runs failed, oldest first; only those that count. */
  readonly failures: readonly number[];
  /** How often it opened in a row, without a good run in between. */
  readonly openings: number;
  /** When the pause is over; null unless it is open. */
  readonly until: number | null;
  /** Half open: the one run that tries is under way. */
  readonly probing: boolean;
}

/**
 * - `begin`: a run begins there.
 * - `good`, `bad`, `none`: a run ended. `none` says nothing about the worker: cancelled, bad input, too large for its memory, our own stop.
 */
export type CircuitEvent =
  | { readonly type: "begin" }
  | { readonly type: "good" | "bad" | "none"; readonly probe: boolean };

export const closedCircuit: Circuit = { state: "closed", failures: [], openings: 0, until: null, probing: false };

/** The state at a time: a pause that is over leaves it half open, and failures are forgotten in time. */
export function circuitAt(circuit: Circuit, now: number): Circuit {
  if (circuit.state === "open" && circuit.until !== null && now >= circuit.until) {
    return { ...circuit, state: "half_open", until: null, probing: false };
  }
  if (circuit.state !== "closed") return circuit;
  const failures = circuit.failures.filter((at) => now - at < failureCountsMs);
  return failures.length === circuit.failures.length ? circuit : { ...circuit, failures };
}

/** Whether a run may begin: always while closed, one at a time while half open. */
export function mayBegin(circuit: Circuit, now: number): boolean {
  const { state, probing } = circuitAt(circuit, now);
  return state === "closed" || (state === "half_open" && !probing);
}

/** The state after an event. Only the probe's own end moves a circuit that is half open; runs from before say nothing new. */
export function nextCircuit(before: Circuit, event: CircuitEvent, now: number): Circuit {
  const circuit = circuitAt(before, now);
  if (event.type === "begin") {
    return circuit.state === "half_open" ? { ...circuit, probing: true } : circuit;
  }
  if (circuit.state === "closed") return event.type === "bad" ? withFailure(circuit, now) : circuit;
  if (circuit.state !== "half_open" || !event.probe || !circuit.probing) return circuit;
  if (event.type === "good") return closedCircuit;
  return event.type === "bad" ? open(circuit, circuit.failures, now) : { ...circuit, probing: false };
}

function withFailure(circuit: Circuit, now: number): Circuit {
  const failures = [...circuit.failures, now];
  return failures.length < failuresToOpen ? { ...circuit, failures } : open(circuit, failures, now);
}

function open(circuit: Circuit, failures: readonly number[], now: number): Circuit {
  const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(circuit.openings, 10));
  return { state: "open", failures, openings: circuit.openings + 1, until: now + pause, probing: false };
}
