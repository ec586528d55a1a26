import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningServer, startServer } from "@safelight/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CommandRun, runHere } from "../testing/command.ts";

let folder: string;
let server: RunningServer;

const run = (...parameters: string[]): Promise<CommandRun> =>
  runHere(parameters, { DATA_DIR: join(folder, "data") }, folder);
const actions = async () =>
  (
    await server.context.database.prepareRead("SELECT action, actor_type, details FROM audit_events ORDER BY id").all()
  ).map((row) => ({ ...row }));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "safelight-backups-"));
  server = await startServer({ PORT: "0", DATA_DIR: join(folder, "data"), LOG_LEVEL: "silent" });
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

describe("safelight backup and restore", () => {
  test("beside a running server, which notes it; checked, and restored elsewhere", async () => {
    await mkdir(join(folder, "backups"));
    const made = await run("backup", "backups");
    expect(made).toMatchObject({ code: 0, text: expect.stringContaining("Secrets are not in it") });
    expect(made.stderr).not.toContain("note:");
    const [name = ""] = await readdir(join(folder, "backups"));
    expect(name).toMatch(/^safelight-dev-\d{4}-\d\d-\d\d-\d{6}$/);
    expect(await actions()).toContainEqual({
      action: "make_backup",
      actor_type: "admin",
      details: '{"with_secrets":false}',
    });
    const backup = join("backups", name);
    expect(await run("restore", backup, "--check")).toMatchObject({
      code: 0,
      text: expect.stringMatching(/^The backup holds\.\n/),
    });
    expect(await run("restore", backup, "--replace")).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/in use by a server/),
    });
    expect(await run("restore", backup, "--data-dir", "other")).toMatchObject({
      code: 0,
      text: expect.stringContaining("sessions were ended. Start the server, then run: safelight smoke"),
    });
    expect(await run("restore", backup, "--data-dir", "other")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("--replace"),
    });
  });

  test("on PostgreSQL both refuse, and name what to use", async () => {
    const onPostgres = (...parameters: string[]) =>
      runHere(parameters, { DATA_DIR: join(folder, "data"), DATABASE_URL_FILE: "/run/secrets/url" }, folder);
    expect(await onPostgres("backup", "anywhere")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("pg_dump"),
    });
    expect(await onPostgres("restore", "x")).toMatchObject({ code: 2, stderr: expect.stringContaining("pg_restore") });
  });

  test("as one file, with secrets, told as JSON", async () => {
    const { code, text } = await run("backup", "whole.tar", "--with-secrets", "--json");
    const { backup, manifest } = JSON.parse(text) as { backup: string; manifest: { secrets: { included: string[] } } };
    expect([code, backup]).toEqual([0, join(folder, "whole.tar")]);
    expect(manifest.secrets.included).toContain("api-key");
    expect((await run("restore", "whole.tar", "--data-dir", "third", "--json")).code).toBe(0);
    expect(await readFile(join(folder, "third/secrets/api-key"), "utf8")).toBe(
      await readFile(join(folder, "data/secrets/api-key"), "utf8"),
    );
  });

  test.each([
    [["backup", "whole.tar"], 2, /there already/],
    [["backup", "nowhere/b"], 2, /does not exist/],
    [["backup", "b", "--data-dir", "empty"], 1, /holds no installation/],
    [["restore", "nothing", "--data-dir", "fourth"], 1, /is not there/],
    [["restore", "data/secrets/api-key", "--check"], 1, /no backup|cannot be read/],
    [["backup"], 2, /usage/],
  ] as const)("what cannot be is told in one line: %j", async (parameters, code, complaint) => {
    const ended = await run(...parameters);
    expect(ended).toMatchObject({ code, stderr: expect.stringMatching(complaint) });
    expect(ended.stderr.trim().split("\n")).toHaveLength(1);
  });
});
