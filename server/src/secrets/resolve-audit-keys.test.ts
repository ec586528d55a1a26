import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeAuditKey } from "../audit/keys.ts";
import { StartupError } from "../errors.ts";
import { silentLog } from "../log.ts";
import { resolveAuditKeys } from "./resolve-audit-keys.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "safelight-audit-key-"));
});
afterEach(() => rm(folder, { recursive: true }));

const resolve = (auditKey: string | null = null) =>
  resolveAuditKeys({ dataDirectory: folder, auditKey, environment: "dev", databaseUrl: null }, silentLog());

test("FR-022: the key is made once, in a file for its owner, and read from then on", async () => {
  const first = await resolve();
  expect((await stat(join(folder, "secrets/audit-key"))).mode & 0o777).toBe(0o600);
  expect((await resolve()).currentId).toBe(first.currentId);
});

test("FR-022: a key that is given makes no file, and former ones still check", async () => {
  const [one, two] = [makeAuditKey(), makeAuditKey()];
  const given = await resolve(`${one},${two}`);
  expect([...given.publicKeys.keys()]).toEqual([given.currentId, (await resolve(two)).currentId]);
  await expect(readFile(join(folder, "secrets/audit-key"))).rejects.toThrow(/ENOENT/);
});

test("FR-023: a key that is none stops the start, and its text is not repeated", async () => {
  const refusal = resolve("not-a-key-at-all");
  await expect(refusal).rejects.toThrow(StartupError);
  await expect(refusal).rejects.toThrow(/^(?!.*not-a-key-at-all)AUDIT_KEY: must be an Ed25519 key/);
  await resolve();
  await writeFile(join(folder, "secrets/audit-key"), "damaged\n");
  await expect(resolve()).rejects.toThrow(/audit-key: must be/);
});
