import { EventEmitter } from "node:events";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { repositoryRoot } from "../config.ts";
import type { Context } from "../context/context.ts";
import { SafelightError } from "../errors.ts";
import { channels } from "../gateways/channels.ts";
import { whileLeading } from "../gateways/while-leading.ts";
import { type DeployLimits, deployLimits } from "../tasks/time-limits.ts";
import type { AccountRegistry } from "../worker-accounts/registry.ts";
import { beginDeployment, failInterrupted, finishDeployment, type Outcome } from "./change-deployment.ts";
import { DeploymentLog } from "./deployment-log.ts";
import type { DeploymentRecord } from "./deployment-record.ts";
import type { Ending } from "./explain-end.ts";
import { findPython, sourceParts } from "./modal-command.ts";
import { type RunParts, runDeployment } from "./run-deployment.ts";
import { folderShelf, tableShelf } from "./source-shelves.ts";
import { SourceStore } from "./source-store.ts";

/** Deploys at one time; two of one account never. */
const atOnce = 2;
/** How soon a run notices that its account was deleted, or a cancel that did not reach it, milliseconds. */
const accountWatch = 1000;

/** How often it is looked whether a gateway that ran deploys before this one has ended them, milliseconds. */
const abandonedWatch = 2000;

/** Said to other gateways; the id of a deployment alone says that it has changed. */
export const queuedNow = "queued";
const cancelPrefix = "cancel ";
export function cancelOf(id: string): string {
  return cancelPrefix + id;
}

interface Run {
  readonly record: DeploymentRecord;
  readonly abort: AbortController;
  readonly ended: Promise<void>;
}

/**
 * Runs what is queued, oldest first. The queue stands in the database: what waits when the server stops goes on after the next start,
 * what runs then fails as `interrupted`, since nobody can tell how far it came.
 *
 * Of several gateways the one that leads runs all of them, with sources that stand in the database; the others hear of what it writes.
 * When it no longer leads it ends what runs, and the next one takes nothing for abandoned that a living gateway is still ending.
 */
export class Deployer {
  readonly #context: Context;
  readonly #accounts: AccountRegistry;
  readonly #parts: RunParts;
  readonly #sourceFolder: string;
  readonly #runs = new Map<string, Run>();
  readonly #news = new EventEmitter().setMaxListeners(0);
  #beginning: Promise<void> | undefined;
  /** What was to begin and may have begun: the answer was an error. */
  #tried: { readonly id: string; readonly at: number } | undefined;
  #again = false;
  #stopped = false;
  #leads = false;
  #stopLeading: () => Promise<void> | void = () => undefined;
  #unlisten: () => void = () => undefined;

