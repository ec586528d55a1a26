// What deploy/compose.yaml runs beside the images: the script that makes its secrets, judged by the server that reads them, Caddy's file by
// Caddy, the scripts by the shell.
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readConfig } from "@safelight/server";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parseAuditKeys } from "../../server/src/audit/keys.ts";
import { readContainerfile } from "./containerfile.ts";
import { at, parseYaml } from "./manifests.ts";
import { contextFiles } from "./simulated-build.ts";

const root = join(import.meta.dirname, "../..");
const deploy = join(root, "deploy");
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "safelight-compose-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const makeSecrets = () =>
  spawnSync("sh", [join(deploy, "compose-secrets.sh"), join(folder, "secrets")], { encoding: "utf8" });
const secretNames = () => readdirSync(join(folder, "secrets"));
const secret = (name: string) => readFileSync(join(folder, "secrets", name), "utf8").trim();

test.skipIf(process.getuid?.() !== 0)(
  "secrets are made once, for their users alone, and are those that production takes (FR-016)",
  () => {
    const made = makeSecrets();
    expect([made.status, made.stderr, made.stdout]).toEqual([0, "", expect.stringContaining("Made 13 of 13")]);
    const modes = secretNames().map((name) => {
      const { mode, uid, gid } = statSync(join(folder, "secrets", name));
      return [mode & 0o777, uid === gid, [10001, 10002, 999].includes(uid)];
    });
    expect(new Set(modes.map(String))).toEqual(new Set(["256,true,true"]));
    const before = Object.fromEntries(secretNames().map((name) => [name, secret(name)]));
    expect(makeSecrets().stdout).toContain("Made 0 of 13");
    expect(Object.fromEntries(secretNames().map((name) => [name, secret(name)]))).toEqual(before);
    expect(new Set(Object.values(before)).size).toBe(13);

    // The very settings that compose gives a gateway, as compose fills them in.
    const [compose = {}] = parseYaml(readFileSync(join(deploy, "compose.yaml"), "utf8"));
    const given = at(compose, "services.gateway-1.environment") as Record<string, string>;
    const filled = Object.entries(given).map(([name, value]) => [
      name,
      value
        .replaceAll(/\$\{SAFELIGHT_HOST[^}]*\}/g, "safelight.example")
        .replaceAll(/\$\{\w+:-([^}]+)\}/g, "$1")
        .replace("/run/secrets", join(folder, "secrets")),
    ]);
    const config = readConfig(Object.fromEntries(filled) as Record<string, string>);
    expect([config.apiKey, config.accessPassword]).toEqual([before["api-key"], before["access-password"]]);
    expect([config.databaseUrl, config.sessionSecret]).toEqual([before["database-url"], before["session-secret"]]);
    expect(config.publicBaseUrl).toBe("https://safelight.example");
    expect(config.mediaBucket).toMatchObject({ location: { bucket: "safelight", endpoint: "http://s3:7070" } });
    expect(parseAuditKeys(before["audit-key"] ?? "")).not.toBeNull();
    const url = new URL(before["database-url"] ?? "");
    expect([url.username, url.password, url.host, url.pathname]).toEqual([
      "safelight",
      before["database-password"],
      "database:5432",
      "/safelight",
    ]);
    expect(before["s3-credentials"]).toBe(
      `[default]\naws_access_key_id = ${before["s3-access-key"]}\naws_secret_access_key = ${before["s3-secret-key"]}`,
    );
    expect(before["worker-key"]).toMatch(/^[\x21-\x7e]{16,512}$/);
  },
);

test("nobody but root makes them, as they could not be given away", () => {
  if (process.getuid?.() !== 0) return expect(makeSecrets().status).toBe(1);
  const asNobody = spawnSync("setpriv", ["--reuid", "65534", "--clear-groups", "sh", "-s", folder], {
    encoding: "utf8",
    input: readFileSync(join(deploy, "compose-secrets.sh"), "utf8"),
  });
  expect([asNobody.status, asNobody.stderr]).toEqual([1, expect.stringContaining("needs root")]);
});

