// What deploy/compose runs once before the first gateway, on a real PostgreSQL server and a real S3 server: the role that it makes is enough for
// the server's schema and no more, the bucket is made where it is missing.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openPostgres } from "../../server/src/database/postgres/postgres-database.ts";
import { createLog } from "../../server/src/log.ts";
import { startPostgres } from "../../server/src/testing/postgres-server.ts";
import { startS3Server } from "../../server/src/testing/s3-server.ts";

const root = join(import.meta.dirname, "../..");

test("the role of the gateways can bring its database to their schema, and is nobody's master", async () => {
  const server = await startPostgres();
  try {
    const script = readFileSync(join(root, "deploy/compose/make-database.sh"), "utf8");
    const sql = /<<'SQL'\n([\s\S]+)\nSQL\n/.exec(script)?.[1] ?? "";
    // The test's own superuser has the name that the script gives.
    const statements = sql
      .replaceAll(/\bsafelight\b/g, "gateways")
      .replaceAll(":'password'", "'a secret of the test'")
      .split(";\n");
    expect(statements.length).toBeGreaterThan(2);
    for (const statement of statements) await server.query(server.url("postgres"), statement);
    const roles = await server.query(
      server.url("postgres"),
      "SELECT rolsuper, rolcreaterole, rolcreatedb, rolcanlogin, left(rolpassword, 13) AS kept FROM pg_authid WHERE rolname = 'gateways'",
    );
    expect(roles).toEqual([
      { rolsuper: false, rolcreaterole: false, rolcreatedb: false, rolcanlogin: true, kept: "SCRAM-SHA-256" },
    ]);
    const url = new URL(server.url("gateways"));
    url.username = "gateways";
    const database = await openPostgres({ url: url.href, log: createLog({ level: "silent" }) });
    await database.close();
    const [tables] = await server.query(
      server.url("gateways"),
      "SELECT count(*)::int AS many FROM pg_tables WHERE tableowner = 'gateways' AND tablename IN ('tasks', 'events')",
    );
    expect(tables).toEqual({ many: 2 });
  } finally {
    await server.stop();
  }
});

test("the bucket is made once, with keys from a file and the client of the server", async () => {
  const server = await startS3Server();
  const folder = mkdtempSync(join(tmpdir(), "safelight-bucket-"));
  try {
    const { MEDIA_URL, AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: key } = server.environment;
    const keys = join(folder, "s3-credentials");
    writeFileSync(keys, `[default]\naws_access_key_id = ${id}\naws_secret_access_key = ${key}\n`, { mode: 0o600 });
    const make = (mediaUrl: string) =>
      runAside(["deploy/images/make-bucket.mjs"], {
        MEDIA_URL: mediaUrl,
        AWS_SHARED_CREDENTIALS_FILE: keys,
        AWS_EC2_METADATA_DISABLED: "true",
        PATH: "/usr/bin:/bin",
        HOME: folder,
      });
    await server.removeBucket();
    expect(await make(MEDIA_URL)).toEqual([0, `Made the bucket ${server.bucket}.\n`]);
    expect(await make(MEDIA_URL)).toEqual([0, `The bucket ${server.bucket} is there.\n`]);
    expect((await make("https://elsewhere.example/"))[0]).toBe(1);
  } finally {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

/** In a process beside this one, which answers it. */
async function runAside(words: readonly string[], env: Record<string, string>): Promise<[number | null, string]> {
  const child = spawn(process.execPath, [...words], { cwd: root, env, stdio: ["ignore", "pipe", "ignore"] });
  let said = "";
  child.stdout.on("data", (piece: Buffer) => (said += piece.toString()));
  await once(child, "close");
  return [child.exitCode, said];
}