  private constructor(context: Context, accounts: AccountRegistry, sourceFolder: string, limits: DeployLimits) {
    const folder = join(context.config.dataDirectory, "deployments");
    this.#context = context;
    this.#accounts = accounts;
    this.#sourceFolder = sourceFolder;
    this.#parts = {
      context,
      keyring: accounts.keyring,
      sources: new SourceStore(
        context.database.shared ? tableShelf(context.database) : folderShelf(join(folder, "sources")),
      ),
      runsFolder: join(folder, "runs"),
      python: findPython(context.config),
      limits,
    };
  }

  /** Clears up after the server before this one; `wake` begins what waits. */
  static async open(
    context: Context,
    accounts: AccountRegistry,
    sourceFolder: string = repositoryRoot,
    limits: DeployLimits = deployLimits(context.config.deployMinutes),
  ): Promise<Deployer> {
    const deployer = new Deployer(context, accounts, sourceFolder, limits);
    if (!context.database.shared) await deployer.#failInterrupted();
    await rm(deployer.#parts.runsFolder, { recursive: true, force: true });
    if (context.database.shared) await deployer.#openBesideOthers();
    else await deployer.#openAlone();
    return deployer;
  }

  async #openAlone(): Promise<void> {
    const rows = await this.#context.database.prepareRead("SELECT DISTINCT source_hash FROM deployments").all();
    await this.#parts.sources.sweep(new Set(rows.map(({ source_hash: name }) => String(name))));
    this.#leads = true;
  }

  async #openBesideOthers(): Promise<void> {
    const { config, database } = this.#context;
    // Of a time when this was the only one, before the data moved. Nothing is swept: another gateway may be keeping what no deployment names yet.
    await this.#parts.sources.copyFrom(folderShelf(join(config.dataDirectory, "deployments", "sources")));
    this.#unlisten = database.listen(channels.deployments, (text) => this.#hear(text));
    this.#stopLeading = whileLeading(this.#context, () => {
      this.#leads = true;
      const watch = setInterval(() => void this.#lookForAbandoned(), abandonedWatch).unref();
      void this.#lookForAbandoned();
      return async () => {
        this.#leads = false;
        clearInterval(watch);
        await this.#endRuns();
      };
    });
  }

  /** Something was queued, cancelled or changed at another gateway, or here; where it may have been missed everybody looks. */
  #hear(text: string | null): void {
    if (text === null || text === queuedNow) this.wake();
    const cancelled = text?.startsWith(cancelPrefix) === true ? text.slice(cancelPrefix.length) : null;
    for (const { record } of this.#runs.values()) {
      if (text === null || record.id === cancelled) void this.#endIfUnwanted(record);
    }
    if (text === null) for (const id of this.#news.eventNames()) this.#news.emit(id);
    else this.announce(cancelled ?? text);
  }

  async #failInterrupted(): Promise<void> {
    const interrupted = await failInterrupted(this.#context);
    if (interrupted > 0) this.#context.log.warn("deploys were interrupted", { interrupted });
  }

  async #lookForAbandoned(): Promise<void> {
    try {
      await this.#failInterrupted();
      this.wake();
    } catch (error) {
      this.#context.log.warn("whether deploys were interrupted cannot be read; it is looked again", { error });
    }
  }

  /** Keeps the source as it stands now and answers its hash. Errors: `storage_unavailable`, `internal` where there is no source. */
  async keepSource(): Promise<string> {
    try {
      return await this.#parts.sources.keep(this.#sourceFolder, sourceParts);
    } catch (error) {
      if (error instanceof SafelightError) throw error;
      throw new SafelightError("internal", "The source of the worker cannot be read.", { cause: error });
    }
  }

  /** Something was queued. */
  wake(): void {
    this.#again = true;
    if (this.#stopped || !this.#leads || this.#beginning !== undefined) return;
    this.#beginning = this.#beginQueued().finally(() => {
      this.#beginning = undefined;
      if (this.#again) this.wake();
    });
  }

  /** Ends the command of a running deployment; nothing for another. */
  endRun(id: string, ending: Ending): void {
    this.#runs.get(id)?.abort.abort(ending);
  }

  /** Tells who follows this deployment that it has changed. */
  announce(id: string): void {
    this.#news.emit(id);
  }

  /** Returns the function that ends the subscription. */
  subscribe(id: string, listener: () => void): () => void {
    this.#news.on(id, listener);
    return () => void this.#news.off(id, listener);
  }

  /** Ends what runs and waits until it is written down. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unlisten();
    await this.#endRuns();
    await this.#stopLeading();
  }

  async #endRuns(): Promise<void> {
    await this.#beginning;
    for (const id of this.#runs.keys()) this.endRun(id, "interrupted");
    await Promise.all([...this.#runs.values()].map(({ ended }) => ended));
  }

  async #beginQueued(): Promise<void> {
    this.#again = false;
    try {
      while (!this.#stopped && this.#leads && this.#runs.size < atOnce) {
        const id = this.#tried?.id ?? (await this.#nextQueued());
        if (id === undefined) return;
        this.#tried ??= { id, at: this.#context.clock.now() };
        const record = await beginDeployment(this.#context, id, this.#tried.at);
        this.#tried = undefined;
        if (record !== undefined) await this.#begin(record);
      }
    } catch (error) {
      this.#context.log.warn("a deploy could not be begun; it is tried again", { error });
      setTimeout(() => this.wake(), this.#parts.limits.retry).unref();
    }
  }

  async #nextQueued(): Promise<string | undefined> {
    const row = await this.#context.database
      .prepareRead(
        `SELECT id FROM deployments AS one WHERE status = 'queued' AND NOT EXISTS (
           SELECT 1 FROM deployments AS other WHERE other.account_id = one.account_id AND other.status = 'running')
         ORDER BY number LIMIT 1`,
      )
      .get();
    return row === undefined ? undefined : String(row.id);
  }

  async #begin(record: DeploymentRecord): Promise<void> {
    const abort = new AbortController();
    const ended = this.#work(record, abort).finally(() => {
      this.#runs.delete(record.id);
      this.wake();
    });
    this.#runs.set(record.id, { record, abort, ended });
    // A cancel that was written in one commit with the beginning has found no run to end.
    await this.#endIfUnwanted(record);
    this.announce(record.id);
  }

  async #isCancelled(number: number): Promise<boolean> {
    const asked = this.#context.database.prepareRead(
      "SELECT 1 AS one FROM deployments WHERE number = ? AND cancel_requested_at IS NOT NULL",
    );
    return (await asked.get(number)) !== undefined;
  }

  async #work(record: DeploymentRecord, abort: AbortController): Promise<void> {
    const log = new DeploymentLog(this.#context, record, () => this.announce(record.id));
    const limit = setTimeout(() => abort.abort("timed_out" satisfies Ending), this.#parts.limits.total);
    const watch = setInterval(() => void this.#endIfUnwanted(record), accountWatch).unref();
    const outcome = await runDeployment(this.#parts, record, log, abort.signal).catch((error: unknown): Outcome => {
      this.#context.log.error("a deploy broke off", { deployment: record.id, error });
      return { code: "deploy_failed", detail: "The server could not run the deploy: its log has more." };
    });
    clearTimeout(limit);
    clearInterval(watch);
    await log.close();
    await this.#finish(record, outcome, log);
    this.announce(record.id);
  }

  /** Until it is on disk, or the server stops: then the next start finds it unfinished. */
  async #finish(record: DeploymentRecord, outcome: Outcome, log: DeploymentLog): Promise<void> {
    for (;;) {
      try {
        await finishDeployment(this.#context, this.#accounts, record, outcome, log);
        return;
      } catch (error) {
        this.#context.log.error("the end of a deploy could not be written down", { deployment: record.id, error });
        if (this.#stopped) return;
        await new Promise((resolve) => setTimeout(resolve, this.#parts.limits.retry).unref());
      }
    }
  }

  async #endIfUnwanted({ id, number, accountId }: DeploymentRecord): Promise<void> {
    try {
      const { prepareRead } = this.#context.database;
      const living = await prepareRead("SELECT 1 AS one FROM worker_accounts WHERE id = ? AND deleted_at IS NULL").get(
        accountId,
      );
      if (living === undefined) this.endRun(id, "account_deleted");
      else if (await this.#isCancelled(number)) this.endRun(id, "cancelled");
    } catch (error) {
      // Thrown from a timer it would end the server; the next look is soon.
      this.#context.log.warn("whether a deploy is still wanted cannot be read", { error });
    }
  }
}
