/**
 * API keys with a name, a scope and an end of their own, beside the one of the settings. A key is shown once; its SHA-256 is kept, which
 * suffices for 256 random bits. All of them are in memory, as they are asked for with every poll; their last use is written behind.
 */
import { hash, timingSafeEqual } from "node:crypto";
import type { ApiKey, ApiKeyCreated, ApiKeyRequest } from "@safelight/contract";
import { appendAudit } from "../audit/append.ts";
import type { Context } from "../context/context.ts";
import type { Row, Transaction } from "../database/database.ts";
import { NewestRead } from "../database/newest-read.ts";
import { SafelightError } from "../errors.ts";
import { channels } from "../gateways/channels.ts";
import { environmentOfKey, makeApiKey } from "./make-secret.ts";

/** `read_only` may look and download, and nothing else. */
export type KeyScope = "generate" | "read_only";

export interface ApiKeyRecord {
  readonly id: string;
  readonly name: string;
  readonly scope: KeyScope;
  readonly keyHash: string;
  readonly environment: string;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly expiresAt: number | null;
  readonly lastUsedAt: number | null;
  readonly revokedAt: number | null;
}

export type KeyStanding = "active" | "expired" | "revoked";

/** How often last uses are written, in milliseconds. */
const writeInterval = 30_000;
/** More than an installation needs; they are all in memory. */
const mostKeys = 1000;
const everyKey = "SELECT * FROM api_keys";

export class ApiKeys {
  readonly #system: Context;
  readonly #changed: () => void;
  readonly #newest = new NewestRead();
  #byHash = new Map<string, ApiKeyRecord>();
  #byId = new Map<string, ApiKeyRecord>();
  /** Uses that are not written yet: id to wall-clock milliseconds. */
  #used = new Map<string, number>();

  private constructor(system: Context, changed: () => void) {
    this.#system = system;
    this.#changed = changed;
  }

  /** `changed` is called after every change. */
  static async open(system: Context, changed: () => void): Promise<ApiKeys> {
    const keys = new ApiKeys(system, changed);
    await keys.#load();
    return keys;
  }

