// FR-023: production mode refuses unsafe settings, each by its name and all at once.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Environment } from "./config.ts";
import { problemsOf } from "./testing/setting-problems.ts";

const key = (seed: number) =>
  Buffer.from(Array.from({ length: 32 }, (_, index) => (index * 37 + seed * 101) % 256)).toString("base64");
const safe = { SAFELIGHT_ENV: "prod", API_KEY: key(1), ADMIN_KEY: key(2), ENCRYPTION_KEY: key(3) };
const behindProxy = { HOST: "0.0.0.0", TRUSTED_PROXIES: "10.0.0.2", PUBLIC_BASE_URL: "https://studio.example" };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "safelight-unsafe-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(name: string, value: string, mode: number): string {
  const file = join(folder, name);
  writeFileSync(file, value);
  chmodSync(file, mode);
  return file;
}

describe("FR-023: production", () => {
  test("starts with settings that are safe", () => {
    expect(problemsOf(safe)).toEqual([]);
    expect(problemsOf({ ...safe, ...behindProxy, ACCESS_PASSWORD: "a quiet harbour" })).toEqual([]);
    expect(problemsOf({ ...safe, ...behindProxy, KEYS_ONLY: "1", FRONTEND_ORIGINS: "https://front.example" })).toEqual(
      [],
    );
    expect(problemsOf({ ...safe, PUBLIC_BASE_URL: "http://localhost:8600" })).toEqual([]);
    const files = { API_KEY: "", API_KEY_FILE: fileOf("private", key(4), 0o640) };
    expect(problemsOf({ ...safe, ...files })).toEqual([]);
  });

  const unsafe: [string, Environment][] = [
    ["API_KEY", { API_KEY: undefined }],
    ["API_KEY", { API_KEY: "short-key" }],
    ["API_KEY", { API_KEY: "k".repeat(40) }],
    ["ADMIN_KEY", { ADMIN_KEY: "password-123456789" }],
    ["ADMIN_KEY", { ADMIN_KEY: safe.API_KEY }],
    ["ENCRYPTION_KEY", { ENCRYPTION_KEY: "" }],
    ["ENCRYPTION_KEY", { ENCRYPTION_KEY: Buffer.alloc(32, 7).toString("hex") }],
    ["METRICS_TOKEN", { METRICS_TOKEN: safe.ADMIN_KEY }],
    ["ACCESS_PASSWORD", { ACCESS_PASSWORD: "boat" }],
    ["ACCESS_PASSWORD", { ACCESS_PASSWORD: "Password123" }],
    ["ACCESS_PASSWORD", { ACCESS_PASSWORD: "changeme" }],
    ["ACCESS_PASSWORD", { PUBLIC_BASE_URL: "https://studio.example" }],
    ["ACCESS_PASSWORD", { TRUSTED_PROXIES: "127.0.0.1" }],
    ["ACCESS_PASSWORD", { ALLOWED_HOSTS: "studio.example" }],
    ["HOST", { HOST: "0.0.0.0", TRUSTED_PROXIES: "10.0.0.2" }],
    ["HOST", { HOST: "192.168.1.5", KEYS_ONLY: "1" }],
    ["FRONTEND_ORIGINS", { FRONTEND_ORIGINS: "*" }],
    ["FRONTEND_ORIGINS", { FRONTEND_ORIGINS: "http://front.example" }],
    ["COOKIE_SAMESITE", { COOKIE_SAMESITE: "none" }],
    ["PUBLIC_BASE_URL", { PUBLIC_BASE_URL: "http://studio.example", KEYS_ONLY: "1" }],
    ["MODAL_SERVER_URL", { MODAL_SERVER_URL: "http://deploy.example" }],
    ["AUDIT_RETENTION_DAYS", { AUDIT_RETENTION_DAYS: "30" }],
    ["MODERATION_URL", { MODERATION_URL: "http://judge.example" }],
    ["WEBHOOK_URL", { WEBHOOK_URL: "http://hooks.example", WEBHOOK_SECRET: key(5) }],
  ];
  test.each(unsafe)("refuses by the name %s: %j", (name, settings) => {
    const problems = problemsOf({ ...safe, ...settings });
    expect(problems.map((line) => line.split(":")[0])).toEqual([name]);
    for (const value of Object.values({ ...safe, ...settings }).filter((one) => one !== undefined && one.length > 20))
      expect(problems.join("\n")).not.toContain(value);
  });

  test("refuses secrets in files that every user can read", () => {
    const files = {
      API_KEY: "",
      API_KEY_FILE: fileOf("open", key(6), 0o644),
      ACCESS_PASSWORD_FILE: fileOf("open-too", "a quiet harbour", 0o604),
    };
    expect(problemsOf({ ...safe, ...files })).toEqual([
      expect.stringMatching(/^API_KEY_FILE: every user .*chmod/),
      expect.stringMatching(/^ACCESS_PASSWORD_FILE: every user .*chmod/),
    ]);
    expect(problemsOf({ ...files, ADMIN_KEY: key(2) })).toEqual([]);
  });

  test("names all of them at once", () => {
    const all = {
      SAFELIGHT_ENV: "prod",
      HOST: "0.0.0.0",
      API_KEY: "short",
      ENCRYPTION_KEY: "not a key",
      FRONTEND_ORIGINS: "*",
      COOKIE_SAMESITE: "none",
      AUDIT_RETENTION_DAYS: "1",
    };
    const names = problemsOf(all).map((line) => line.split(":")[0]);
    expect(new Set(names)).toEqual(
      new Set([
        "HOST",
        "API_KEY",
        "ADMIN_KEY",
        "ENCRYPTION_KEY",
        "FRONTEND_ORIGINS",
        "COOKIE_SAMESITE",
        "AUDIT_RETENTION_DAYS",
      ]),
    );
  });

  test("is asked for: the same settings are good enough for trying out", () => {
    expect(problemsOf({ API_KEY: "short", ADMIN_KEY: "short", TRUSTED_PROXIES: "127.0.0.1" })).toEqual([]);
  });
});
