/** What operators read of secrets: age, what still counts, and what is to be done. Values are not looked at. */
import type { Secret } from "@safelight/contract";
import { isAwaited } from "./change-secret.ts";
import { shownId } from "./fingerprint.ts";
import { ownSecretNames } from "./make-secret.ts";
import type { FoundSecret } from "./resolve-secrets.ts";
import type { SecretBook } from "./secret-book.ts";
import { waitingFile } from "./secret-files.ts";

/** From this age on a secret is overdue: 90 days. */
export const warnAfterDays = 90;
const day = 24 * 60 * 60 * 1000;

export function ageInDays(since: number, now: number): number {
  return Math.max(0, Math.floor((now - since) / day));
}

/** One secret of this start; null where it has none of this name. */
export function describeSecret(book: SecretBook, name: string): Secret | null {
  const found = book.found(name);
  return found === null ? null : describe(book, found);
}

/** Every secret of this start, in a fixed order. */
export function describeSecrets(book: SecretBook): Secret[] {
  return book.parts.found.filter(({ values }) => values.length > 0).map((secret) => describe(book, secret));
}

function describe(book: SecretBook, secret: FoundSecret): Secret {
  const version = book.current(secret.name);
  const age = version === null ? null : ageInDays(version.madeAt, book.parts.context.clock.now());
  const state = stateOf(book, secret, age);
  return {
    name: secret.name,
    source: secret.source,
    setting: secret.name === "session-secret" && secret.source === "generated" ? null : secret.variable,
    state,
    id: version?.id ?? null,
    created_at: version === null ? null : new Date(version.madeAt).toISOString(),
    age_days: age,
    former: book.former(secret.name).map(({ id, acceptedUntil }) => ({
      id,
      accepted_until: acceptedUntil === null ? null : new Date(acceptedUntil).toISOString(),
    })),
    next_step: nextStep(book, secret, state),
  };
}

function stateOf(book: SecretBook, secret: FoundSecret, age: number | null): Secret["state"] {
  if (isAwaited(book, secret)) return "waiting";
  if (isSettingRevoked(book, secret)) return "revoked";
  return age !== null && age >= warnAfterDays ? "overdue" : "ok";
}

function isSettingRevoked(book: SecretBook, { name, source, values }: FoundSecret): boolean {
  // An older file was put back.
  if (source === "generated") return book.currentValue(name) === null;
  return book
    .versions(name)
    .some(({ state, fingerprint }) => state === "revoked" && book.values.get(fingerprint) === values[0]);
}

function nextStep(book: SecretBook, secret: FoundSecret, state: Secret["state"]): string | null {
  const { file, name, variable } = secret;
  const isOurs = ownSecretNames.some((own) => own === name);
  switch (state) {
    case "waiting":
      return book.parts.context.database.shared
        ? `${setTo(secret, newValueFile(book, secret))}, which the gateway that made it keeps, everywhere, and restart gateway after gateway.`
        : `${setTo(secret, newValueFile(book, secret))} and restart.`;
    case "revoked":
      if (file !== null)
        return `${file} does not hold the value in force: put that back, or safelight secrets recover ${name}.`;
      return `${variable} holds a revoked value, which opens nothing: set another one and restart.`;
    case "overdue":
      return isOurs
        ? `It is older than ${warnAfterDays} days: safelight secrets rotate ${name}.`
        : `It is older than ${warnAfterDays} days: replace ${variable}, see docs/operations/keys.md.`;
    case "ok":
      return null;
  }
}

/** Where the new value of a secret lies until the operator has set it. */
export function newValueFile(book: SecretBook, { name }: FoundSecret): string {
  const version = book.current(name);
  const id = version === null ? "" : shownId(version.fingerprint);
  // Another gateway has made it, in a folder of its own.
  const folder = book.currentValue(name) === null ? "DATA_DIR" : book.parts.context.config.dataDirectory;
  return waitingFile(folder, name, id);
}

function setTo({ source, variable }: FoundSecret, file: string): string {
  return source === "file"
    ? `Replace the content of the file of ${variable}_FILE by that of ${file}`
    : `Set ${variable} to the content of ${file}`;
}

function whenToRetire(name: string): string {
  if (name === "encryption-key") return "When backups from before need not open any more";
  if (name === "session-secret") return "When all sessions in use have moved to the new one, after a day at most";
  return "When nobody sends the former value any more";
}

/** What is to be done after a change, in order. */
export function stepsAfter(book: SecretBook, name: string): string[] {
  const secret = book.found(name);
  if (secret === null) return [];
  const { next_step: first, former, state } = describe(book, secret);
  const steps = first === null || state === "overdue" ? [] : [first];
  if (former.length > 0) steps.push(`${whenToRetire(name)}: safelight secrets retire ${name}.`);
  if (name === "encryption-key" && former.length === 0) {
    steps.push("Backups from before open with the former key only: keep it with them, or make a new backup.");
  }
  return steps;
}
