/** Every change of a secret, cut off after each of its steps: a copy of the data directory is what a kill leaves, and a start ends it. */
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readConfig } from "../config.ts";
import { type Context, createContext } from "../context/context.ts";
import { openDatabase } from "../database/open.ts";
import { ChangingKeyring } from "../keys/keyring.ts";
import { silentLog } from "../log.ts";
import { DiskMediaStore } from "../media/disk-media-store.ts";
import { createAdminSession } from "../sessions/admin-sessions.ts";
import { openSecretBook } from "../sessions/open-secret-book.ts";
import { checkSession, createSession, sessionLifetime } from "../sessions/sessions.ts";
import { createTestClock } from "../testing/edge.ts";
import { placeOf } from "../worker-accounts/account-credentials.ts";
import { addAccount } from "../worker-accounts/add-account.ts";
import { openRegistry } from "../worker-accounts/open-registry.ts";
import { reencryptCredentials } from "../worker-accounts/reencrypt-credentials.ts";
import { recoverSecret, retireSecret, revokeSecret, rotateSecret } from "./change-secret.ts";
import { describeSecret } from "./describe-secrets.ts";
import type { OwnSecretName } from "./make-secret.ts";
import { resolveSecrets } from "./resolve-secrets.ts";
import type { SecretBook } from "./secret-book.ts";
import { SessionSecrets } from "./session-secrets.ts";

interface Opened {
  readonly context: Context;
  readonly book: SecretBook;
  /** What the settings or our own file gave this start. */
  readonly value: (name: OwnSecretName) => string;
  close(): Promise<void>;
}

let folder: string;
const opened: Opened[] = [];
const clock = createTestClock();
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "safelight-change-secret-"));
});
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
  await rm(folder, { recursive: true });
});

const workspaces = Array.from({ length: 45 }, (_, index) => `attic-${index}`);

async function open(
  directory: string,
  environment: Record<string, string> = {},
  onStep?: (step: string) => Promise<void>,
): Promise<Opened> {
  const config = readConfig({ DATA_DIR: directory, LOG_LEVEL: "silent", ...environment });
  const secrets = await resolveSecrets(config);
  const log = silentLog();
  const database = await openDatabase({ file: join(directory, "safelight.sqlite"), log, clock });
  const media = await DiskMediaStore.open(join(directory, "media"));
  const tokens = new SessionSecrets(secrets.found["session-secret"].values[0] ?? "");
  const keyring = new ChangingKeyring([secrets.encryptionKey]);
  const context = createContext({ database, log, config, media, tokens, clock });
  const parts = { context, found: Object.values(secrets.found), tokens, keyring };
  const book = await openSecretBook({ ...parts, ...(onStep === undefined ? {} : { onStep }) }, () =>
    reencryptCredentials(context, keyring, () => onStep?.("portion")),
  );
  const value = (name: OwnSecretName) => secrets.found[name].values[0] ?? "";
  const result = { context, book, value, close: () => database.close() };
  opened.push(result);
  return result;
}

async function close(one: Opened): Promise<void> {
  opened.splice(opened.indexOf(one), 1);
  await one.close();
}

async function addAccounts({ context, book }: Opened): Promise<void> {
  const registry = await openRegistry(context, book.parts.keyring);
  for (const workspace of workspaces) {
    const worker = { base_url: "http://127.0.0.1:9", worker_key: `key-of-${workspace}-0123456789` };
    await addAccount(context, registry, { label: workspace, workspace, kind: "http", ...worker });
  }
}

/** Every credential opens with the keys of this start, and is encrypted with the one in force. */
async function expectCredentials({ context, book }: Opened): Promise<void> {
  const { keyring } = book.parts;
  const rows = await context.database.prepareRead("SELECT id, workspace, worker_key FROM worker_accounts").all();
  expect(rows).toHaveLength(workspaces.length);
  for (const { id, workspace, worker_key: sealed } of rows) {
    expect(keyring.isCurrent(String(sealed))).toBe(true);
    expect(keyring.decrypt(String(sealed), placeOf(String(id), "worker_key"))).toBe(
      `key-of-${String(workspace)}-0123456789`,
    );
  }
}

const waiting = async (directory: string): Promise<string[]> =>
  readdir(join(directory, "secrets", "next")).catch(() => []);
const rowsOf = async ({ context }: Opened, action: string) =>
  (await context.database.prepareRead("SELECT target FROM audit_events WHERE action = ?").all(action)).length;

type Change = (one: Opened, name: OwnSecretName) => Promise<unknown>;
const changes: Record<string, Change> = {
  rotate: ({ context, book }, name) => rotateSecret(context, book, { name }),
  "rotate now": ({ context, book }, name) => rotateSecret(context, book, { name, overlap: 0 }),
  revoke: ({ context, book }, name) => revokeSecret(context, book, { name }),
  recover: ({ context, book }, name) => recoverSecret(context, book, { name }),
};
const names = ["api-key", "admin-key", "session-secret", "encryption-key"] as const;
const given = {
  "api-key": ["API_KEY", "given-api-key-of-forty-characters-01234567"],
  "admin-key": ["ADMIN_KEY", "given-admin-key-of-forty-characters-012345"],
  "session-secret": ["SESSION_SECRET", ""],
  "encryption-key": ["ENCRYPTION_KEY", Buffer.from("a given key of 32 random bytes!!").toString("base64")],
} as const;

