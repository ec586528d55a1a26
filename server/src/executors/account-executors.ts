import type { Context } from "../context/context.ts";
import type { Transaction } from "../database/database.ts";
import { NewestRead } from "../database/newest-read.ts";
import { isInOtherHands } from "../queue/reclaim.ts";
import type { TimeLimits } from "../tasks/time-limits.ts";
import { type AccountRecord, type AccountRow, readAccountRows } from "../worker-accounts/account-record.ts";
import { checkSoon } from "../worker-accounts/check-soon.ts";
import type { AccountRegistry } from "../worker-accounts/registry.ts";
import type { AttemptName } from "../worker-client/worker-client.ts";
import type { Executor } from "./executor.ts";
import type { ExecutorSet, RunPass, Standing } from "./executor-set.ts";
import { HttpWorkerExecutor } from "./http-worker.ts";

export interface AccountExecutorsParts {
  readonly context: Context;
  readonly registry: AccountRegistry;
  /** The engine of this machine; it comes last wherever an order counts. */
  readonly embedded: Executor;
  readonly limits: TimeLimits;
}

interface Doubt {
  /** The check that was the last when the run failed. */
  readonly checkedAt: number | null;
  readonly timer: NodeJS.Timeout;
}

const unwatched: RunPass = { end: () => undefined };

/**
 * The executors of an installation with worker accounts: one for each account that is registered, or deleted with runs that go on, and the
 * embedded engine. `refresh` after every commit that changes an account. After a run failed somewhere its account is checked at once,
 * and nothing is given to it until that check is made.
 */
export class AccountExecutors implements ExecutorSet {
  readonly #parts: AccountExecutorsParts;
  readonly #workers = new Map<string, HttpWorkerExecutor>();
  readonly #doubts = new Map<string, Doubt>();
  readonly #listeners = new Set<() => void>();
  readonly #newest = new NewestRead();
  #all: readonly Executor[] = [];

  private constructor(parts: AccountExecutorsParts) {
    this.#parts = parts;
  }

  /** With the accounts as they stand. */
  static async open(parts: AccountExecutorsParts): Promise<AccountExecutors> {
    const executors = new AccountExecutors(parts);
    await executors.#read();
    return executors;
  }

  all(): readonly Executor[] {
    return this.#all;
  }

  find(name: string): Executor | undefined {
    const { embedded } = this.#parts;
    return name === embedded.name ? embedded : this.#worker(name);
  }

  standing(name: string): Standing {
    const account = this.#worker(name)?.account;
    if (account === undefined) return "ready";
    if (!this.#parts.registry.circuits.mayBegin(account.id)) return "resting";
    return this.#doubts.has(account.id) ? "doubted" : "ready";
  }

  begin(name: string): RunPass {
    const account = this.#worker(name)?.account;
    if (account === undefined) return unwatched;
    const pass = this.#parts.registry.circuits.begin(account);
    return {
      end: (verdict) => {
        pass.end(verdict);
        if (verdict === "bad") this.#doubt(account.id);
      },
    };
  }

  async noteUse(tx: Transaction, name: string): Promise<void> {
    if (name === this.#parts.embedded.name) return;
    await tx
      .prepare(
        "UPDATE worker_accounts SET use_count = use_count + 1, last_used_at = ? WHERE workspace = ? AND deleted_at IS NULL",
      )
      .run(this.#parts.context.clock.now(), name);
  }

  lastUsedAt(name: string): number {
    return this.#worker(name)?.account.lastUsedAt ?? 0;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Accounts have changed and are known from the transaction that did it, or a pause is over. */
  async refresh(accounts?: readonly AccountRow[]): Promise<void> {
    try {
      if (accounts === undefined) await this.#read();
      else this.#newest.takeCommitted(accounts, (rows) => this.#takeAll(rows));
    } catch (error) {
      // What is known stays until the next change; a claim that relies on it is checked by the worker itself.
      this.#parts.context.log.error("worker accounts cannot be read", { error });
    }
    for (const listener of this.#listeners) listener();
  }

  async close(): Promise<void> {
    for (const { timer } of this.#doubts.values()) clearTimeout(timer);
    this.#doubts.clear();
    await Promise.all([...this.#workers.values()].map((worker) => worker.close()));
  }

  #worker(name: string): HttpWorkerExecutor | undefined {
    return [...this.#workers.values()].find((worker) => worker.name === name);
  }

  async #read(): Promise<void> {
    const { prepareRead } = this.#parts.context.database;
    await this.#newest.take(
      () => readAccountRows(prepareRead),
      (rows) => this.#takeAll(rows),
    );
  }

  #takeAll(rows: readonly AccountRow[]): void {
    const there = new Set(rows.map(({ account }) => account.id));
    for (const { account, isDeleted } of rows) this.#take(account, isDeleted);
    for (const [id, worker] of this.#workers) {
      if (there.has(id)) continue;
      worker.retire();
      this.#workers.delete(id);
      this.#parts.registry.circuits.forget(id);
      this.#forgetDoubt(id);
    }
    const registered = new Set(rows.flatMap(({ account, isDeleted }) => (isDeleted ? [] : [account.id])));
    const workers = [...this.#workers].flatMap(([id, worker]) => (registered.has(id) ? [worker] : []));
    this.#all = [...workers, this.#parts.embedded];
  }

  #take(account: AccountRecord, isDeleted: boolean): void {
    const { context, registry, limits } = this.#parts;
    const { workerNetworks } = context.config;
    const onSilence = () => this.#check(account);
    const isWanted = (run: AttemptName) =>
      isInOtherHands(context, { id: run.taskId, attempt: run.attempt }, account.workspace);
    const parts = { keyring: registry.keyring, workerNetworks, limits, log: context.log, onSilence, isWanted };
    const worker = this.#workers.get(account.id) ?? new HttpWorkerExecutor(account, parts);
    this.#workers.set(account.id, worker);
    if (isDeleted) worker.retire();
    else worker.update(account);
    const doubt = this.#doubts.get(account.id);
    if (doubt !== undefined && doubt.checkedAt !== account.lastHealthAt) this.#forgetDoubt(account.id);
  }

  /** Nothing goes there until it was checked, or a check would have been over. */
  #doubt(id: string): void {
    const account = this.#workers.get(id)?.account;
    if (account === undefined || this.#doubts.has(id)) return;
    const timer = setTimeout(() => {
      this.#forgetDoubt(id);
      void this.refresh();
    }, this.#parts.limits.workerAnswer).unref();
    this.#doubts.set(id, { checkedAt: account.lastHealthAt, timer });
    this.#check(account);
  }

  /** Whether the worker is well is soon known to routing and operators, long before its runs are given up. */
  #check({ id, workspace }: AccountRecord): void {
    checkSoon(this.#parts.context, this.#parts.registry, id).catch((error: unknown) => {
      this.#parts.context.log.warn("a check could not be brought forward", { workspace, error });
    });
  }

  #forgetDoubt(id: string): void {
    clearTimeout(this.#doubts.get(id)?.timer);
    this.#doubts.delete(id);
  }
}
