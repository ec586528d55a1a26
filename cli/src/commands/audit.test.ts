import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningServer, startServer } from "@safelight/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CommandRun, runCommand } from "../testing/command.ts";

let folder: string;
let server: RunningServer;
let lines: string[];

const run = (...parameters: string[]): Promise<CommandRun> =>
  runCommand(["audit", ...parameters], { DATA_DIR: join(folder, "data") }, folder);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "safelight-audit-"));
  const log = join(folder, "data");
  server = await startServer({ PORT: "0", DATA_DIR: log, LOG_LEVEL: "silent" });
  const saved = await run("export", "log.ndjson");
  expect(saved.stderr).toContain("audit verify log.ndjson");
  lines = (await readFile(join(folder, "log.ndjson"), "utf8")).trimEnd().split("\n");
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const parsed = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);
const publicKey = () => (parsed()[0]?.public_keys as { public_key: string }[] | undefined)?.[0]?.public_key ?? "";

describe("FR-022: safelight audit", () => {
  test("an export holds, and what had to be believed is said", async () => {
    const { code, text } = await run("verify", "log.ndjson");
    expect(code).toBe(0);
    expect(text).toMatch(/^The audit log holds\.\n3 rows hold, 1 to 3; 2 checkpoints hold\n/);
    expect(text).toContain("give --public-key");
    expect(text).toContain("give --checkpoint");
    expect(text).toContain("cannot show: Whoever holds the database and the signing key");
    expect((await readdir(folder)).sort()).toEqual(["data", "log.ndjson"]);
  });

  test("beside the key and a checkpoint kept elsewhere, given as text, as a file and as a line of the log", async () => {
    await writeFile(join(folder, "key.txt"), `${publicKey()}\n`);
    const checkpoints = parsed().filter(({ type }) => type === "checkpoint");
    await writeFile(join(folder, "kept.json"), JSON.stringify(checkpoints[0], null, 2));
    await writeFile(
      join(folder, "server.log"),
      `{"msg":"listening"}\n${JSON.stringify({ msg: "audit checkpoint", checkpoint: checkpoints[1] })}\n`,
    );
    const { code, text } = await run(
      "verify",
      "log.ndjson",
      "--public-key",
      "key.txt",
      "--public-key",
      publicKey(),
      "--checkpoint",
      "kept.json",
      "--checkpoint",
      "server.log",
      "--checkpoint",
      JSON.stringify(checkpoints[1]),
    );
    expect({ code, text }).toEqual({ code: 0, text: expect.stringContaining("(given)") });
    expect(text.match(/kept elsewhere: Checkpoint \d is the one kept/g)).toHaveLength(3);
    expect(text).not.toContain("note:");
  });

  test("the first broken row is named, with the exit code 1", async () => {
    const at = lines.findIndex((line) => line.includes('"id":2,'));
    const changed = (lines[at] ?? "").replace('"success"', '"failure"');
    await writeFile(join(folder, "changed.ndjson"), `${lines.with(at, changed).join("\n")}\n`);
    const { code, text } = await run("verify", "changed.ndjson");
    expect(code).toBe(1);
    expect(text).toMatch(/^The audit log is BROKEN\.\nfirst broken row: 2 \(changed\)\. /);
    const { code: same, text: json } = await run("verify", "changed.ndjson", "--json");
    expect([same, JSON.parse(json)]).toMatchObject([1, { intact: false, first_broken: { id: 2 }, checked: 1 }]);
  });

  test("another key and another checkpoint are found", async () => {
    const other = "MCowBQYDK2VwAyEA76kFMQ3PwlYsayYX8duilFQkligjDdAWM9+OTH5bwWI=";
    expect(await run("verify", "log.ndjson", "--public-key", other)).toMatchObject({
      code: 1,
      text: expect.stringContaining("unknown_key"),
    });
    const [first] = parsed().filter(({ type }) => type === "checkpoint");
    const made = JSON.stringify({ ...first, rows: 7 });
    expect(await run("verify", "log.ndjson", "--checkpoint", made)).toMatchObject({ code: 1 });
  });

  test.each([
    [["verify", "missing.ndjson"], /cannot be read \(ENOENT\)/],
    [["verify", "data/secrets/audit-key"], /no JSON object/],
    [["verify", "log.ndjson", "--public-key", "nonsense"], /--public-key nonsense is neither/],
    [["verify", "log.ndjson", "--checkpoint", "nonsense"], /--checkpoint nonsense is no checkpoint/],
    [["verify"], /usage/],
  ])("a wrong command is told in one line: %j", async (parameters, complaint) => {
    const { code, stderr } = await run(...parameters);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(complaint) });
    expect(stderr).not.toMatch(/MC4CAQAwBQYDK2VwBCIEI/);
  });

  test("without the admin key nothing is saved", async () => {
    const { code } = await run("export", "no.ndjson", "--admin-key", "not-the-key");
    expect(code).toBe(3);
    expect(await readdir(folder)).not.toContain("no.ndjson");
  });
});
