// deploy/systemd/safelight.service, taken at its word: what it starts, with the environment that it gives, is a server that stops in time.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repositoryRoot } from "@safelight/server";
import { afterAll, beforeAll, expect, test } from "vitest";

let folder: string;
let unit: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "safelight-unit-"));
  const text = await readFile(join(repositoryRoot, "deploy/systemd/safelight.service"), "utf8");
  unit = text.replaceAll("/opt/safelight", repositoryRoot.replace(/\/$/, ""));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const valuesIn = (text: string, key: string): string[] =>
  [...text.matchAll(new RegExp(`^${key}=(.*)$`, "gm"))].map(([, value = ""]) => value);
const valuesOf = (key: string) => valuesIn(unit, key);

test("systemd finds no fault in the unit, and little that it leaves open", async (context) => {
  const file = join(folder, "safelight.service");
  await writeFile(file, unit);
  const { error, status, stdout, stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", file], {
    encoding: "utf8",
  });
  if (error !== undefined) return context.skip("there is no systemd-analyze here");
  expect({ status, said: stdout + stderr }).toEqual({ status: 0, said: "" });
  // Older ones cannot judge a file.
  const security = spawnSync("systemd-analyze", ["security", "--offline=yes", "--no-pager", file], {
    encoding: "utf8",
  });
  const exposure = /exposure level for safelight\.service: ([\d.]+)/.exec(security.stdout)?.[1];
  if (exposure !== undefined) expect(Number(exposure)).toBeLessThan(2.5);
  await writeFile(file, unit.replace("Type=exec", "Type=nothing").replace("ExecStart=", "ExecStart=/nowhere"));
  expect(spawnSync("systemd-analyze", ["verify", "--man=no", file], { encoding: "utf8" }).stderr).not.toBe("");
});

test("what it starts is a server in production mode that hands its work back within the time it is given", async () => {
  const [command = ""] = valuesOf("ExecStart");
  const credentials = join(folder, "credentials");
  await mkdir(credentials);
  for (const line of valuesOf("LoadCredential")) {
    const [name = ""] = line.split(":");
    await writeFile(
      join(credentials, name),
      name === "encryption-key" ? "0123456789abcdef".repeat(4) : `${name}-of-this-test`,
      {
        mode: 0o600,
      },
    );
  }
  const given = valuesOf("Environment").map((line): [string, string] => {
    const [name = "", value = ""] = line.split("=");
    return [name, value.replace("%S", join(folder, "state")).replace("%d", credentials)];
  });
  expect(given.map(([name]) => name)).toEqual(expect.arrayContaining(["SAFELIGHT_ENV", "DATA_DIR", "API_KEY_FILE"]));
  const [program = "", ...parameters] = command.split(" ");
  const child = spawn(program, parameters, {
    cwd: valuesOf("WorkingDirectory")[0],
    // A service has nothing else.
    env: { ...Object.fromEntries(given), PORT: "0", PATH: "/usr/bin:/bin" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (piece: Buffer) => (said += piece.toString()));
  while (child.exitCode === null && !said.includes("ready"))
    await Promise.race([once(child.stderr, "data"), once(child, "exit")]);
  expect(said).toContain("Safelight is ready");
  const began = performance.now();
  const signal = valuesOf("KillSignal")[0] as NodeJS.Signals;
  if (child.exitCode === null) {
    child.kill(signal);
    await once(child, "exit");
  }
  expect(child.exitCode).toBe(0);
  expect((performance.now() - began) / 1000).toBeLessThan(Number(valuesOf("TimeoutStopSec")[0]));
});

test("with its file for PostgreSQL it has all that a gateway needs, and comes again until the database answers", async () => {
  const more = await readFile(join(repositoryRoot, "deploy/systemd/on-postgresql.conf"), "utf8");
  const values: Record<string, string> = {
    "encryption-key": "0123456789abcdef".repeat(4),
    "session-secret": "fedcba9876543210".repeat(4),
    "database-url": "postgres://safelight@127.0.0.1:1/safelight",
  };
  const credentials = await mkdtemp(join(folder, "of-a-gateway-"));
  for (const line of [...valuesOf("LoadCredential"), ...valuesIn(more, "LoadCredential")]) {
    const [name = ""] = line.split(":");
    await writeFile(join(credentials, name), values[name] ?? `${name}-of-this-test`, { mode: 0o600 });
  }
  const given = [...valuesOf("Environment"), ...valuesIn(more, "Environment")].map((line): [string, string] => {
    const [name = "", value = ""] = line.split("=");
    return [name, value.replace("%S", credentials).replace("%d", credentials)];
  });
  expect(given.map(([name]) => name)).toEqual(expect.arrayContaining(["DATABASE_URL_FILE", "AUDIT_KEY_FILE"]));
  const [program = "", ...parameters] = valuesOf("ExecStart")[0]?.split(" ") ?? [];
  const { status, stderr } = spawnSync(program, parameters, {
    cwd: valuesOf("WorkingDirectory")[0],
    env: { ...Object.fromEntries(given), PORT: "0", PATH: "/usr/bin:/bin" },
    encoding: "utf8",
  });
  expect(stderr).toMatch(/DATABASE_URL: 127\.0\.0\.1:1, database safelight, cannot be reached/);
  const prevented = `${unit}\n${more}`.split(/^RestartPreventExitStatus=$/m).at(-1) ?? "";
  expect(valuesIn(prevented, "RestartPreventExitStatus")).not.toContain(String(status));
});
