/**
 * What is done with the audit log besides writing rows: checkpoints, retention, checking and export. One for each gateway; where there are
 * several, one of them signs and removes what is due, and nothing is removed while any of them reads.
 */
import { Readable } from "node:stream";
import type { AuditAction, AuditCheckpoint, AuditVerification } from "@safelight/contract";
import type { Context } from "../context/context.ts";
import { takeHold } from "../gateways/holds.ts";
import { whileLeading } from "../gateways/while-leading.ts";
import { appendAudit } from "./append.ts";
import { type CheckpointKind, writeCheckpoint } from "./checkpoint.ts";
import { exportLines } from "./export.ts";
import type { AuditKeys } from "./keys.ts";
import { pruneAudit, readersHold } from "./prune.ts";
import { startChain } from "./start-chain.ts";
import { verifyAudit } from "./verify.ts";

/** How often it is looked whether a checkpoint is due, in milliseconds. */
const lookInterval = 60 * 1000;
const hour = 60 * 60 * 1000;
/** Rows that wait for a signature at most, but for those of the last look. */
const rowsUnsigned = 1000;

export class AuditBook {
  readonly #system: Context;
  readonly #keys: AuditKeys;
  /** Checks and exports that are under way: what they walk must stay. */
  #readers = 0;
  /** The portion that is being removed, or the last one. */
  #pruning: Promise<number> | undefined;
  #lastPruned = Number.NEGATIVE_INFINITY;
  #busy: Promise<void> | null = null;

  constructor(system: Context, keys: AuditKeys) {
    this.#system = system;
    this.#keys = keys;
  }

  /** Takes in rows that have no hash yet. Before anything else is written. Errors: `storage_unavailable`. */
  async start(): Promise<void> {
    const { database, log } = this.#system;
    const last = await database
      .prepareRead("SELECT key_id FROM audit_checkpoints ORDER BY sequence DESC LIMIT 1")
      .get();
    if (last !== undefined && !this.#keys.publicKeys.has(String(last.key_id))) {
      const message = "the key that signed the audit log until now is not here: put it after the new one in AUDIT_KEY";
      log.error(message, { key_id: last.key_id, current: this.#keys.currentId });
    }
    await startChain(this.#system, this.#keys);
  }

  /**
   * Looks every minute for what is due, where this gateway leads. The function ends it: it waits for what is under way and signs the rest,
   * at every gateway, since what it has written itself may be last.
   */
  keep(): () => Promise<void> {
    const stop = whileLeading(this.#system, () => {
      const look = () => void this.#look();
      const timer = setInterval(look, lookInterval).unref();
      return async () => {
        clearInterval(timer);
        await this.#busy;
      };
    });
    return async () => {
      await stop();
      await this.#system.database
        .write((tx) => this.#signIf(tx, "stop", 1))
        .catch((error: unknown) => {
          this.#system.log.warn("the audit log could not be signed at the end", { error });
        });
    };
  }

  /** A checkpoint when it is asked for, with a row that says who did. Errors: `storage_unavailable`. */
  checkpoint(context: Context): Promise<AuditCheckpoint> {
    return this.#signFor(context, "sign_logs", "demand");
  }

  /** Notes that the installation is about to be copied, and signs. Errors: `storage_unavailable`. */
  noteBackup(context: Context, details: { readonly with_secrets: boolean }): Promise<AuditCheckpoint> {
    return this.#signFor(context, "make_backup", "demand", details);
  }

  /** Reads only. The signal ends it with its reason. */
  verify(signal?: AbortSignal): Promise<AuditVerification> {
    return this.#reading(() => verifyAudit(this.#system, this.#keys, signal));
  }

  /** The whole log as NDJSON, written while it is read; a row says who took it. Errors: `storage_unavailable`. */
  async export(context: Context): Promise<Readable> {
    // Held before it is signed: what is removed after the signature would be missing without a word of it in the file.
    const release = await this.#hold();
    const until = await this.#signFor(context, "export_logs", "export").catch((error: unknown) => {
      release();
      throw error;
    });
    return Readable.from(inPieces(exportLines(this.#system, this.#keys, until))).once("close", release);
  }

  /** Removes what is past its retention, a portion at a time. Answers how many rows are gone. Errors: as `pruneAudit`. */
  async prune(): Promise<number> {
    let removed = 0;
    while (this.#readers === 0) {
      this.#pruning = pruneAudit(this.#system, this.#keys);
      const gone = await this.#pruning;
      if (gone === 0) break;
      removed += gone;
    }
    return removed;
  }

  /** Signs what is due: a thousand rows, or rows that have waited for an hour. */
  async #look(): Promise<void> {
    if (this.#busy !== null) return;
    this.#busy = this.#lookOnce().finally(() => {
      this.#busy = null;
    });
    await this.#busy;
  }

  async #lookOnce(): Promise<void> {
    const { clock, database, log } = this.#system;
    try {
      const last = await database
        .prepareRead("SELECT created_at FROM audit_checkpoints ORDER BY sequence DESC LIMIT 1")
        .get();
      const isLate = Math.abs(clock.now() - Number(last?.created_at ?? 0)) >= hour;
      await database.write((tx) => this.#signIf(tx, "planned", isLate ? 1 : rowsUnsigned));
      if (clock.steady() - this.#lastPruned < hour) return;
      this.#lastPruned = clock.steady();
      const rows = await this.prune();
      if (rows > 0) log.info("audit rows past their retention were removed", { rows });
    } catch (error) {
      log.error("the audit log could not be signed or pruned; it is tried again", { error });
    }
  }

  async #signIf(tx: Parameters<typeof writeCheckpoint>[1], kind: CheckpointKind, least: number): Promise<void> {
    const unsigned = await tx
      .prepare(
        `SELECT rows - coalesce((SELECT max(rows) FROM audit_checkpoints WHERE sequence > checkpoint - 1000), 0) AS n
         FROM audit_head`,
      )
      .get();
    if (Number(unsigned?.n) >= least) await writeCheckpoint(this.#system, tx, this.#keys, kind);
  }

  #signFor(
    context: Context,
    action: AuditAction,
    kind: CheckpointKind,
    details: Readonly<Record<string, unknown>> = {},
  ): Promise<AuditCheckpoint> {
    return context.database.write(async (tx) => {
      await appendAudit(context, tx, { action, target: null, outcome: "success", details });
      return writeCheckpoint(context, tx, this.#keys, kind);
    });
  }

  async #reading<Result>(work: () => Promise<Result>): Promise<Result> {
    const release = await this.#hold();
    try {
      return await work();
    } finally {
      release();
    }
  }

  /** Resolves when nothing is being removed any more, and nothing will be until the function that comes back is called. */
  async #hold(): Promise<() => void> {
    this.#readers += 1;
    let held = true;
    const release = (): void => {
      if (held) this.#readers -= 1;
      held = false;
    };
    await this.#pruning?.catch(() => undefined);
    if (!this.#system.database.shared) return release;
    try {
      const everywhere = await takeHold(this.#system, readersHold, "beside others");
      return () => {
        if (held) void everywhere.release();
        release();
      };
    } catch (error) {
      release();
      throw error;
    }
  }
}

/** Others are served between two pieces. */
async function* inPieces(lines: AsyncGenerator<string>): AsyncGenerator<string> {
  for await (const piece of lines) {
    yield piece;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
