/** Secrets of an installation with several gateways: what one of them changes counts at all of them. */
import { hash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { channels } from "../gateways/channels.ts";
import type { Follower } from "../gateways/follower.ts";
import type { Presence } from "../gateways/presence.ts";
import { ChangingKeyring } from "../keys/keyring.ts";
import { openSecretBook } from "../sessions/open-secret-book.ts";
import { joinOthers, openGateway, type TestGateway } from "../testing/gateway.ts";
import { sharedPostgres } from "../testing/postgres-server.ts";
import { retireSecret, revokeSecret, rotateSecret } from "./change-secret.ts";
import { describeSecret } from "./describe-secrets.ts";
import { followSecrets } from "./follow-secrets.ts";
import { type FoundSecret, resolveSecrets } from "./resolve-secrets.ts";
import type { SecretBook } from "./secret-book.ts";

interface Opened extends TestGateway {
  readonly presence: Presence;
  readonly book: SecretBook;
  readonly followed: Follower;
  /** How often the book has said that something may have ended. */
  readonly changes: () => number;
}

let url: string;
const opened: Opened[] = [];
beforeEach(async () => {
  url = await (await sharedPostgres()).createDatabase();
});
afterEach(async () => {
  for (const one of opened.splice(0)) await close(one);
  await (await sharedPostgres()).dropDatabase(url);
});

const drawn = (name: string) => hash("sha256", name, "buffer").toString("base64");
const usual = {
  API_KEY: `sl_dev_${hash("sha256", "api", "hex")}`,
  ADMIN_KEY: `sl_dev_${hash("sha256", "admin", "hex")}`,
  ENCRYPTION_KEY: drawn("encryption"),
  SESSION_SECRET: drawn("session"),
};

async function open(environment: Readonly<Record<string, string>> = {}): Promise<Opened> {
  const gateway = await openGateway(url, { environment: { ...usual, ...environment } });
  try {
    const { context, tokens } = gateway;
    const secrets = await resolveSecrets(context.config);
    const keyring = new ChangingKeyring([secrets.encryptionKey]);
    const found = [...Object.values(secrets.found), ...givenPassword(context.config.accessPassword)];
    const book = await openSecretBook({ context, found, tokens, keyring }, () => Promise.resolve(0));
    const presence = await joinOthers(context);
    let changes = 0;
    book.changed = () => void (changes += 1);
    const one = { ...gateway, presence, book, followed: followSecrets(book), changes: () => changes };
    opened.push(one);
    return one;
  } catch (error) {
    await gateway.close();
    throw error;
  }
}

function givenPassword(value: string | null): FoundSecret[] {
  if (value === null) return [];
  const place = { source: "environment", variable: "ACCESS_PASSWORD", file: null } as const;
  return [{ name: "access-password", ...place, values: [value], waiting: [], writtenAt: null, isNew: false }];
}

async function close(one: Opened): Promise<void> {
  await one.followed.stop();
  await one.presence.leave();
  await one.close();
}

async function stop(one: Opened): Promise<void> {
  opened.splice(opened.indexOf(one), 1);
  await close(one);
}

describe("FR-023: what one gateway revokes is dead at the others", () => {
  test("an API key, and open streams are looked at again", async () => {
    const [one, other] = [await open(), await open()];
    const { id, key } = await one.book.apiKeys.create(one.context, { name: "front-desk" });
    await expect.poll(() => other.book.findApiKey(key)).toMatchObject({ scope: "generate" });
    const before = other.changes();
    await one.book.apiKeys.revoke(one.context, id, async () => undefined);
    await expect.poll(() => other.book.findApiKey(key)).toEqual({ dead: "revoked", name: "front-desk" });
    expect(other.book.isStillGood(`api-key:${id}`)).toBe(false);
    expect(other.changes()).toBeGreaterThan(before);
  });

  test("one that another gateway has made can be revoked before this one has heard of it", async () => {
    const [one, other] = [await open(), await open()];
    await other.followed.stop();
    const { id, key } = await one.book.apiKeys.create(one.context, { name: "front-desk" });
    expect(await other.book.apiKeys.revoke(other.context, id, async () => undefined)).toMatchObject({
      state: "revoked",
    });
    await expect.poll(() => one.book.findApiKey(key)).toEqual({ dead: "revoked", name: "front-desk" });
  });

  test("the key of the settings", async () => {
    const [one, other] = [await open(), await open()];
    await revokeSecret(one.context, one.book, { name: "api-key" });
    await expect.poll(() => other.book.findApiKey(usual.API_KEY)).toEqual({ dead: "revoked", name: "api-key" });
  });

  test("where the word of it was lost it is dead all the same within seconds", async () => {
    const [one, other] = [await open(), await open()];
    const { id, key } = await one.book.apiKeys.create(one.context, { name: "front-desk" });
    await expect.poll(() => other.book.findApiKey(key)).not.toBeNull();
    const server = await sharedPostgres();
    await server.query(url, `UPDATE api_keys SET revoked_at = 1 WHERE id = '${id}'`);
    await expect.poll(() => other.book.findApiKey(key)).toEqual({ dead: "revoked", name: "front-desk" });
  });

  test("where something may have been missed nobody is let in until it was looked", async () => {
    const { followed } = await open();
    await expect.poll(() => followed.isUpToDate).toBe(true);
    const server = await sharedPostgres();
    await server.query(
      url,
      "ALTER TABLE secret_versions RENAME TO out_of_reach; SELECT pg_notify('safelight_secrets', '')",
    );
    await expect.poll(() => followed.isUpToDate).toBe(false);
    await server.query(url, "ALTER TABLE out_of_reach RENAME TO secret_versions");
    await expect.poll(() => followed.isUpToDate).toBe(true);
  });
});

describe("a key is changed while several gateways run", () => {
  test("what one makes counts at the others beside the old one, and a restart with it ends the old one later", async () => {
    const [one, other] = [await open(), await open()];
    await rotateSecret(one.context, one.book, { name: "api-key" });
    const made = one.book.currentValue("api-key") ?? "";
    expect(made).not.toBe(usual.API_KEY);
    await expect.poll(() => other.book.findApiKey(made)).toMatchObject({ scope: "generate" });
    expect(other.book.findApiKey(usual.API_KEY)).toMatchObject({ scope: "generate" });
    expect(describeSecret(other.book, "api-key")).toMatchObject({
      state: "waiting",
      next_step: expect.stringContaining("which the gateway that made it keeps"),
    });
    await stop(other);
    // One after the other: one more with the old value may start in between, and one with the new one.
    const [late, restarted] = [await open(), await open({ API_KEY: made })];
    for (const { book } of [one, late, restarted]) {
      await expect.poll(() => book.former("api-key")[0]?.acceptedUntil).not.toBeNull();
      expect(book.findApiKey(made)).toMatchObject({ scope: "generate" });
      expect(book.findApiKey(usual.API_KEY)).toMatchObject({ scope: "generate" });
    }
    await retireSecret(restarted.context, restarted.book, { name: "api-key" });
    await expect.poll(() => late.book.findApiKey(usual.API_KEY)).toEqual({ dead: "retired", name: "api-key" });
    await expect(open()).rejects.toThrow(/^API_KEY: differs from that of this installation/);
  });

  test.each(["session-secret", "encryption-key"])(
    "%s cannot be made by one of them: it says what to do, and nothing changes",
    async (name) => {
      const one = await open();
      const before = one.book.currentValue(name);
      for (const change of [rotateSecret, revokeSecret]) {
        await expect(change(one.context, one.book, { name })).rejects.toMatchObject({
          code: "validation_failed",
          message: expect.stringContaining("restart gateway after gateway"),
        });
      }
      expect(one.book.currentValue(name)).toBe(before);
      expect(one.book.versions(name)).toHaveLength(1);
    },
  );

  test("the encryption key, in two steps of restarts: every gateway reads what any of them writes", async () => {
    const next = drawn("next encryption");
    const [old, both] = [usual.ENCRYPTION_KEY, `${usual.ENCRYPTION_KEY},${next}`];
    const place = { table: "worker_accounts", row: "one", column: "token_id" };
    let [one, other] = [await open(), await open()];
    await stop(one);
    one = await open({ ENCRYPTION_KEY: both });
    expect(one.book.currentValue("encryption-key")).toBe(old);
    await stop(other);
    other = await open({ ENCRYPTION_KEY: both });
    await stop(one);
    one = await open({ ENCRYPTION_KEY: `${next},${old}` });
    expect(one.book.currentValue("encryption-key")).toBe(next);
    await expect.poll(() => other.book.currentValue("encryption-key")).toBe(next);
    const sealed = one.book.parts.keyring.encrypt("a token", place);
    expect(other.book.parts.keyring.decrypt(sealed, place)).toBe("a token");
    await expect(open()).rejects.toThrow(/^ENCRYPTION_KEY: differs .* put it after the one in force/);
  });
});

describe("a gateway that was given other secrets than those that run", () => {
  test("is refused by the names of the settings, and nothing of what counts changes", async () => {
    const one = await open({ ACCESS_PASSWORD: "the garden gate" });
    const before = await one.database.prepareRead("SELECT * FROM secret_versions ORDER BY name").all();
    const other = { API_KEY: `sl_dev_${hash("sha256", "another", "hex")}`, SESSION_SECRET: drawn("another") };
    await expect(open(other)).rejects.toThrow(/^API_KEY: differs .*\nSESSION_SECRET: differs /);
    expect(await one.database.prepareRead("SELECT * FROM secret_versions ORDER BY name").all()).toEqual(before);
  });

  test.each(["ENCRYPTION_KEY", "SESSION_SECRET"] as const)(
    "also where the one in force stands behind one that the others do not know: %s",
    async (setting) => {
      const one = await open();
      const name = setting === "ENCRYPTION_KEY" ? "encryption-key" : "session-secret";
      await expect(open({ [setting]: `${drawn("unknown to others")},${usual[setting]}` })).rejects.toThrow(
        new RegExp(`^${setting}: differs .* put it after the one in force`),
      );
      await one.book.reload();
      expect(one.book.currentValue(name)).toBe(one.book.found(name)?.values[0]);
    },
  );

  test("also where that one was retired: it does not come into force again", async () => {
    const next = drawn("next session");
    await stop(await open({ SESSION_SECRET: `${usual.SESSION_SECRET},${next}` }));
    const one = await open({ SESSION_SECRET: `${next},${usual.SESSION_SECRET}` });
    await stop(one);
    const other = await open({ SESSION_SECRET: next });
    await retireSecret(other.context, other.book, { name: "session-secret" });
    await expect(open({ SESSION_SECRET: `${usual.SESSION_SECRET},${next}` })).rejects.toThrow(
      /^SESSION_SECRET: differs /,
    );
    await other.book.reload();
    expect(other.book.currentValue("session-secret")).toBe(next);
  });

  test("also where it was given none and would let everybody in", async () => {
    const one = await open();
    await one.database.write((tx) =>
      tx
        .prepare(
          "INSERT INTO secret_versions (name, fingerprint, state, source, made_at) VALUES ('access-password', 'x', 'current', 'environment', 1)",
        )
        .run(),
    );
    await expect(open()).rejects.toThrow(/^ACCESS_PASSWORD: is not set/);
    await stop(one);
    // Nobody else runs: it was taken away.
    await open();
    await open();
  });

  test("also where the others have no password, and would go on letting everybody in", async () => {
    const one = await open();
    const password = { ACCESS_PASSWORD: "the garden gate" };
    await expect(open(password)).rejects.toThrow(/^ACCESS_PASSWORD: differs .* stop all gateways first/);
    await stop(one);
    await open(password);
    await open(password);
  });

  test("also while the others are still starting: the first that came has said what counts", async () => {
    const one = await open();
    await one.database.write((tx) => tx.prepare("UPDATE gateways SET url = NULL").run());
    await expect(open({ SESSION_SECRET: drawn("another") })).rejects.toThrow(/^SESSION_SECRET: differs /);
    await open();
  });

  test("takes its value into force where no other runs, as a single one does", async () => {
    await stop(await open());
    const key = `sl_dev_${hash("sha256", "another", "hex")}`;
    const { book } = await open({ API_KEY: key });
    expect(book.findApiKey(key)).toMatchObject({ scope: "generate" });
    expect(book.findApiKey(usual.API_KEY)).toEqual({ dead: "retired", name: "api-key" });
  });
});

test("nothing is said of the use of a key, which every gateway writes down for itself", async () => {
  const [one, other] = [await open(), await open()];
  const { id, key } = await one.book.apiKeys.create(one.context, { name: "front-desk" });
  await expect.poll(() => other.book.findApiKey(key)).not.toBeNull();
  let heard = 0;
  one.database.listen(channels.apiKeys, () => void (heard += 1));
  await other.book.apiKeys.writeUses();
  await one.followed.look();
  expect(one.book.apiKeys.list()).toMatchObject([{ id, last_used_at: expect.any(String) }]);
  // Said after it, and heard after it.
  await other.book.apiKeys.revoke(other.context, id, async () => undefined);
  await expect.poll(() => heard).toBe(1);
});