  /** The key that was presented, if it is one of these, whatever its standing. */
  find(presented: string): ApiKeyRecord | null {
    if (this.#byHash.size === 0 || environmentOfKey(presented) === null) return null;
    const hashed = hash("sha256", presented, "hex");
    const record = this.#byHash.get(hashed);
    return record !== undefined && timingSafeEqual(Buffer.from(hashed), Buffer.from(record.keyHash)) ? record : null;
  }

  standing({ revokedAt, expiresAt }: ApiKeyRecord): KeyStanding {
    if (revokedAt !== null) return "revoked";
    return expiresAt !== null && expiresAt <= this.#system.clock.now() ? "expired" : "active";
  }

  isActive(id: string): boolean {
    const record = this.#byId.get(id);
    return record !== undefined && this.standing(record) === "active";
  }

  noteUse(id: string): void {
    this.#used.set(id, this.#system.clock.now());
  }

  /** Newest first; revoked ones too. */
  list(): ApiKey[] {
    return [...this.#byId.values()]
      .toSorted((one, other) => other.createdAt - one.createdAt || (one.id < other.id ? 1 : -1))
      .map((record) => this.#describe(record));
  }

  /** The answer holds the key, this once. Errors: `validation_failed`. */
  async create(context: Context, request: ApiKeyRequest): Promise<ApiKeyCreated> {
    const key = makeApiKey(context.config.environment);
    context.log.hide(key);
    const now = context.clock.now();
    const expiresAt = request.expires_at === undefined ? null : readExpiry(request.expires_at, now);
    const id = context.ids.task();
    await this.#change(context, async (tx) => {
      await refuseTaken(tx, request.name);
      await tx
        .prepare(
          `INSERT INTO api_keys (id, name, scope, key_hash, environment, created_at, created_by, expires_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        )
        .run(
          id,
          request.name,
          request.scope ?? "generate",
          hash("sha256", key, "hex"),
          context.config.environment,
          now,
          context.actor.id,
          expiresAt,
        );
      const details = { id, scope: request.scope ?? "generate", expires_at: request.expires_at ?? null };
      await appendAudit(context, tx, { action: "create_api_key", target: request.name, outcome: "success", details });
    });
    return { ...this.#describe(this.#require(id)), key };
  }

  /**
   * Dead at once and for good; revoking it again changes nothing. `within` runs in the same transaction. Other gateways refuse it as soon
   * as they have heard of it. Errors: `not_found`.
   */
  async revoke(context: Context, id: string, within: (tx: Transaction) => Promise<void>): Promise<ApiKey> {
    // Made a moment ago by another gateway, maybe.
    if (!this.#byId.has(id) && this.#system.database.shared) await this.reload();
    const { name } = this.#require(id);
    await this.#change(context, async (tx) => {
      const { changes } = await tx
        .prepare("UPDATE api_keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL")
        .run(context.clock.now(), id);
      if (Number(changes) === 0) return;
      await within(tx);
      const details = { secret: "api_key", id };
      await appendAudit(context, tx, { action: "revoke_secret", target: name, outcome: "success", details });
    });
    return this.#describe(this.#require(id));
  }

  /** Writes last uses from time to time. The function ends it and writes the rest. */
  keep(): () => Promise<void> {
    const write = () =>
      this.writeUses().catch((error: unknown) =>
        this.#system.log.warn("the last use of API keys could not be written down", { error }),
      );
    const timer = setInterval(() => void write(), writeInterval).unref();
    return () => {
      clearInterval(timer);
      return write();
    };
  }

  async writeUses(): Promise<void> {
    if (this.#used.size === 0) return;
    const uses = [...this.#used];
    await this.#change(
      this.#system,
      async (tx) => {
        const update = tx.prepare(
          "UPDATE api_keys SET last_used_at = ? WHERE id = ? AND coalesce(last_used_at, 0) < ?",
        );
        for (const [id, at] of uses) await update.run(at, id, at);
      },
      "quietly",
    );
    for (const [id, at] of uses) if (this.#used.get(id) === at) this.#used.delete(id);
  }

  /** Reads the rows again. */
  async reload(): Promise<void> {
    await this.#load();
    this.#changed();
  }

  async #load(): Promise<void> {
    await this.#newest.take(
      () => this.#system.database.prepareRead(everyKey).all(),
      (rows) => this.#take(rows),
    );
  }

  /** `quietly`: other gateways need not hear of it. */
  async #change(context: Context, work: (tx: Transaction) => Promise<void>, how?: "quietly"): Promise<void> {
    const changing = context.database.write(async (tx) => {
      await work(tx);
      if (how === undefined) await tx.notify(channels.apiKeys);
      // Not read after the commit: where that failed, a revoked key would go on counting here.
      const rows = await tx.prepare(everyKey).all();
      tx.afterCommit(() => {
        this.#newest.takeCommitted(rows, (committed) => this.#take(committed));
        this.#changed();
      });
    });
    await changing.catch(async (error: unknown) => {
      // The answer to the commit may be lost: what was revoked then is revoked.
      await this.reload().catch(() => undefined);
      throw error;
    });
  }

  #take(rows: readonly Row[]): void {
    const records = rows.map(toRecord);
    this.#byHash = new Map(records.map((record) => [record.keyHash, record]));
    this.#byId = new Map(records.map((record) => [record.id, record]));
  }

  #require(id: string): ApiKeyRecord {
    const record = this.#byId.get(id);
    if (record === undefined) throw new SafelightError("not_found", "There is no API key with this id.");
    return record;
  }

  #describe(record: ApiKeyRecord): ApiKey {
    const { id, name, scope, createdAt, createdBy, expiresAt, revokedAt } = record;
    const text = (time: number | null) => (time === null ? null : new Date(time).toISOString());
    const lastUsedAt = Math.max(record.lastUsedAt ?? 0, this.#used.get(id) ?? 0);
    return {
      id,
      name,
      scope,
      state: this.standing(record),
      created_at: new Date(createdAt).toISOString(),
      created_by: createdBy,
      expires_at: text(expiresAt),
      last_used_at: text(lastUsedAt === 0 ? null : lastUsedAt),
      revoked_at: text(revokedAt),
    };
  }
}

async function refuseTaken(tx: Transaction, name: string): Promise<void> {
  const known = await tx
    .prepare("SELECT count(*) AS n, count(CASE WHEN name = ? THEN 1 END) AS taken FROM api_keys")
    .get(name);
  if (Number(known?.taken) > 0) {
    refuse("name", "already_taken", "name belongs to another API key, maybe a revoked one; names are not used twice.");
  }
  if (Number(known?.n) >= mostKeys) refuse("name", "too_many", `There are ${mostKeys} API keys already.`);
}

function readExpiry(text: string, now: number): number {
  const time = Date.parse(text);
  if (time > now) return time;
  return refuse("expires_at", "out_of_range", "expires_at must be a time that is still to come, in ISO 8601.");
}

function refuse(field: string, code: string, message: string): never {
  throw new SafelightError("validation_failed", message, { fields: [{ field, code, message }] });
}

function toRecord(row: Row): ApiKeyRecord {
  return {
    id: String(row.id),
    name: String(row.name),
    scope: row.scope as KeyScope,
    keyHash: String(row.key_hash),
    environment: String(row.environment),
    createdAt: Number(row.created_at),
    createdBy: String(row.created_by),
    expiresAt: row.expires_at as number | null,
    lastUsedAt: row.last_used_at as number | null,
    revokedAt: row.revoked_at as number | null,
  };
}
