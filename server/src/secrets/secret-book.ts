/**
 * The secrets of a running server: which values count, since when, and until when. One for each gateway; `followSecrets` has it hear what
 * others change. What changes them stands in `change-secret.ts`; here is what every request asks.
 */
import { unlink } from "node:fs/promises";
import type { Context } from "../context/context.ts";
import type { Transaction } from "../database/database.ts";
import { NewestRead } from "../database/newest-read.ts";
import { channels } from "../gateways/channels.ts";
import type { ChangingKeyring } from "../keys/keyring.ts";
import { agreeWithOthers } from "./agree-with-others.ts";
import { ApiKeys, type KeyScope } from "./api-keys.ts";
import { fingerprintOf, quickHashOf } from "./fingerprint.ts";
import type { FoundSecret } from "./resolve-secrets.ts";
import { createHashCheck, createSecretCheck } from "./secret-check.ts";
import { noteConfigured, readVersions, type SecretVersion } from "./secret-versions.ts";
import type { SessionSecrets } from "./session-secrets.ts";

/** How long a former value counts unless something else is said: 24 hours, in milliseconds. */
export const usualOverlap = 24 * 60 * 60 * 1000;

export interface BookParts {
  /** The system's own. */
  readonly context: Context;
  readonly found: readonly FoundSecret[];
  readonly tokens: SessionSecrets;
  readonly keyring: ChangingKeyring;
  /** For fault tests: told of each step of a change as soon as it is on disk. */
  readonly onStep?: (step: string) => Promise<void> | void;
}

/** An API key that counts. */
export interface ProvenKey {
  /** Tells keys apart for idempotency; the same for all values of one key. */
  readonly id: string;
  readonly actorId: string;
  readonly scope: KeyScope;
  /** Which value it was, for `isStillGood`. */
  readonly proof: string;
}

/** A key that counted once, or does elsewhere: worth a row in the audit log. */
export interface DeadKey {
  readonly dead: "revoked" | "expired" | "retired";
  readonly name: string;
}

interface Accepted {
  readonly version: SecretVersion;
  readonly matches: (presented: string) => boolean;
}

export class SecretBook {
  readonly apiKeys: ApiKeys;
  readonly parts: BookParts;
  /** Makes fingerprints of guessable values. */
  readonly salt: string;
  /** Values that this process knows, by fingerprint. */
  readonly values = new Map<string, string>();
  /** Changes go one after the other. */
  busy: Promise<unknown> = Promise.resolve();
  /** Encrypts rows anew; answers how many there were. Set once those who keep such rows are there. */
  reencrypt: () => Promise<number> = () => Promise.resolve(0);
  /** Called after every change: streams of what has ended are closed. */
  changed: () => void = () => undefined;
  #versions: readonly SecretVersion[] = [];
  #accepted = new Map<string, readonly Accepted[]>();

  readonly #newest = new NewestRead();

  private constructor(parts: BookParts, salt: string, apiKeys: ApiKeys) {
    this.parts = parts;
    this.salt = salt;
    this.apiKeys = apiKeys;
  }

