import type { Account } from "@safelight/contract";
import type { Clock } from "../context/clock.ts";
import type { Log } from "../log.ts";
import { type Circuit, circuitAt, closedCircuit, mayBegin, nextCircuit } from "./circuit.ts";

/** What a run said about the worker that had it. */
export type RunVerdict = "good" | "bad" | "none";

/** One run as the circuit sees it: to be told once how it ended. */
export interface RunPass {
  end(verdict: RunVerdict): void;
}

export interface CircuitParts {
  readonly clock: Clock;
  readonly log: Log;
  /** Called when a pause is over: a run may begin again. */
  readonly reopened: () => void;
}

/**
 * The circuits of all accounts, by account id. They live in memory: a restart closes them, which costs three runs at most to find out
 * again, and each of those goes on elsewhere. So does every gateway for itself where there are several.
 */
export class AccountCircuits {
  readonly #parts: CircuitParts;
  readonly #circuits = new Map<string, Circuit>();
  readonly #timers = new Map<string, NodeJS.Timeout>();

  constructor(parts: CircuitParts) {
    this.#parts = parts;
  }

  mayBegin(accountId: string): boolean {
    return mayBegin(this.#of(accountId), this.#parts.clock.steady());
  }

  /** A run begins on the account. While its circuit is half open this is the probe. */
  begin({ id, workspace }: { readonly id: string; readonly workspace: string }): RunPass {
    const now = this.#parts.clock.steady();
    const before = circuitAt(this.#of(id), now);
    const probe = before.state === "half_open" && !before.probing;
    if (probe) this.#parts.log.info("circuit tried with one run", { workspace });
    this.#circuits.set(id, nextCircuit(before, { type: "begin" }, now));
    let isOver = false;
    return {
      end: (type) => {
        if (isOver) return;
        isOver = true;
        this.#take(id, workspace, { type, probe });
      },
    };
  }

  /** As answers show it. */
  describe(accountId: string): Account["circuit"] {
    const { clock } = this.#parts;
    const { state, failures, until } = circuitAt(this.#of(accountId), clock.steady());
    const opens = until === null ? null : clock.now() + (until - clock.steady());
    return { state, failures: failures.length, until: opens === null ? null : new Date(opens).toISOString() };
  }

  /** The account is gone. */
  forget(accountId: string): void {
    this.#circuits.delete(accountId);
    clearTimeout(this.#timers.get(accountId));
    this.#timers.delete(accountId);
  }

  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }

  #of(accountId: string): Circuit {
    return this.#circuits.get(accountId) ?? closedCircuit;
  }

  #take(id: string, workspace: string, event: { type: RunVerdict; probe: boolean }): void {
    const { log, clock, reopened } = this.#parts;
    const now = clock.steady();
    const before = circuitAt(this.#of(id), now);
    const after = nextCircuit(before, event, now);
    this.#circuits.set(id, after);
    if (after.state === "open" && before.state !== "open") {
      const pause = (after.until ?? now) - now;
      log.warn("circuit opened", {
        workspace,
        failures: after.failures.length,
        pause_seconds: Math.round(pause / 1000),
      });
      clearTimeout(this.#timers.get(id));
      this.#timers.set(id, setTimeout(reopened, pause + 1).unref());
    }
    if (after.state === "closed" && before.state !== "closed") log.info("circuit closed", { workspace });
    // A probe that said nothing leaves its place to the next.
    if (before.probing && !after.probing) reopened();
  }
}
