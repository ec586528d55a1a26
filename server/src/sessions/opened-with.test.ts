/** What opens a session may be revoked between the moment it was shown and the moment the session is written. */
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Context } from "../context/context.ts";
import { ChangingKeyring } from "../keys/keyring.ts";
import { revokeSecret } from "../secrets/change-secret.ts";
import { resolveSecrets } from "../secrets/resolve-secrets.ts";
import { SecretBook } from "../secrets/secret-book.ts";
import { SessionSecrets } from "../secrets/session-secrets.ts";
import { type Core, openCore } from "../testing/core.ts";
import { Gate, HeldDatabase } from "../testing/held-database.ts";
import { createAdminSession } from "./admin-sessions.ts";
import { endSessions } from "./kept-tokens.ts";
import { createSession } from "./sessions.ts";

let core: Core;
let held: Context;
let gate: Gate;
let book: SecretBook;
beforeEach(async () => {
  core = await openCore();
  gate = new Gate();
  const database = new HeldDatabase(core.context.database);
  database.onWrite = () => gate.pass();
  held = { ...core.context, database };
  const secrets = await resolveSecrets(core.context.config);
  const tokens = new SessionSecrets(secrets.found["session-secret"].values[0] ?? "");
  const keyring = new ChangingKeyring([secrets.encryptionKey]);
  const found = Object.values(secrets.found);
  book = await SecretBook.open({ context: core.context, found, tokens, keyring });
});
afterEach(() => core.close());

const active = async (table: string): Promise<unknown> =>
  (await core.context.database.prepareRead(`SELECT count(*) AS n FROM ${table} WHERE status = 'active'`).get())?.n;

test("FR-023: a session is not opened with an API key that was revoked meanwhile", async () => {
  const { id, key } = await book.apiKeys.create(core.context, { name: "front-desk" });
  const proven = book.findApiKey(key);
  const opening = createSession(held, {
    hint: null,
    madeWith: proven !== null && "proof" in proven ? proven.proof : "",
  });
  await gate.reached;
  await book.apiKeys.revoke(core.context, id, async (tx) => {
    await endSessions(core.context, tx, { table: "sessions" });
  });
  gate.open();
  await expect(opening).rejects.toMatchObject({ code: "invalid_api_key" });
  expect(await active("sessions")).toBe(0);
});

test.each([
  { name: "api-key", table: "sessions", open: createSession },
  { name: "admin-key", table: "admin_sessions", open: createAdminSession },
])("FR-023: nor with the $name of the settings", async ({ name, table, open }) => {
  const madeWith = `value:${book.current(name)?.fingerprint}`;
  const opening = open(held, { hint: null, madeWith });
  await gate.reached;
  await revokeSecret(core.context, book, { name });
  gate.open();
  await expect(opening).rejects.toMatchObject({ code: "invalid_api_key" });
  expect(await active(table)).toBe(0);
  // What counts opens one.
  await open(core.context, { hint: null, madeWith: `value:${book.current(name)?.fingerprint}` });
  expect(await active(table)).toBe(1);
});
