// The role that deploy/postgres makes: enough for a gateway, and nothing of the audit log can be changed with it.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type PostgresServer, sharedPostgres } from "../../testing/postgres-server.ts";
import { openPostgres, type PostgresDatabase } from "./postgres-database.ts";

const script = join(import.meta.dirname, "../../../../deploy/postgres/gateway-role.sql");
const genesis = "0".repeat(64);

let server: PostgresServer;
let owner: string;
let database: PostgresDatabase;

/** As psql does it. */
async function asPsql(role: string): Promise<string> {
  const text = await readFile(script, "utf8");
  return text
    .replace(/^SELECT format.*$/m, "")
    .replaceAll(':"role"', `"${role}"`)
    .replaceAll(":'role'", `'${role}'`);
}

beforeAll(async () => {
  server = await sharedPostgres();
  owner = await server.createDatabase();
  const url = await server.createUser("gateway", "right", owner);
  await server.query(owner, await asPsql(new URL(url).username));
  database = await openPostgres({ url });
});
afterAll(async () => {
  await database.close();
  await server.dropDatabase(owner);
});

const change = (sql: string) => database.write((tx) => tx.prepare(sql).run());
const addEvent = (id: number, previous: string, hash: string) =>
  change(`INSERT INTO audit_events (id, timestamp, actor_type, actor_id, source, action, outcome, details, correlation_id, previous_hash, hash)
    VALUES (${id}, 1, 'system', 's', 'x', 'y', 'success', '{}', 'c', '${previous}', '${hash}')`);

test("a gateway does its work with it", async () => {
  await change(`INSERT INTO tasks (id, model, type, mode, prompt, parameters, seed, catalog_version, status, stage, created_at, updated_at)
    VALUES ('1', 'm', 'image', 'txt2img', 'a boat', '{}', 1, '1', 'pending', 'queued', 1, 1)`);
  await change("UPDATE tasks SET status = 'processing', prompt = 'a ship' WHERE id = '1'");
  await change("DELETE FROM tasks WHERE id = '1'");
  await change("INSERT INTO events (task_id, type, data, created_at) VALUES ('1', 'x', '{}', 1)");
  await addEvent(1, genesis, "h1");
  await addEvent(2, "h1", "h2");
  expect(await database.prepareRead("SELECT id, rows FROM audit_head").get()).toEqual({ id: 2, rows: 2 });
});

test.each([
  "UPDATE audit_events SET details = '{}'",
  "DELETE FROM audit_events",
  "TRUNCATE audit_events",
  "UPDATE audit_head SET hash = 'x'",
  "DELETE FROM audit_head",
  "UPDATE audit_checkpoints SET hash = 'x'",
  "UPDATE audit_pruning SET last_id = 9",
  "UPDATE migrations SET checksum = 'x'",
  "ALTER TABLE audit_events DISABLE TRIGGER ALL",
  "DROP TRIGGER audit_events_updating ON audit_events",
  "DROP TABLE audit_events",
  "CREATE OR REPLACE FUNCTION audit_events_deleting() RETURNS TRIGGER LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
])("%s", async (sql) => {
  await expect(change(sql)).rejects.toThrow(/permission denied|must be owner/);
});

test("what a signed checkpoint lets go, goes without a right to delete", async () => {
  await expect(change("INSERT INTO audit_pruning VALUES (1)")).rejects.toThrow("without a checkpoint");
  await change("INSERT INTO audit_checkpoints VALUES (1, 'prune', 1, 1, 'h1', 1, 'p', 'key', 'signature')");
  await change("INSERT INTO audit_pruning VALUES (1)");
  await change("DELETE FROM audit_pruning");
  expect(await database.prepareRead("SELECT id FROM audit_events").all()).toEqual([{ id: 2 }]);
});
