/**
 * Changes of secrets. A new value is on disk before the row that puts it in force, and stands where it belongs after it: a start finds
 * out from rows and files where a change was cut off, and ends it.
 */

import { unlink } from "node:fs/promises";
import type { AuditAction } from "@safelight/contract";
import { appendAudit } from "../audit/append.ts";
import type { Context } from "../context/context.ts";
import type { Transaction } from "../database/database.ts";
import { SafelightError } from "../errors.ts";
import { shownId } from "./fingerprint.ts";
import { makeSecret, type OwnSecretName, ownSecretNames } from "./make-secret.ts";
import type { FoundSecret } from "./resolve-secrets.ts";
import { type SecretBook, usualOverlap } from "./secret-book.ts";
import { replaceSecret, waitingFile, waitingFiles } from "./secret-files.ts";
import { replaceVersion, retireFormer, revokeAll } from "./secret-versions.ts";

export interface Change {
  readonly name: string;
  /** What else belongs to it, in the same transaction: sessions that end. */
  readonly within?: (tx: Transaction) => Promise<void>;
}

/** What was made: the file of the new value where an operator has to fetch it from there. */
export interface Changed {
  readonly writtenTo: string | null;
}

type Action = "rotate_secret" | "revoke_secret" | "recover_secret";

/**
 * A new value; the old one counts beside it for `overlap` milliseconds (24 hours unless told, 0: not at all), one of the settings until
 * the new one is set there. Errors: `not_found`, `validation_failed`, `storage_unavailable`.
 */
export function rotateSecret(
  context: Context,
  book: SecretBook,
  change: Change & { readonly overlap?: number },
): Promise<Changed> {
  return inTurn(book, async () => {
    const secret = requireOwn(book, change.name);
    refuseAlone(book, secret);
    const overlap = change.overlap ?? usualOverlap;
    if (overlap > 0 && isAwaited(book, secret)) {
      refuse(`A new value of ${secret.name} waits already. Set it first, or rotate without overlap.`);
    }
    return replace(context, book, secret, { ...change, action: "rotate_secret", overlap });
  });
}

/** The old value and all before it never count again, at once; a new one is made in their place. Errors: as `rotateSecret`. */
export function revokeSecret(context: Context, book: SecretBook, change: Change): Promise<Changed> {
  return inTurn(book, async () => {
    const secret = book.found(change.name);
    if (secret === null || !isRevocable(change.name)) throw unknown(change.name, "revoked");
    if (isOwn(secret)) {
      refuseAlone(book, secret);
      return replace(context, book, secret, { ...change, action: "revoke_secret", overlap: 0 });
    }
    await write(context, book, async (tx) => {
      await revokeAll(context, tx, secret.name);
      await change.within?.(tx);
      await record(context, tx, "revoke_secret", secret.name, {});
      await book.countOnceCommitted(tx);
    });
    return { writtenTo: null };
  });
}

/** Former values count no more. Errors: `not_found`; `validation_failed` where the settings still hold one. */
export function retireSecret(context: Context, book: SecretBook, change: Change): Promise<Changed> {
  return inTurn(book, async () => {
    const secret = requireOwn(book, change.name);
    if (holdsFormer(book, secret)) {
      refuse(`${secret.variable} still holds the former value of ${secret.name}. Set the new one and restart first.`);
    }
    if (secret.name === "encryption-key") await encryptAnew(book);
    const retired = await write(context, book, async (tx) => {
      const count = await retireFormer(context, tx, secret.name);
      await change.within?.(tx);
      await record(context, tx, "retire_secret", secret.name, { versions: count });
      await book.countOnceCommitted(tx);
      return count;
    });
    if (retired > 0) await settle(book, secret);
    return { writtenTo: null };
  });
}

/** For a value that is lost, not leaked: a new one in its place. Errors: as `rotateSecret`. */
export function recoverSecret(context: Context, book: SecretBook, change: Change): Promise<Changed> {
  return inTurn(book, async () => {
    const secret = requireOwn(book, change.name);
    refuseAlone(book, secret);
    return replace(context, book, secret, { ...change, action: "recover_secret", overlap: 0 });
  });
}

