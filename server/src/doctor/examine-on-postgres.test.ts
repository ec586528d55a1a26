import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startServer } from "../main.ts";
import { type PostgresServer, sharedPostgres } from "../testing/postgres-server.ts";
import { examine } from "./examine.ts";
import type { Finding } from "./finding.ts";

let postgres: PostgresServer;
let url = "";
let folder = "";
beforeAll(async () => {
  postgres = await sharedPostgres();
  url = await postgres.createDatabase({ empty: true });
  folder = await mkdtemp(join(tmpdir(), "safelight-doctor-postgres-"));
});
afterAll(async () => {
  await postgres.dropDatabase(url);
  await rm(folder, { recursive: true, force: true });
});

async function look(address = url): Promise<Finding[]> {
  const settings = { DATA_DIR: join(folder, "data"), PORT: "0", DATABASE_URL: address };
  const findings: Finding[] = [];
  for await (const finding of examine(settings, { reach: false })) findings.push(finding);
  return findings;
}
const of = (findings: readonly Finding[], check: string) => findings.find((finding) => finding.check === check);

test("on PostgreSQL the doctor looks at the database, its schema, its time and the audit log", async () => {
  expect(of(await look(), "database")).toMatchObject({ state: "warning", detail: expect.stringContaining("is empty") });
  const server = await startServer({
    DATA_DIR: join(folder, "data"),
    PORT: "0",
    DATABASE_URL: url,
    LOG_LEVEL: "silent",
  });
  await server.close();
  const sound = await look();
  expect(sound.filter(({ state, check }) => state !== "ok" && check !== "page")).toEqual([]);
  expect(of(sound, "database")?.detail).toMatch(/^127\.0\.0\.1:\d+, database \w+, PostgreSQL \d+.*B\.$/);
  expect(of(sound, "clock")?.detail).toContain("as the database has it");
  expect(of(sound, "audit log")?.detail).toMatch(/^\d+ rows hold/);

  await postgres.query(
    url,
    "INSERT INTO migrations (number, name, checksum, breaking, applied_at) VALUES (900, 'later', 'x', 0, 0)",
  );
  expect(of(await look(), "schema")).toMatchObject({
    state: "warning",
    detail: expect.stringContaining("newer release"),
  });
  await postgres.query(url, "UPDATE migrations SET checksum = 'x' WHERE number = 2");
  expect(of(await look(), "schema")).toMatchObject({ state: "problem", detail: expect.stringContaining("Step 2") });
  expect(of(await look(`${url}_gone`), "database")).toMatchObject({
    state: "problem",
    detail: expect.stringContaining("does not exist"),
  });
});
