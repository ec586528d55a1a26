import type { Context } from "../context/context.ts";
import { SafelightError } from "../errors.ts";
import { whileLeading } from "../gateways/while-leading.ts";
import { checkAccount } from "./check-account.ts";
import { furthestCheck } from "./check-interval.ts";
import { purgeDeletedAccounts } from "./delete-account.ts";
import type { CheckOutcome } from "./probe.ts";
import type { AccountRegistry } from "./registry.ts";

const atOnce = 8;
/** How long to wait after the database refused, milliseconds. */
const afterFailure = 5_000;

export interface HealthChecks {
  /** Makes every check that is due; resolves when they are made. */
  runDue(): Promise<void>;
  /** An account has changed: looks again which check is next. */
  wake(): void;
  /** Plans nothing more; a check that waits for its worker is dropped, one that is being written down is waited for. */
  stop(): Promise<void>;
}

/**
 * Checks accounts when their time has come. The times stand in the database, so that a restart neither forgets a check nor begins with
 * all of them at once. Also removes deleted accounts whose last run has ended. Of several gateways one does it.
 */
export function startHealthChecks(context: Context, registry: AccountRegistry): HealthChecks {
  let running: RunningChecks | undefined;
  const stop = whileLeading(context, () => {
    const checks = new RunningChecks(context, registry);
    running = checks;
    checks.wake();
    return () => {
      running = undefined;
      return checks.stop();
    };
  });
  return {
    runDue: () => running?.runDue() ?? Promise.resolve(),
    wake: () => running?.wake(),
    stop: async () => stop(),
  };
}

class Stopped extends Error {
  override readonly name = "Stopped";
}

class RunningChecks {
  readonly #context: Context;
  readonly #registry: AccountRegistry;
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #unsubscribe: () => void;
  #timer: NodeJS.Timeout | undefined;
  readonly #stopping = new AbortController();
  #purging: Promise<void> = Promise.resolve();

  constructor(context: Context, registry: AccountRegistry) {
    this.#context = context;
    this.#registry = { ...registry, probe: (account) => this.#whileRunning(registry.probe(account)) };
    this.#unsubscribe = context.hub.watch((event) => {
      if (event.signal === "ended") this.#purgeSoon();
    });
    this.#purgeSoon();
  }

  wake(): void {
    this.#plan(0);
  }

  async runDue(): Promise<void> {
    for (const workspace of await this.#due()) {
      if (this.#underWay.size >= atOnce) await Promise.race(this.#underWay.values());
      if (this.#stopping.signal.aborted) break;
      this.#begin(workspace);
    }
    await Promise.all(this.#underWay.values());
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#unsubscribe();
    clearTimeout(this.#timer);
    await Promise.all(this.#underWay.values());
    await this.#purging;
  }

  async #due(): Promise<string[]> {
    const now = this.#context.clock.now();
    return (
      await this.#context.database
        .prepareRead(
          `SELECT workspace FROM worker_accounts
         WHERE deleted_at IS NULL AND status <> 'disabled' AND (next_check_at <= ? OR next_check_at > ?)
         ORDER BY next_check_at`,
        )
        .all(now, now + furthestCheck)
    )
      .map(({ workspace }) => String(workspace))
      .filter((workspace) => !this.#underWay.has(workspace));
  }

  #begin(workspace: string): void {
    // Two looks may have found the same account due, and the stop may have come between look and check.
    if (this.#underWay.has(workspace) || this.#stopping.signal.aborted) return;
    const check = this.#check(workspace).finally(() => this.#underWay.delete(workspace));
    this.#underWay.set(workspace, check);
  }

  async #check(workspace: string): Promise<void> {
    try {
      await checkAccount(this.#context, this.#registry, workspace, "planned");
    } catch (error) {
      // Deleted meanwhile; nobody is interested any more.
      if (error instanceof SafelightError && error.code === "not_found") return;
      if (error instanceof Stopped) return;
      this.#context.log.warn("a check of a worker account could not be written down", { workspace, error });
      await this.#pause();
    }
  }

  /** A worker that does not answer must not keep a server that stops; its check is made after the next start. */
  async #whileRunning(probe: Promise<CheckOutcome>): Promise<CheckOutcome> {
    const { signal } = this.#stopping;
    let onStop = (): void => undefined;
    const stopped = new Promise<never>((_resolve, reject) => {
      onStop = () => reject(new Stopped());
    });
    if (signal.aborted) onStop();
    else signal.addEventListener("abort", onStop, { once: true });
    try {
      return await Promise.race([probe, stopped]);
    } finally {
      signal.removeEventListener("abort", onStop);
    }
  }

  #pause(): Promise<void> {
    if (this.#stopping.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => setTimeout(resolve, afterFailure).unref());
  }

  /** Waits until the next check is due, but never long: the clock may be set. */
  #plan(delay: number): void {
    clearTimeout(this.#timer);
    if (this.#stopping.signal.aborted) return;
    this.#timer = setTimeout(() => void this.#tick(), delay).unref();
  }

  async #tick(): Promise<void> {
    const planned = this.#timer;
    let pause = afterFailure;
    try {
      for (const workspace of (await this.#due()).slice(0, atOnce - this.#underWay.size)) this.#begin(workspace);
      pause = await this.#untilNext();
    } catch (error) {
      this.#context.log.warn("worker accounts cannot be read; tried again soon", { error });
    }
    // Whoever woke us while this was read has seen more, and has planned a look of their own.
    if (this.#timer === planned) this.#plan(pause);
  }

  async #untilNext(): Promise<number> {
    const next = (
      await this.#context.database
        .prepareRead(
          "SELECT min(next_check_at) AS at FROM worker_accounts WHERE deleted_at IS NULL AND status <> 'disabled'",
        )
        .get()
    )?.at;
    const longest = 30_000;
    if (typeof next !== "number") return longest;
    // Something due is under way already: its end wakes us.
    return Math.min(longest, Math.max(250, next - this.#context.clock.now()));
  }

  #purgeSoon(): void {
    this.#purging = this.#purging
      .then(() => this.#purge())
      .catch((error: unknown) =>
        this.#context.log.warn("a deleted worker account could not be removed yet", { error }),
      );
  }

  async #purge(): Promise<void> {
    const waiting = await this.#context.database
      .prepareRead("SELECT 1 AS one FROM worker_accounts WHERE deleted_at IS NOT NULL LIMIT 1")
      .get();
    if (waiting === undefined) return;
    const count = await purgeDeletedAccounts(this.#context);
    if (count > 0) this.#context.log.info("deleted worker accounts removed", { count });
  }
}