/** Ends what a kill has interrupted: rows that an older key has encrypted, and files that do not hold what counts. At every start. */
export async function resumeChanges(book: SecretBook): Promise<void> {
  await encryptAnew(book);
  for (const secret of book.parts.found) {
    if (!isOwn(secret) || secret.file === null) continue;
    if (book.currentValue(secret.name) === null) {
      // An older file was put back: what is in force is not known here, and nothing may be written in the place of what is.
      const { log } = book.parts.context;
      log.error("the file of a secret does not hold the value in force: put that back, or have a new one made", {
        file: secret.file,
        command: `safelight secrets recover ${secret.name}`,
      });
      continue;
    }
    const held = secret.values.join(",");
    if (held !== heldBy(book, secret.name)) await settle(book, secret);
  }
}

/** A change that may have been made although it failed, as the answer to its commit may be lost, counts where it can be read. */
async function write<T>(context: Context, book: SecretBook, work: (tx: Transaction) => Promise<T>): Promise<T> {
  return context.database.write(work).catch(async (error: unknown) => {
    await book.reload().catch(() => undefined);
    throw error;
  });
}

/** Whether this secret can be revoked here, and not only where it comes from. */
export function isRevocable(name: string): boolean {
  return [...ownSecretNames, "access-password", "metrics-token"].includes(name as OwnSecretName);
}

/** A new value was made for a setting that still holds the one before: here, or by another gateway, which alone knows it then. */
export function isAwaited(book: SecretBook, { name, source, values }: FoundSecret): boolean {
  const current = book.current(name);
  if (source === "generated" || current === null) return false;
  const value = book.currentValue(name);
  return value === null ? book.parts.context.database.shared : value !== values[0];
}

/**
 * A key that is shown to us is known to other gateways by its fingerprint, whoever made it. What others need the value of cannot come from
 * one of them: every gateway has it from its settings.
 */
function refuseAlone(book: SecretBook, { name, variable }: FoundSecret): void {
  if (!book.parts.context.database.shared || name === "api-key" || name === "admin-key") return;
  refuse(
    `${variable} is given to every gateway of this installation: none of them can make a new one. Put the new value after the one in force, with a comma, and restart gateway after gateway; then the same with the new one first.`,
  );
}

/** The settings still hold a value that is on its way out. */
function holdsFormer(book: SecretBook, { name, source, values }: FoundSecret): boolean {
  const isFirst = ({ fingerprint }: { fingerprint: string }) => book.values.get(fingerprint) === values[0];
  return source !== "generated" && book.former(name).some(isFirst);
}

interface Wanted extends Change {
  readonly action: Action;
  readonly overlap: number;
}

async function replace(
  context: Context,
  book: SecretBook,
  secret: FoundSecret & { readonly name: OwnSecretName },
  { action, overlap, within }: Wanted,
): Promise<Changed> {
  const { config, clock } = context;
  const { name } = secret;
  const value = makeSecret(name, config.environment);
  const made = await book.learn(value);
  const file = waitingFile(config.dataDirectory, name, shownId(made));
  const before = await waitingOf(book, secret);
  await orUnavailable(replaceSecret(file, value));
  await step(book, "written");
  try {
    await context.database.write(async (tx) => {
      // A value that stands in the settings of the operator would come back with the next start if it were only retired.
      const ended = action === "revoke_secret" || secret.source !== "generated" ? "revoked" : "retired";
      if (action === "revoke_secret") await revokeAll(context, tx, name);
      const isOpenEnded = secret.source !== "generated" || name === "encryption-key";
      const acceptedUntil = overlap === 0 || isOpenEnded ? null : clock.now() + overlap;
      const old = overlap === 0 ? ended : "former";
      await replaceVersion(context, tx, { name, fingerprint: made, source: secret.source, old, acceptedUntil });
      await within?.(tx);
      const until = acceptedUntil === null ? null : new Date(acceptedUntil).toISOString();
      await record(context, tx, action, name, { id: shownId(made), old, accepted_until: until });
      await book.countOnceCommitted(tx);
    });
  } catch (error) {
    if (!(await isInForceAllTheSame(book, name, made))) {
      await unlink(file).catch(() => undefined);
      throw error;
    }
  }
  await step(book, "committed");
  if (name === "encryption-key") await encryptAnew(book);
  await settle(book, secret);
  for (const old of before) await unlink(old).catch(() => undefined);
  return { writtenTo: secret.source === "generated" ? secret.file : file };
}