test.each(["compose-secrets.sh", "compose/make-database.sh", "compose/start-s3.sh"])("the shell reads %s", (script) => {
  expect(spawnSync("sh", ["-n", join(deploy, script)], { encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
  expect(readFileSync(join(deploy, script), "utf8")).toMatch(/^#!\/bin\/sh\n[\s\S]*\nset -eu\n/);
});

test("nothing of whoever builds an image can get into it", () => {
  const wanted = [
    "package.json",
    "server/package.json",
    "server/src/main.ts",
    "worker/safelight_worker/models.toml",
    "deploy/images/ready.mjs",
  ];
  const others = [
    ".env",
    "data/secrets/api-key",
    "deploy/secrets/api-key",
    "worker-key",
    "jar",
    "weights/pony/x.safetensors",
    "release/x.tar.gz",
    "server/node_modules/x/index.js",
    "web/dist/index.html",
    "server/src/app.test.ts",
    "server/src/testing/edge.ts",
    "worker/tests/x.py",
    "worker/safelight_worker/__pycache__/x.pyc",
    "docs/x.md",
    "e2e/x.ts",
    "deploy/compose.yaml",
    "engine/node_modules/.cache/x",
  ];
  copyFileSync(join(root, ".dockerignore"), join(folder, ".dockerignore"));
  for (const path of [...wanted, ...others]) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), "x");
  }
  expect([...contextFiles(folder)].sort()).toEqual([...wanted].sort());
});

test("images stand on named versions, run as nobody and say how they start, stop and are", () => {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, { version: string }>;
  };
  const node = lock.packages["node_modules/node"]?.version ?? "";
  const torch = /torch==([\d.]+)/.exec(readFileSync(join(root, "worker/install.sh"), "utf8"))?.[0] ?? "none";
  for (const name of ["gateway", "worker"]) {
    const text = readFileSync(join(deploy, `images/${name}.Containerfile`), "utf8");
    const stages = readContainerfile(text);
    const names = new Set(stages.map((stage) => stage.name));
    const bases = stages.flatMap(({ base }) => (names.has(base) ? [] : [base]));
    // The Node of the lock file is the one that everything is tested on.
    const wanted =
      name === "gateway"
        ? `docker.io/library/node:${node}-bookworm-slim`
        : "docker.io/library/python:3.11-slim-bookworm";
    expect([name, [...new Set(bases)]]).toEqual([name, [wanted]]);
    const last = stages.at(-1);
    expect(last).toMatchObject({ user: "10001:10001", stopSignal: "SIGTERM" });
    for (const list of [last?.healthcheck, last?.entrypoint, last?.command]) expect(list?.length).toBeGreaterThan(0);
    for (const stage of stages)
      expect(Object.keys(stage.environment).filter((one) => /KEY|SECRET|PASSWORD|TOKEN/.test(one))).toEqual([]);
    if (name === "worker") expect(text).toContain(`pip install --quiet ${torch}\n`);
  }
  expect(() => readContainerfile("FROM a:1\nADD x /x\n")).toThrow(/ADD/);
  expect(() => readContainerfile("FROM a:1\nCMD node x\n")).toThrow(/list/);
  expect(() => readContainerfile("RUN true\n")).toThrow(/first FROM/);
});

test("every workspace's manifest is there for npm ci", () => {
  const { workspaces } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { workspaces: string[] };
  const [first] = readContainerfile(readFileSync(join(deploy, "images/gateway.Containerfile"), "utf8"));
  const copied = first?.steps.flatMap(({ step }) => (step.kind === "copy" ? step.sources : [])) ?? [];
  expect(copied).toEqual(expect.arrayContaining(workspaces.map((name) => `${name}/package.json`)));
});
