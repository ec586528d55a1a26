import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { readConfig } from "../config.ts";
import type { Database } from "../database/database.ts";
import { openPostgres } from "../database/postgres/postgres-database.ts";
import { StartupError } from "../errors.ts";
import { silentLog } from "../log.ts";
import { type PostgresServer, sharedPostgres } from "../testing/postgres-server.ts";
import { joinGateways, livingFor, livingGateways } from "./presence.ts";

let postgres: PostgresServer;
let database: Database;
let url = "";
let folder = "";
/** What the database's time is taken for. */
let now = 1_800_000_000_000;
beforeAll(async () => {
  postgres = await sharedPostgres();
  url = await postgres.createDatabase();
  database = await openPostgres({ url });
  folder = await mkdtemp(join(tmpdir(), "safelight-presence-"));
});
afterAll(async () => {
  await database.close();
  await postgres.dropDatabase(url);
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await postgres.query(url, "DELETE FROM gateways");
});

const clock = { now: () => now, steady: () => now };
const bucket = (name: string) => ({ MEDIA_URL: `s3://${name}/media?region=eu-north-1` });

const enter = (instance: string, settings: Record<string, string>, version = "1.0.0") =>
  joinGateways(
    { clock, config: readConfig({ DATA_DIR: folder, ...settings }), database, instance, log: silentLog() },
    version,
  );
const living = async () =>
  (await livingGateways(database, now)).map(({ instance, version, url }) => [instance, version, url]);

test("gateways with one bucket see each other, with versions and addresses, until they leave or fall silent", async () => {
  const one = await enter("one", bucket("pictures"), "1.0.0");
  now += 1;
  const two = await enter("two", { MEDIA_URL: "s3://pictures/media/?endpoint=http://10.0.0.7:7070" }, "1.1.0");
  await two.announce("http://127.0.0.1:8601");
  expect(await living()).toEqual([
    ["one", "1.0.0", null],
    ["two", "1.1.0", "http://127.0.0.1:8601"],
  ]);
  await one.leave();
  expect(await living()).toEqual([["two", "1.1.0", "http://127.0.0.1:8601"]]);
  // As if it had been killed.
  now += livingFor;
  expect(await living()).toEqual([]);
  await two.leave();
});

test("a gateway with another bucket, or with a folder of its own, does not start beside one that lives", async () => {
  const one = await enter("one", bucket("pictures"));
  await expect(enter("two", bucket("others"))).rejects.toThrow(
    /^MEDIA_URL: another gateway on this database keeps its media in s3:\/\/pictures\/media, this one .* s3:\/\/others\/media; /,
  );
  await expect(enter("three", {})).rejects.toBeInstanceOf(StartupError);
  expect(await living()).toHaveLength(1);
  now += livingFor;
  const three = await enter("three", {});
  // The same folder again: whoever used it before was killed, as its lock says.
  const again = await enter("four", {});
  await expect(enter("five", { DATA_DIR: tmpdir() })).rejects.toThrow(folder);
  await Promise.all([one, three, again].map((presence) => presence.leave()));
});

test("a database that only one can have hears nothing of it", async () => {
  const alone = {
    ...database,
    shared: false,
    write: () => Promise.reject(new Error("written")),
  } as unknown as Database;
  const context = { clock, config: readConfig({ DATA_DIR: folder }), database: alone, instance: "x", log: silentLog() };
  const presence = await joinGateways(context, "1.0.0");
  await presence.announce("http://127.0.0.1:1");
  await presence.leave();
});
