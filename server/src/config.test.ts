import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isLoopbackHost, parseEncryptionKey, readConfig, repositoryRoot } from "./config.ts";
import { problemsOf } from "./testing/setting-problems.ts";

const production = {
  SAFELIGHT_ENV: "prod",
  API_KEY: "an-api-key-0123456789",
  ADMIN_KEY: "an-admin-key-9876543210",
  ENCRYPTION_KEY: Buffer.from(Array.from({ length: 32 }, (_, index) => index * 7)).toString("base64"),
};

describe("readConfig", () => {
  test("has the defaults of the specification and is frozen", () => {
    const config = readConfig({});
    expect(config).toMatchObject({
      environment: "dev",
      host: "127.0.0.1",
      port: 8600,
      dataDirectory: join(repositoryRoot, "data"),
      databaseUrl: null,
      databasePoolSize: 8,
      sessionSecret: null,
      apiKey: null,
      accessPassword: null,
      keysOnly: false,
      frontendOrigins: [],
      cookieSameSite: "lax",
      allowedHosts: [],
      trustedProxies: [],
      publicBaseUrl: null,
      embeddedEngine: "auto",
      queueLimit: 1000,
      mediaReserve: 500_000_000,
      mediaQuota: null,
      mediaOverQuota: "refuse",
      mediaRetentionDays: null,
      deployMinutes: 30,
      modalPython: null,
      modalServerUrl: null,
      logLevel: "info",
    });
    expect(Object.isFrozen(config)).toBe(true);
  });

  test("treats an empty variable as absent, as an untouched example file gives it", () => {
    const names = readFileSync(join(repositoryRoot, ".env.example"), "utf8").match(/^[A-Z_]+(?==$)/gm) ?? [];
    expect(names.length).toBeGreaterThan(20);
    expect(readConfig(Object.fromEntries(names.map((name) => [name, ""])))).toEqual(readConfig({}));
  });

  test.each([
    ["SAFELIGHT_ENV", "production"],
    ["MEDIA_RESERVE", "half"],
    ["MEDIA_QUOTA", "1kB"],
    ["MEDIA_QUOTA", "-5GB"],
    ["MEDIA_OVER_QUOTA", "remove"],
    ["MEDIA_RETENTION_DAYS", "soon"],
    ["PORT", "65536"],
    ["PORT", "-1"],
    ["PORT", "80a"],
    ["PORT", "1e3"],
    ["HOST", "http://localhost"],
    ["HOST", "127.0.0.1:80"],
    ["HOST", "999.1.1.1"],
    ["KEYS_ONLY", "maybe"],
    ["FRONTEND_ORIGINS", "*"],
    ["FRONTEND_ORIGINS", "https://a.example,*"],
    ["FRONTEND_ORIGINS", "https://*.example"],
    ["FRONTEND_ORIGINS", "null"],
    ["FRONTEND_ORIGINS", "https://a.example/path"],
    ["FRONTEND_ORIGINS", "a.example"],
    ["COOKIE_SAMESITE", "strict"],
    ["COOKIE_SAMESITE", "none"],
    ["ALLOWED_HOSTS", "*"],
    ["ALLOWED_HOSTS", "http://a.example"],
    ["ALLOWED_HOSTS", "a.example:99999"],
    ["TRUSTED_PROXIES", "proxy.example"],
    ["TRUSTED_PROXIES", "10.0.0.0/33"],
    ["TRUSTED_PROXIES", "0.0.0.0/0"],
    ["PUBLIC_BASE_URL", "studio.example"],
    ["PUBLIC_BASE_URL", "https://studio.example/app"],
    ["PUBLIC_BASE_URL", "ftp://studio.example"],
    ["EMBEDDED_ENGINE", "on"],
    ["QUEUE_LIMIT", "0"],
    ["AUDIT_RETENTION_DAYS", "89"],
    ["DEPLOY_TIMEOUT", "0"],
    ["DEPLOY_TIMEOUT", "241"],
    ["DEPLOY_TIMEOUT", "1.5"],
    ["MODAL_GPU", "H100, $(reboot)"],
    ["MODAL_SERVER_URL", "api.modal.example"],
    ["MODAL_SERVER_URL", "https://api.modal.example/path"],
    ["LOG_LEVEL", "verbose"],
    ["ENCRYPTION_KEY", "too-short"],
    ["API_KEY", "with a space"],
    ["ADMIN_KEY", "with-ü"],
    ["DATABASE_POOL_SIZE", "0"],
    ["SESSION_SECRET", "short"],
    ["SESSION_SECRET", "not base64 but long enough to look like a secret"],
    ["SESSION_SECRET", `${"a1b2c3d4".repeat(5)},short`],
  ])("refuses %s=%s with one line that names it", (name, value) => {
    const problems = problemsOf({ [name]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${name}: .+`));
    expect(problems[0]).not.toContain("\n");
  });

  test("tells every bad setting at once", () => {
    expect(problemsOf({ PORT: "x", LOG_LEVEL: "x", QUEUE_LIMIT: "x" }).map((line) => line.split(":")[0])).toEqual([
      "PORT",
      "QUEUE_LIMIT",
      "LOG_LEVEL",
    ]);
  });

  test("MODAL_PYTHON is a command as it is, or a path that counts from the repository", () => {
    expect(readConfig({ MODAL_PYTHON: "python3.12" }).modalPython).toBe("python3.12");
    expect(readConfig({ MODAL_PYTHON: "./tools/bin/python" }).modalPython).toBe(
      join(repositoryRoot, "tools", "bin", "python"),
    );
    expect(readConfig({ MODAL_PYTHON: "/opt/python" }).modalPython).toBe("/opt/python");
  });

  test("never repeats the value of a secret", () => {
    const problems = problemsOf({ ENCRYPTION_KEY: "hunter2-hunter2", API_KEY: "hunter2 hunter2" }).join("\n");
    expect(problems).not.toContain("hunter2");
  });

  test.each(["0.0.0.0", "::", "192.168.1.5", "studio.example"])("HOST=%s needs a password or keys only", (host) => {
    expect(problemsOf({ HOST: host })).toEqual([expect.stringMatching(/^HOST: .*ACCESS_PASSWORD.*KEYS_ONLY/)]);
    expect(problemsOf({ HOST: host, ACCESS_PASSWORD: "open sesame" })).toEqual([]);
    expect(problemsOf({ HOST: host, KEYS_ONLY: "1" })).toEqual([]);
  });

  test.each(["127.0.0.1", "127.8.8.8", "localhost", "::1", "[::1]"])("HOST=%s is loopback and free", (host) => {
    expect(problemsOf({ HOST: host })).toEqual([]);
  });

  test("FR-023: production refuses to start without its secrets and says which", () => {
    expect(problemsOf({ SAFELIGHT_ENV: "prod" }).map((line) => line.split(":")[0])).toEqual([
      "API_KEY",
      "ADMIN_KEY",
      "ENCRYPTION_KEY",
    ]);
    expect(problemsOf({ ...production, ADMIN_KEY: "" })).toEqual([expect.stringMatching(/^ADMIN_KEY: /)]);
    expect(problemsOf(production)).toEqual([]);
    expect(readConfig(production).embeddedEngine).toBe("off");
  });

  test("reads lists without case and blanks", () => {
    const config = readConfig({
      FRONTEND_ORIGINS: " https://Studio.Example:443 , http://localhost:5173,",
      ALLOWED_HOSTS: "Studio.Example,10.0.0.5:8600,[fd00::1]",
      TRUSTED_PROXIES: "10.0.0.0/8, ::1",
      PUBLIC_BASE_URL: "https://studio.example/",
      COOKIE_SAMESITE: "None",
    });
    expect(config.frontendOrigins).toEqual(["https://studio.example", "http://localhost:5173"]);
    expect(config.allowedHosts).toEqual(["studio.example", "10.0.0.5:8600", "[fd00::1]"]);
    expect(config.trustedProxies).toEqual(["10.0.0.0/8", "::1"]);
    expect(config.publicBaseUrl).toBe("https://studio.example");
    expect(config.cookieSameSite).toBe("none");
  });

  describe("secrets from files", () => {
    let folder = "";
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), "safelight-config-"));
      writeFileSync(join(folder, "key"), "from-a-file\n");
      writeFileSync(join(folder, "empty"), "\n");
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    test("NAME_FILE gives the value without its line end", () => {
      expect(readConfig({ API_KEY_FILE: join(folder, "key") }).apiKey).toBe("from-a-file");
      expect(readConfig({ ACCESS_PASSWORD_FILE: join(folder, "key") }).accessPassword).toBe("from-a-file");
      expect(readConfig({ DATABASE_URL_FILE: join(folder, "key") }).databaseUrl).toBe("from-a-file");
    });

    test("the metrics token and the webhook's secret come from files too, and have a least length", () => {
      writeFileSync(join(folder, "long"), `${"t".repeat(32)}\n`);
      const config = readConfig({
        METRICS_TOKEN_FILE: join(folder, "long"),
        WEBHOOK_URL: "https://hooks.example/safelight?room=7",
        WEBHOOK_SECRET_FILE: join(folder, "long"),
      });
      expect(config.metricsToken).toBe("t".repeat(32));
      expect(config.webhook).toEqual({ url: "https://hooks.example/safelight?room=7", secret: "t".repeat(32) });
      expect(problemsOf({ METRICS_TOKEN: "short" })).toEqual([
        expect.stringMatching(/^METRICS_TOKEN: .*16 characters/),
      ]);
      expect(problemsOf({ METRICS_TOKEN: "with a space in its middle" })).toEqual([
        expect.stringMatching(/^METRICS_TOKEN: .*without spaces/),
      ]);
    });

    test("the files of secrets that open doors are kept in view, those of others are not", () => {
      const [door, other] = ["key", "long"].map((name) => join(folder, name));
      const hooks = { WEBHOOK_URL: "https://hooks.example", WEBHOOK_SECRET_FILE: other };
      expect(readConfig({ ...hooks, API_KEY_FILE: door, METRICS_TOKEN_FILE: other }).secretFiles).toEqual([
        door,
        other,
      ]);
      expect(readConfig(hooks).secretFiles).toEqual([]);
    });

    test("an unreadable or empty file, and a secret set twice, are one line each", () => {
      expect(problemsOf({ API_KEY_FILE: join(folder, "nowhere") })).toEqual([
        expect.stringMatching(/^API_KEY_FILE: .*ENOENT/),
      ]);
      expect(problemsOf({ API_KEY_FILE: join(folder, "empty") })).toEqual([expect.stringMatching(/^API_KEY_FILE: /)]);
      expect(problemsOf({ API_KEY: "x", API_KEY_FILE: join(folder, "key") })).toEqual([
        expect.stringMatching(/^API_KEY: /),
      ]);
      // A production start with a bad file names the file only, not the secret as missing too.
      expect(problemsOf({ ...production, API_KEY: "", API_KEY_FILE: join(folder, "nowhere") })).toHaveLength(1);
    });
  });
});

test("an encryption key is 32 bytes in base64, base64url or hex", () => {
  const bytes = Buffer.from(Array.from({ length: 32 }, (_, index) => 255 - index));
  expect(parseEncryptionKey(bytes.toString("base64"))).toEqual(bytes);
  expect(parseEncryptionKey(bytes.toString("base64url"))).toEqual(bytes);
  expect(parseEncryptionKey(bytes.toString("hex"))).toEqual(bytes);
  expect(parseEncryptionKey(bytes.subarray(1).toString("base64"))).toBeNull();
  expect(parseEncryptionKey(bytes.subarray(1).toString("hex"))).toBeNull();
});

test("loopback is what only this machine reaches", () => {
  expect(["127.0.0.1", "localhost", "[::1]", "LOCALHOST"].every(isLoopbackHost)).toBe(true);
  expect(["127.0.0.1.example", "localhost.example", "0.0.0.0", "::", "10.0.0.1"].some(isLoopbackHost)).toBe(false);
});
