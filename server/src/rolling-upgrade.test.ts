// Two releases beside each other on one database: a gateway that lacks the newest step of the schema, and one that makes it.
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { postgresMigrations } from "./database/postgres/migrations/all.ts";
import { openPostgres } from "./database/postgres/postgres-database.ts";
import { silentLog } from "./log.ts";
import { startServer } from "./main.ts";
import { sharedPostgres } from "./testing/postgres-server.ts";

/** What an older release writes: it knows nothing of what was added since. */
const writeAsBefore =
  "INSERT INTO events (task_id, type, data, created_at) VALUES ('0195a3c2-7f10-7c3e-8a52-000000000001', 'task.deleted', ?, 1) RETURNING id";
const data = JSON.stringify({ task_id: "0195a3c2-7f10-7c3e-8a52-000000000001" });

test("an older gateway serves on while a newer one adds to the schema, is heard by it, and starts again beside it", async () => {
  const postgres = await sharedPostgres();
  const url = await postgres.createDatabase({ empty: true });
  const folder = await mkdtemp(join(tmpdir(), "safelight-upgrade-"));
  const olderSteps = postgresMigrations.slice(0, -1);
  const older = await openPostgres({ url, migrations: olderSteps });
  const settings = { DATA_DIR: folder, DATABASE_URL: url, PORT: "0", EMBEDDED_ENGINE: "off", ...secrets };
  const newer = await startServer(settings, { log: silentLog() });
  try {
    expect(await steps(older)).toBe(postgresMigrations.length);
    await older.look();
    expect(older.isUsable()).toBe(true);

    const over = new AbortController();
    const headers = { "x-api-key": secrets.API_KEY, "last-event-id": "0" };
    const stream = await fetch(`${newer.url}/events`, { headers, signal: over.signal });
    const heard = readUntil(stream, data);
    const written = await older.write((tx) => tx.prepare(writeAsBefore).get(data));
    expect(await heard).toContain(`id: ${Number(written?.["id"])}\nevent: task.deleted\n`);
    over.abort();

    const again = await openPostgres({ url, migrations: olderSteps });
    await again.write((tx) =>
      tx.prepare("INSERT INTO settings (key, value) VALUES ('kept', 'by the older one')").run(),
    );
    await again.close();
    expect(await newer.context.database.prepareRead("SELECT value FROM settings WHERE key = 'kept'").get()).toEqual({
      value: "by the older one",
    });
  } finally {
    await older.close();
    await newer.close();
    await postgres.dropDatabase(url);
    await rm(folder, { recursive: true, force: true });
  }
});

test("no step that only adds asks an older release for a value that it does not know of", async () => {
  const postgres = await sharedPostgres();
  const [before, after] = [await postgres.createDatabase({ empty: true }), await postgres.createDatabase()];
  // The first three are one schema; whatever follows is added to what gateways are running on.
  await (await openPostgres({ url: before, migrations: postgresMigrations.slice(0, 3) })).close();
  const demanding = `SELECT table_name || '.' || column_name AS name FROM information_schema.columns
    WHERE table_schema = 'public' AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO' ORDER BY 1`;
  const tables = new Set(
    (await postgres.query(before, "SELECT table_name AS name FROM information_schema.tables")).map(({ name }) => name),
  );
  const known = new Set((await postgres.query(before, demanding)).map(({ name }) => name));
  const added = (await postgres.query(after, demanding)).filter(
    ({ name }) => tables.has(String(name).split(".")[0]) && !known.has(name),
  );
  expect(added).toEqual([]);
  for (const url of [before, after]) await postgres.dropDatabase(url);
});

const secrets = {
  API_KEY: "of-this-test-alone-api-0123456789abcdef",
  ADMIN_KEY: "of-this-test-alone-admin-0123456789abc",
  ENCRYPTION_KEY: Buffer.alloc(32, "of this test alone").toString("base64"),
  SESSION_SECRET: "of-this-test-alone-session-0123456789abcdef",
  AUDIT_KEY: generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "der" }).toString("base64"),
};

async function steps(database: Awaited<ReturnType<typeof openPostgres>>): Promise<number> {
  return Number((await database.prepareRead("SELECT count(*) AS n FROM migrations").get())?.["n"]);
}

async function readUntil(response: Response, wanted: string): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const piece of response.body ?? []) {
    text += decoder.decode(piece as Uint8Array, { stream: true });
    if (text.includes(wanted)) break;
  }
  return text;
}