/** Every secret, source and change in npm run test:long; in npm test those that differ most. */
const isLong = process.env.SAFELIGHT_TEST_LONG === "1";
const isUsual = (name: string, source: string, change: string): boolean =>
  ["encryption-key generated rotate", "api-key generated revoke", "admin-key given rotate now"].includes(
    `${name} ${source} ${change}`,
  );

describe.each(names.filter((name) => isLong || name !== "session-secret"))("FR-016: a change of %s", (name) => {
  const sources = name === "session-secret" ? ["generated"] : ["generated", "given"];
  const cases = sources.flatMap((source) => Object.keys(changes).map((change) => [source, change] as const));
  test.each(cases.filter((one) => isLong || isUsual(name, ...one)))(
    "of a %s value, %s: cut off after any step it ends or never was",
    async (source, change) => {
      const data = join(folder, "data");
      const environment = source === "given" ? { [given[name][0]]: given[name][1] } : {};
      const copies: string[] = [];
      const keep = async (step: string): Promise<void> => {
        const copy = join(folder, `${copies.length}-${step.replace(" ", "-")}`);
        await cp(data, copy, { recursive: true });
        copies.push(copy);
      };
      let isWatched = false;
      const first = await open(data, environment, (step) => (isWatched ? keep(step) : Promise.resolve()));
      if (name === "encryption-key") await addAccounts(first);
      const old = first.value(name);
      isWatched = true;
      await changes[change]?.(first, name);
      isWatched = false;
      const made = first.book.currentValue(name) ?? "";
      expect(made).not.toBe(old);
      await close(first);
      expect(copies.length).toBeGreaterThanOrEqual(name === "encryption-key" ? 4 : source === "given" ? 2 : 4);
      for (const [index, copy] of copies.entries()) {
        const after = await open(copy, environment);
        const isDone = after.book.currentValue(name) === made;
        // Before the commit nothing has happened, after it everything counts.
        expect([copy, isDone]).toEqual([copy, index > 0]);
        expect(after.book.match(name, isDone ? made : old)).not.toBeNull();
        const oldCounts = after.book.match(name, old) !== null;
        expect([copy, oldCounts]).toEqual([copy, !isDone || change === "rotate"]);
        if (name === "encryption-key") await expectCredentials(after);
        await close(after);
        expect(await waiting(copy)).toHaveLength(isDone && source === "given" ? 1 : 0);
        // What was ended once is as it was.
        const again = await open(copy, environment);
        expect(again.book.currentValue(name)).toBe(isDone ? made : old);
        expect(again.book.match(name, old) !== null).toBe(oldCounts);
        expect(await rowsOf(again, "rotate_secret")).toBe(isDone && change.startsWith("rotate") ? 1 : 0);
        await close(again);
      }
    },
  );
});

test("FR-016: rotation overlaps for as long as was said, the new file is for its owner only, retiring ends it", async () => {
  const one = await open(join(folder, "data"));
  const old = one.value("api-key");
  const { writtenTo } = await rotateSecret(one.context, one.book, { name: "api-key", overlap: 3_600_000 });
  expect((await stat(writtenTo ?? "")).mode & 0o777).toBe(0o600);
  const made = (await readFile(writtenTo ?? "", "utf8")).trim();
  expect(made).toMatch(/^sl_dev_[\w-]{43}$/);
  const counts = () => [old, made].map((key) => one.book.match("api-key", key) !== null);
  expect(counts()).toEqual([true, true]);
  clock.advance(3_599_999);
  expect(counts()).toEqual([true, true]);
  clock.advance(1);
  expect(counts()).toEqual([false, true]);
  expect(one.book.findApiKey(old)).toEqual({ dead: "retired", name: "api-key" });
  await rotateSecret(one.context, one.book, { name: "api-key" });
  expect(one.book.match("api-key", made)).not.toBeNull();
  await retireSecret(one.context, one.book, { name: "api-key" });
  expect(one.book.match("api-key", made)).toBeNull();
});