/**
 * Whether a change that failed was made: the answer to its commit may be lost, and its file is then the only place of what is in force.
 * Where that cannot be told it rejects; the file stays, and a start finds out.
 */
async function isInForceAllTheSame(book: SecretBook, name: string, fingerprint: string): Promise<boolean> {
  await orUnavailable(book.reload(), "Whether the secret was changed cannot be read at the moment.");
  return book.current(name)?.fingerprint === fingerprint;
}

/** Rows that an older key has encrypted get the one in force; after that only those open that still count. */
async function encryptAnew(book: SecretBook): Promise<void> {
  book.openAllKeys();
  await book.reencrypt();
  await book.reload();
  await step(book, "encrypted anew");
}

/** Our own file holds what counts, and the waiting one is gone. One of the settings waits for the operator. */
async function settle(book: SecretBook, secret: FoundSecret): Promise<void> {
  if (secret.file === null) return;
  await orUnavailable(replaceSecret(secret.file, heldBy(book, secret.name)));
  await step(book, "in place");
  for (const file of await waitingOf(book, secret)) await unlink(file).catch(() => undefined);
  await step(book, "settled");
}

/** What our own file has to hold: where former values are read by, they follow. */
function heldBy(book: SecretBook, name: string): string {
  const keepsFormer = name === "encryption-key" || name === "session-secret";
  const former = keepsFormer ? book.former(name).flatMap((one) => book.values.get(one.fingerprint) ?? []) : [];
  return [book.currentValue(name) ?? "", ...former].join(",");
}

async function waitingOf(book: SecretBook, { name }: FoundSecret): Promise<string[]> {
  return waitingFiles(book.parts.context.config.dataDirectory, name);
}

async function record(
  context: Context,
  tx: Transaction,
  action: AuditAction,
  name: string,
  details: Readonly<Record<string, unknown>>,
): Promise<void> {
  const secret = name.replaceAll("-", "_");
  await appendAudit(context, tx, { action, target: name, outcome: "success", details: { secret, ...details } });
  tx.afterCommit(() => context.log.info("a secret was changed", { action, target: name, ...details }));
}

function isOwn(secret: FoundSecret): secret is FoundSecret & { readonly name: OwnSecretName } {
  return ownSecretNames.some((name) => name === secret.name);
}

function requireOwn(book: SecretBook, name: string): FoundSecret & { readonly name: OwnSecretName } {
  const secret = book.found(name);
  if (secret === null || !isOwn(secret)) throw unknown(name, "changed");
  return secret;
}

function unknown(name: string, what: string): SafelightError {
  return new SafelightError("not_found", `There is no secret ${name} that can be ${what} here.`);
}

function refuse(message: string): never {
  throw new SafelightError("validation_failed", message, { fields: [{ field: "name", code: "not_now", message }] });
}

async function inTurn<Result>(book: SecretBook, work: () => Promise<Result>): Promise<Result> {
  const mine = book.busy.then(async () => {
    // What another gateway did a moment ago decides as well.
    if (book.parts.context.database.shared) await book.reload();
    return work();
  });
  book.busy = mine.catch(() => undefined);
  return mine;
}

async function step(book: SecretBook, name: string): Promise<void> {
  await book.parts.onStep?.(name);
}

async function orUnavailable(work: Promise<void>, what = "The file of the secret cannot be written."): Promise<void> {
  await work.catch((cause: unknown) => {
    throw new SafelightError("storage_unavailable", what, { cause });
  });
}
