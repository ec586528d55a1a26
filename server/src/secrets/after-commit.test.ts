/** What counts in memory follows the commit itself: nothing has to be read after it, and nothing may go wrong in between. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Context } from "../context/context.ts";
import { SafelightError } from "../errors.ts";
import { ChangingKeyring } from "../keys/keyring.ts";
import { openSecretBook } from "../sessions/open-secret-book.ts";
import { type Core, openCore } from "../testing/core.ts";
import { HeldDatabase } from "../testing/held-database.ts";
import { revokeSecret, rotateSecret } from "./change-secret.ts";
import { resolveSecrets } from "./resolve-secrets.ts";
import { SecretBook } from "./secret-book.ts";
import { SessionSecrets } from "./session-secrets.ts";

let core: Core;
let context: Context;
let database: HeldDatabase;
let book: SecretBook;
beforeEach(async () => {
  core = await openCore();
  database = new HeldDatabase(core.context.database);
  context = { ...core.context, database };
  const secrets = await resolveSecrets(context.config);
  const tokens = new SessionSecrets(secrets.found["session-secret"].values[0] ?? "");
  const keyring = new ChangingKeyring([secrets.encryptionKey]);
  book = await SecretBook.open({ context, found: Object.values(secrets.found), tokens, keyring });
});
afterEach(() => core.close());

/** From the next write on nothing can be read outside of it. */
function loseReadsWithNextWrite(): void {
  database.onWrite = loseReads;
}

function loseReads(): void {
  database.onRead = () => {
    throw new Error("the database is out of reach");
  };
}

const file = () => join(core.folder, "secrets", "session-secret");

test("FR-023: an API key that was revoked is dead although nothing can be read after the commit", async () => {
  const { id, key } = await book.apiKeys.create(context, { name: "front-desk" });
  expect(book.findApiKey(key)).toMatchObject({ scope: "generate" });
  loseReadsWithNextWrite();
  await book.apiKeys.revoke(context, id, async () => undefined);
  expect(book.findApiKey(key)).toEqual({ dead: "revoked", name: "front-desk" });
  expect(book.isStillGood(`api-key:${id}`)).toBe(false);
});

test("FR-023: so is the key of the settings", async () => {
  const value = book.currentValue("api-key") ?? "";
  loseReadsWithNextWrite();
  await revokeSecret(context, book, { name: "api-key" });
  expect(book.findApiKey(value)).toEqual({ dead: "revoked", name: "api-key" });
});

test("a new value is kept in its file although nothing can be read after the commit", async () => {
  const before = book.currentValue("session-secret") ?? "";
  loseReadsWithNextWrite();
  await rotateSecret(context, book, { name: "session-secret" });
  const after = book.currentValue("session-secret") ?? "";
  expect(after).not.toBe(before);
  const held = await readFile(file(), "utf8");
  expect(held.trim()).toBe([after, before].join(","));
});

test("an earlier read that ends late does not bring a revoked key back", async () => {
  const value = book.currentValue("api-key") ?? "";
  let letGo = (): void => undefined;
  const held = new Promise<void>((resolve) => (letGo = resolve));
  const { prepareRead } = core.context.database;
  // What this read finds is of before the change.
  const stale = await prepareRead("SELECT * FROM secret_versions ORDER BY made_at DESC, fingerprint").all();
  const late = Object.assign((sql: string) => ({ ...prepareRead(sql), all: async () => held.then(() => stale) }), {
    dialect: prepareRead.dialect,
  });
  Object.defineProperty(database, "prepareRead", { configurable: true, value: late });
  const reading = book.reload();
  Reflect.deleteProperty(database, "prepareRead");
  await revokeSecret(context, book, { name: "api-key" });
  letGo();
  await reading;
  expect(book.findApiKey(value)).toMatchObject({ dead: "revoked" });
});

test("a value whose commit got no answer is in force, and is kept", async () => {
  const before = book.currentValue("session-secret") ?? "";
  database.onWritten = () => {
    throw new SafelightError("storage_unavailable", "The change may be there or not.");
  };
  await rotateSecret(context, book, { name: "session-secret" });
  const after = book.currentValue("session-secret") ?? "";
  expect(after).not.toBe(before);
  expect((await readFile(file(), "utf8")).trim()).toBe([after, before].join(","));
});

test("where nobody can tell whether it is in force its file stays, and the next start has it", async () => {
  database.onWritten = () => {
    loseReads();
    throw new SafelightError("storage_unavailable", "The change may be there or not.");
  };
  await expect(rotateSecret(context, book, { name: "session-secret", overlap: 0 })).rejects.toMatchObject({
    code: "storage_unavailable",
  });
  const secrets = await resolveSecrets(core.context.config);
  const tokens = new SessionSecrets(secrets.found["session-secret"].values[0] ?? "");
  const keyring = new ChangingKeyring([secrets.encryptionKey]);
  const found = Object.values(secrets.found);
  const next = await openSecretBook({ context: core.context, found, tokens, keyring }, async () => 0);
  const value = next.currentValue("session-secret");
  expect(value).not.toBeNull();
  expect((await readFile(file(), "utf8")).trim()).toBe(value);
});

test("a change that was not made leaves no file", async () => {
  const before = book.currentValue("session-secret");
  database.onWrite = () => {
    throw new SafelightError("storage_unavailable", "Nothing was changed.");
  };
  await expect(rotateSecret(context, book, { name: "session-secret" })).rejects.toMatchObject({
    code: "storage_unavailable",
  });
  expect(book.currentValue("session-secret")).toBe(before);
  expect(await readdir(join(core.folder, "secrets", "next"))).toEqual([]);
});

test("FR-023: what was revoked is dead also where the answer to that was lost", async () => {
  const { id, key } = await book.apiKeys.create(context, { name: "front-desk" });
  database.onWritten = () => {
    throw new SafelightError("storage_unavailable", "The change may be there or not.");
  };
  const revoking = book.apiKeys.revoke(context, id, async () => undefined);
  await expect(revoking).rejects.toMatchObject({ code: "storage_unavailable" });
  expect(book.findApiKey(key)).toEqual({ dead: "revoked", name: "front-desk" });
});