test("FR-016: a given value keeps counting until the new one is set; after that for the overlap, and a revoked one never again", async () => {
  const data = join(folder, "data");
  const [variable, old] = given["admin-key"];
  const one = await open(data, { [variable]: old });
  const { writtenTo } = await rotateSecret(one.context, one.book, { name: "admin-key" });
  const made = (await readFile(writtenTo ?? "", "utf8")).trim();
  expect(describeSecret(one.book, "admin-key")).toMatchObject({
    state: "waiting",
    next_step: `Set ADMIN_KEY to the content of ${writtenTo} and restart.`,
  });
  clock.advance(100 * 24 * 3_600_000);
  expect(one.book.match("admin-key", old)).not.toBeNull();
  await expect(rotateSecret(one.context, one.book, { name: "admin-key" })).rejects.toThrow(/waits already/);
  await expect(retireSecret(one.context, one.book, { name: "admin-key" })).rejects.toThrow(/still holds the former/);
  await close(one);
  const two = await open(data, { [variable]: made });
  expect(await waiting(data)).toEqual([]);
  expect(describeSecret(two.book, "admin-key")?.former).toHaveLength(1);
  expect(two.book.match("admin-key", old)).not.toBeNull();
  clock.advance(24 * 3_600_000);
  expect(two.book.match("admin-key", old)).toBeNull();
  await revokeSecret(two.context, two.book, { name: "admin-key" });
  expect(two.book.match("admin-key", made)).toBeNull();
  await close(two);
  const three = await open(data, { [variable]: made });
  expect(three.book.match("admin-key", made)).toBeNull();
  expect(describeSecret(three.book, "admin-key")?.state).toBe("waiting");
  await rm(join(data, "secrets", "next"), { recursive: true });
  await close(three);
  const four = await open(data, { [variable]: made });
  expect(four.book.match("admin-key", made)).toBeNull();
  expect(describeSecret(four.book, "admin-key")).toMatchObject({ state: "revoked" });
});

test.each(["rotate", "revoke"] as const)(
  "FR-016: an older file put back after %s is left as it is, starts go on, and recover makes a new value",
  async (change) => {
    const data = join(folder, "data");
    for (const name of ["api-key", "encryption-key"] as const) {
      const file = join(data, "secrets", name);
      const one = await open(data);
      const older = await readFile(file, "utf8");
      await changes[change]?.(one, name);
      await close(one);
      await writeFile(file, older);
      for (const start of [1, 2]) {
        const after = await open(data);
        expect([name, start, await readFile(file, "utf8")]).toEqual([name, start, older]);
        expect(after.book.match(name, older.trim()) !== null).toBe(change === "rotate");
        const told = { state: "revoked", next_step: expect.stringContaining(`secrets recover ${name}`) as string };
        expect(describeSecret(after.book, name)).toMatchObject(told);
        await close(after);
      }
      const last = await open(data);
      await recoverSecret(last.context, last.book, { name });
      await close(last);
      const again = await open(data);
      expect(again.book.match(name, (await readFile(file, "utf8")).trim())).toMatchObject({ state: "current" });
      await close(again);
    }
  },
);

test("FR-016: another value in the settings counts at once and the former one does not", async () => {
  const data = join(folder, "data");
  const one = await open(data, { API_KEY: "short-key" });
  expect(one.book.match("api-key", "short-key")).not.toBeNull();
  await close(one);
  const two = await open(data, { API_KEY: "another-key" });
  expect([two.book.match("api-key", "short-key"), two.book.match("api-key", "another-key")]).toEqual([
    null,
    expect.objectContaining({ state: "current" }),
  ]);
  expect(await rowsOf(two, "rotate_secret")).toBe(1);
  const stored = JSON.stringify(await two.context.database.prepareRead("SELECT * FROM secret_versions").all());
  expect(stored).not.toMatch(/short-key|another-key/);
});

test("FR-016: a new session secret loses no session that is used, and revoking it ends all", async () => {
  const data = join(folder, "data");
  const one = await open(data);
  const { token, id } = await createSession(one.context, { hint: null });
  const operator = await createAdminSession(one.context, { hint: null });
  await rotateSecret(one.context, one.book, { name: "session-secret" });
  clock.advance(10 * 60_000);
  expect(await checkSession(one.context, token)).toMatchObject({ id, renewed: true });
  await close(one);
  const two = await open(data);
  clock.advance(sessionLifetime - 60_000);
  expect(await checkSession(two.context, token)).toMatchObject({ id });
  await retireSecret(two.context, two.book, { name: "session-secret" });
  expect(await checkSession(two.context, token)).toMatchObject({ id });
  await revokeSecret(two.context, two.book, { name: "session-secret" });
  for (const one of [token, operator.token]) {
    await expect(checkSession(two.context, one)).rejects.toMatchObject({ code: "session_required" });
  }
});

test("sessions of an earlier release are taken over once, by the start that makes the secret", async () => {
  const data = join(folder, "data");
  const one = await open(data);
  const { token } = await createSession(one.context, { hint: null });
  const plain = (await import("node:crypto")).hash("sha256", token, "hex");
  const unkey = (id: string) =>
    one.context.database.write(async (tx) => {
      await tx
        .prepare("UPDATE sessions SET token_hash = ?, secret_id = NULL, session_id = NULL WHERE token_hash = ?")
        .run(plain, id);
    });
  await unkey(one.context.tokens.hash(token));
  await close(one);
  await rm(join(data, "secrets", "session-secret"));
  const two = await open(data);
  expect(await checkSession(two.context, token)).toMatchObject({ id: plain });
  await close(two);
  const three = await open(data);
  await three.context.database.write(async (tx) => {
    await tx.prepare("UPDATE sessions SET token_hash = ?, secret_id = NULL").run(plain);
  });
  await close(three);
  const four = await open(data);
  await expect(checkSession(four.context, token)).rejects.toMatchObject({ code: "session_required" });
});