  /**
   * Notes what this start has found, and ends what an interrupted change has left. Errors: `storage_unavailable`; StartupError, also where
   * other gateways run with other values.
   */
  static async open(parts: BookParts): Promise<SecretBook> {
    const apiKeys = await ApiKeys.open(parts.context, () => book.changed());
    const book = new SecretBook(parts, await readSalt(parts.context), apiKeys);
    const configured = await Promise.all(parts.found.map((secret) => book.#fingerprint(secret)));
    await parts.context.database.write(async (tx) => {
      if (parts.context.database.shared) {
        const settings = new Map(parts.found.map(({ name, variable }) => [name, variable]));
        await agreeWithOthers(parts.context, tx, configured, settings);
      }
      for (const secret of configured) await noteConfigured(parts.context, tx, secret, usualOverlap);
      await tx.notify(channels.secrets);
    });
    await book.#dropUnknownFiles();
    await book.reload();
    return book;
  }

  /** The value in force, where this process knows it. */
  currentValue(name: string): string | null {
    const version = this.current(name);
    return version === null ? null : (this.values.get(version.fingerprint) ?? null);
  }

  current(name: string): SecretVersion | null {
    return this.#versions.find((version) => version.name === name && version.state === "current") ?? null;
  }

  versions(name: string): readonly SecretVersion[] {
    return this.#versions.filter((version) => version.name === name);
  }

  found(name: string): FoundSecret | null {
    return this.parts.found.find((secret) => secret.name === name) ?? null;
  }

  /** Former values that still count. */
  former(name: string): readonly SecretVersion[] {
    return this.versions(name).filter((version) => version.state === "former" && this.#isOpen(version));
  }

  /** Which version of the secret this is, if it counts. */
  match(name: string, presented: string): SecretVersion | null {
    const found = this.#accepted.get(name)?.find(({ matches, version }) => this.#isOpen(version) && matches(presented));
    return found?.version ?? null;
  }

  findApiKey(presented: string): ProvenKey | DeadKey | null {
    const version = this.match("api-key", presented);
    if (version !== null) {
      return { id: "api-key", actorId: "api-key", scope: "generate", proof: `value:${version.fingerprint}` };
    }
    const key = this.apiKeys.find(presented);
    if (key === null) return this.#deadVersion(presented);
    const standing = this.apiKeys.standing(key);
    if (standing !== "active") return { dead: standing, name: key.name };
    this.apiKeys.noteUse(key.id);
    const id = `api-key:${key.id}`;
    return { id, actorId: `api-key:${key.name}`, scope: key.scope, proof: id };
  }

  /** Whether what was proven once still counts. */
  isStillGood(proof: string): boolean {
    if (proof.startsWith("api-key:")) return this.apiKeys.isActive(proof.slice("api-key:".length));
    const accepted = this.#accepted.get("api-key") ?? [];
    return accepted.some(({ version }) => `value:${version.fingerprint}` === proof && this.#isOpen(version));
  }

  /** Reads the rows again. */
  async reload(): Promise<void> {
    await this.#newest.take(
      () => readVersions(this.parts.context.database.prepareRead),
      (versions) => this.#take(versions),
    );
    this.changed();
  }

  /**
   * Has a change count as soon as it is on disk; last in its transaction. Nothing is read after the commit: where that failed, what was
   * revoked would go on counting here.
   */
  async countOnceCommitted(tx: Transaction): Promise<void> {
    const versions = await readVersions(tx.prepare);
    await tx.notify(channels.secrets);
    tx.afterCommit(() => {
      this.#newest.takeCommitted(versions, (committed) => this.#take(committed));
      this.changed();
    });
  }

  #take(versions: readonly SecretVersion[]): void {
    this.#versions = versions;
    const names = new Set(this.#versions.map(({ name }) => name));
    this.#accepted = new Map([...names].map((name) => [name, this.#acceptedOf(name)]));
    const withValues = (name: string) =>
      [this.current(name), ...this.former(name)].flatMap((version) => {
        const value = version === null ? undefined : this.values.get(version.fingerprint);
        return version === null || value === undefined ? [] : [{ id: version.id, value }];
      });
    const [session, ...formerSessions] = withValues("session-secret");
    if (session !== undefined) this.parts.tokens.replace(session, formerSessions);
    const [key, ...formerKeys] = withValues("encryption-key").map(({ value }) => Buffer.from(value, "base64"));
    if (key !== undefined) this.parts.keyring.replace([key, ...formerKeys]);
  }

  /** Opens rows that any known key has made, whatever became of it: for encrypting them anew. */
  openAllKeys(): void {
    const key = this.currentValue("encryption-key");
    if (key === null) return;
    const others = this.versions("encryption-key").flatMap(({ fingerprint }) => this.values.get(fingerprint) ?? []);
    this.parts.keyring.replace([Buffer.from(key, "base64"), ...others.map((value) => Buffer.from(value, "base64"))]);
  }

  /** Names a value: known from now on, and never in a log line. */
  async learn(value: string): Promise<string> {
    const fingerprint = await fingerprintOf(value, this.salt);
    this.values.set(fingerprint, value);
    this.parts.context.log.hide(value);
    return fingerprint;
  }

  #acceptedOf(name: string): Accepted[] {
    const versions = [this.current(name), ...this.former(name)].filter((version) => version !== null);
    return versions.flatMap((version) => {
      const value = this.values.get(version.fingerprint);
      if (value !== undefined) return [{ version, matches: createSecretCheck(value) }];
      // A former value that somebody thought up ends with the process that knew it: comparing it again would be slow.
      const quick = quickHashOf(version.fingerprint);
      return quick === null ? [] : [{ version, matches: createHashCheck(quick) }];
    });
  }

  #deadVersion(presented: string): DeadKey | null {
    const dead = this.versions("api-key").find((version) => {
      if (version.state === "current" || this.#isOpen(version)) return false;
      const quick = quickHashOf(version.fingerprint);
      return quick !== null && createHashCheck(quick)(presented);
    });
    return dead === undefined ? null : { dead: dead.state === "revoked" ? "revoked" : "retired", name: "api-key" };
  }

  #isOpen({ state, acceptedUntil }: SecretVersion): boolean {
    if (state === "current") return true;
    return state === "former" && (acceptedUntil === null || acceptedUntil > this.parts.context.clock.now());
  }

  async #fingerprint({ name, source, values, waiting, writtenAt }: FoundSecret) {
    const fingerprints = await Promise.all(values.map((value) => this.learn(value)));
    const awaited = await Promise.all(waiting.map(({ value }) => this.learn(value)));
    return { name, source, fingerprints, waiting: awaited, writtenAt };
  }

  /** A new value whose change was never committed, or that stands where it belongs by now. */
  async #dropUnknownFiles(): Promise<void> {
    this.#versions = await readVersions(this.parts.context.database.prepareRead);
    for (const { name, values, waiting } of this.parts.found) {
      for (const { file, value } of waiting) {
        const isAwaited = this.currentValue(name) === value && values[0] !== value;
        if (!isAwaited) await unlink(file);
      }
    }
  }
}

async function readSalt({ database, ids }: Context): Promise<string> {
  const read = "SELECT value FROM installation WHERE name = 'secret_salt'";
  const known = await database.prepareRead(read).get();
  if (known !== undefined) return String(known.value);
  return database.write(async (tx) => {
    await tx
      .prepare("INSERT INTO installation (name, value) VALUES ('secret_salt', ?) ON CONFLICT DO NOTHING")
      .run(ids.token());
    return String((await tx.prepare(read).get())?.value);
  });
}
