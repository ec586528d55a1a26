import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startServer } from "@safelight/server";
import { type PostgresServer, sharedPostgres } from "@safelight/server/testing/postgres-server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runHere } from "../testing/command.ts";

let folder: string;
let postgres: PostgresServer;
let url = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "safelight-migrate-"));
  postgres = await sharedPostgres();
  url = await postgres.createDatabase({ empty: true });
  await (await startServer({ PORT: "0", DATA_DIR: join(folder, "data"), LOG_LEVEL: "silent" })).close();
});
afterAll(async () => {
  await postgres.dropDatabase(url);
  await rm(folder, { recursive: true, force: true });
});

const run = (parameters: readonly string[], more: Record<string, string> = {}) =>
  runHere(["migrate", ...parameters], { DATA_DIR: join(folder, "data"), ...more }, folder);

test("says what was copied and what gateways need, and never a secret", async () => {
  const file = join(folder, "database-url");
  await writeFile(file, `${url}\n`);
  const made = await run(["--to-file", file], { ADMIN_KEY: "an-admin-key-of-the-settings" });
  expect(made.code).toBe(0);
  expect(made.text).toMatch(/^Copied to 127\.0\.0\.1:\d+, database \w+, and compared row by row:\n/);
  expect(made.text).toMatch(/\n {2}audit_events +\d+ rows {2}sha256 [0-9a-f]{16}…\n/);
  expect(made.text).toContain(
    `\n  API_KEY_FILE=${join(folder, "data", "secrets", "api-key")}\n  ADMIN_KEY: as it is set now\n`,
  );
  expect(made.text).toContain("Media stayed where it is");
  expect(made.text + made.stderr).not.toMatch(/sl_dev_|an-admin-key/);
  const again = await run([], { DATABASE_URL: url });
  expect(again).toMatchObject({ code: 3, stderr: expect.stringMatching(/holds an installation already.*\n$/) });
});

test.each([
  [["--to", "x", "--to-file", "y"], 2, "either --to or --to-file"],
  [["--to-file", "nowhere"], 2, "ENOENT"],
  [[], 2, "Say where to"],
  [["--to", "mysql://localhost/x"], 3, "is not an address"],
  [["--to", "postgres://nobody@127.0.0.1:1/x"], 3, "cannot be reached"],
  [["--to", "postgres://nobody@127.0.0.1:1/x", "--media", "https://bucket"], 3, "MEDIA_URL"],
  [["--to", "postgres://nobody@127.0.0.1:1/x", "--data-dir", "empty"], 3, "holds no safelight.sqlite"],
])("%s is refused in one line", async (parameters, code, line) => {
  const refused = await run(parameters);
  expect(refused).toMatchObject({ code, stderr: expect.stringContaining(line) });
  expect(refused.stderr.trim()).not.toContain("\n");
});
