import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readConfig } from "../config.ts";
import { StartupError } from "../errors.ts";
import { silentLog } from "../log.ts";
import { resolveAuditKeys } from "./resolve-audit-keys.ts";
import { readOwnSecret, resolveSecrets, secretFile } from "./resolve-secrets.ts";

let dataDirectory = "";
beforeEach(async () => {
  dataDirectory = await mkdtemp(join(tmpdir(), "safelight-secrets-"));
});
afterEach(() => rm(dataDirectory, { recursive: true, force: true }));

const nothing = {
  apiKey: null,
  adminKey: null,
  encryptionKey: null,
  sessionSecret: null,
  fromFiles: [],
  databaseUrl: null,
} as const;
const dev = () => ({ environment: "dev" as const, dataDirectory, ...nothing });

describe("secrets of the first run", () => {
  test("are made with 256 random bits, readable by their owner only, in a folder of the owner", async () => {
    const secrets = await resolveSecrets(dev());
    expect(secrets.created).toEqual(
      (["api-key", "admin-key", "encryption-key"] as const).map((name) => secretFile(dataDirectory, name)),
    );
    for (const file of secrets.created) expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(join(dataDirectory, "secrets"))).mode & 0o777).toBe(0o700);
    expect(await readdir(join(dataDirectory, "secrets"))).toHaveLength(4);
    expect(secrets.encryptionKey).toHaveLength(32);
    expect(Buffer.from(secrets.apiKey.replace("sl_dev_", ""), "base64url")).toHaveLength(32);
    expect(secrets.adminKey).not.toContain(secrets.apiKey);
  });

  test("stay the same on every later start", async () => {
    const first = await resolveSecrets(dev());
    const second = await resolveSecrets(dev());
    expect(second).toMatchObject({ apiKey: first.apiKey, adminKey: first.adminKey, created: [] });
    expect(second.encryptionKey).toEqual(first.encryptionKey);
    expect(second.found["session-secret"].values).toEqual(first.found["session-secret"].values);
    expect(await readOwnSecret(dataDirectory, "api-key")).toBe(first.apiKey);
  });

  test("are one and the same for several starts at once", async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => resolveSecrets(dev())));
    expect(new Set(all.map(({ apiKey }) => apiKey)).size).toBe(1);
    expect(await readdir(join(dataDirectory, "secrets"))).toHaveLength(4);
  });

  test("are not made where the environment gives them", async () => {
    const encryptionKey = Buffer.alloc(32, 1).toString("hex");
    const given = { apiKey: "given-api-key", adminKey: "given-admin-key", encryptionKey };
    const secrets = await resolveSecrets({ ...dev(), ...given });
    expect(secrets).toMatchObject({ ...given, encryptionKey: Buffer.alloc(32, 1), created: [] });
    expect(await readdir(join(dataDirectory, "secrets"))).toEqual(["session-secret"]);
    expect(await readOwnSecret(dataDirectory, "api-key")).toBeNull();
  });

  test("FR-023: SESSION_SECRET and AUDIT_KEY are not made where several gateways may need the same", async () => {
    const config = readConfig({
      DATA_DIR: dataDirectory,
      SAFELIGHT_ENV: "prod",
      DATABASE_URL: `postgres://${["user", "pass-phrase"].join(":")}@db.example/x`,
      API_KEY: `sl_prod_${"0123456789abcdef".repeat(4)}`,
      ADMIN_KEY: `sl_prod_${"fedcba9876543210".repeat(4)}`,
      ENCRYPTION_KEY: Buffer.from(Array.from({ length: 32 }, (_, index) => index)).toString("base64"),
      ACCESS_PASSWORD: "a long sentence that nobody guesses",
    });
    await expect(resolveSecrets(config)).rejects.toThrow(/^SESSION_SECRET: must be set where DATABASE_URL is/);
    await expect(resolveAuditKeys(config, silentLog())).rejects.toThrow(
      /^AUDIT_KEY: must be set where DATABASE_URL is/,
    );
    expect(await readdir(dataDirectory)).toEqual([]);
  });

  test("FR-023: are never made outside dev, not even where a dev start left some", async () => {
    await resolveSecrets(dev());
    for (const environment of ["stage", "prod"] as const) {
      await expect(resolveSecrets({ ...dev(), environment })).rejects.toThrow(/^API_KEY: /);
    }
  });
});

describe("secrets that cannot be used are one line that names the file, never a value", () => {
  test("an emptied file is not replaced: a lost encryption key would be lost for good", async () => {
    await resolveSecrets(dev());
    const file = secretFile(dataDirectory, "encryption-key");
    await writeFile(file, "");
    await expect(resolveSecrets(dev())).rejects.toThrow(
      new StartupError(`${file} is empty: put the secret back, or remove the file to have a new one made.`),
    );
    expect(await readFile(file, "utf8")).toBe("");
  });

  test("a damaged encryption key", async () => {
    await resolveSecrets(dev());
    await writeFile(secretFile(dataDirectory, "encryption-key"), "hunter2\n");
    const failure = await resolveSecrets(dev()).catch((error: unknown) => error as Error);
    expect(failure).toBeInstanceOf(StartupError);
    expect((failure as Error).message).toContain("encryption-key");
    expect((failure as Error).message).not.toContain("hunter2");
  });

  test("a folder that is a file", async () => {
    await writeFile(join(dataDirectory, "secrets"), "in the way");
    await expect(resolveSecrets(dev())).rejects.toThrow(StartupError);
    await chmod(join(dataDirectory, "secrets"), 0o600);
  });
});
