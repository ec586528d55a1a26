// Backups of a data directory with rows and files of every kind, put back and compared; damaged in every part; taken while things go.
import { createHash } from "node:crypto";
import { chown, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { describeKey, makeAuditKey, parseAuditKeys } from "../audit/keys.ts";
import { startChain } from "../audit/start-chain.ts";
import { restoreMark, takeDataDirectory } from "../database/data-directory.ts";
import { deleteTask } from "../gallery/delete-task.ts";
import { storeUpload, uploadName } from "../media/uploads.ts";
import { createSession } from "../sessions/sessions.ts";
import { submitTask } from "../tasks/submit.ts";
import { fillAuditLog } from "../testing/audit-log.ts";
import { type Core, openCore, requestFor, submit } from "../testing/core.ts";
import { picture } from "../testing/pictures.ts";
import { finishTask, showPreview } from "../testing/stored-tasks.ts";
import { type BackupManifest, databaseName, listName, manifestName, sealManifest } from "./backup-format.ts";
import { checkBackup, restoreBackup } from "./restore-backup.ts";
import { copyDatabase } from "./snapshot.ts";
import { type BackupOptions, takeBackup } from "./take-backup.ts";

const auditKey = makeAuditKey();
let core: Core;
let folder: string;
let done: { id: string; upload: string };

/** A library with a done task that has everything, one that waits, one that runs, and a log. */
beforeEach(async () => {
  core = await openCore();
  folder = await mkdtemp(join(tmpdir(), "safelight-backup-"));
  await mkdir(join(core.folder, "secrets"), { mode: 0o700 });
  for (const [name, value] of [
    ["api-key", "sl_test"],
    ["audit-key", auditKey],
  ] as const) {
    await writeFile(join(core.folder, "secrets", name), `${value}\n`, { mode: 0o600 });
  }
  const keys = parseAuditKeys(auditKey);
  if (keys === null) throw new Error("no key");
  await startChain(core.context, keys);
  await fillAuditLog(core, 20);
  done = await wholeTask();
  await submit(core);
  await showPreview(core.context, await submit(core), 1, await picture("webp"));
  await createSession(core.context, { hint: null });
});
afterEach(async () => {
  await core.close();
  await rm(folder, { recursive: true, force: true });
});

async function wholeTask(): Promise<{ id: string; upload: string }> {
  const bytes = await picture("png");
  const { upload } = await storeUpload(core.context, bytes, "image/png");
  core.clock.advance(1000);
  const request = requestFor({ mode: "img2img", reference_image: upload.id });
  const { answer } = await submitTask(core.context, { request, idempotency: null, queueLimit: 1000 });
  await showPreview(core.context, answer.task_id, 1, bytes);
  await finishTask(core.context, answer.task_id, bytes);
  return { id: answer.task_id, upload: upload.id };
}

const configOf = (dataDirectory: string) => ({
  dataDirectory,
  environment: "dev" as const,
  auditKey: null,
  encryptionKey: null,
  mediaBucket: null,
});
const take = (name: string, more: Partial<BackupOptions> = {}): Promise<BackupManifest> =>
  takeBackup({
    config: configOf(core.folder),
    target: join(folder, name),
    withSecrets: false,
    safelightVersion: "9.9.9",
    ...more,
  });
const restore = (name: string, target = "restored", more: { replace?: boolean; acceptAudit?: boolean } = {}) =>
  restoreBackup({
    source: join(folder, name),
    config: configOf(join(folder, target)),
    replace: more.replace === true,
    acceptAudit: more.acceptAudit === true,
  });
const rowsOf = (file: string, sql: string): unknown[] => {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return database
      .prepare(sql)
      .all()
      .map((row) => ({ ...row }));
  } finally {
    database.close();
  }
};
const restored = (path: string): string => join(folder, "restored", path);
const hashOf = async (path: string) =>
  createHash("sha256")
    .update(await readFile(path))
    .digest("hex");

async function expectSameLibrary(): Promise<void> {
  for (const sql of [
    "SELECT * FROM tasks ORDER BY sequence",
    "SELECT * FROM task_references",
    "SELECT * FROM uploads",
    "SELECT * FROM events",
  ]) {
    expect(rowsOf(restored(databaseName), sql)).toEqual(rowsOf(join(core.folder, databaseName), sql));
  }
  for (const kind of ["results", "previews", "uploads"]) {
    const names = await readdir(join(core.folder, "media", kind));
    expect(names.length).toBeGreaterThan(0);
    expect((await readdir(restored(`media/${kind}`))).sort()).toEqual(names.sort());
    for (const name of names) {
      expect(await hashOf(restored(`media/${kind}/${name}`))).toBe(
        await hashOf(join(core.folder, "media", kind, name)),
      );
    }
  }
}

describe.each(["whole", "whole.tar"])("a backup, %s", (name) => {
  test("gives back every row and file, ends sessions, and says in the log that it was restored", async () => {
    const manifest = await take(name);
    expect(manifest).toMatchObject({
      safelight_version: "9.9.9",
      environment: "dev",
      tasks: { total: 3, done: 1, unfinished: 2 },
      faulty: [],
      audit: { chained: true, intact: true, rows: 21, public_keys: [expect.any(String)] },
      secrets: { included: [] },
    });
    expect(await readdir(folder)).toEqual([name]);
    expect(
      await checkBackup({ source: join(folder, name), config: configOf(core.folder), acceptAudit: false }),
    ).toEqual(manifest);
    const result = await restore(name);
    expect(result).toMatchObject({
      aside: null,
      secretsFrom: "elsewhere",
      sessionsEnded: 1,
      missingEncryptionKeys: [],
    });
    await expectSameLibrary();
    expect(rowsOf(restored(databaseName), "SELECT status FROM sessions")).toEqual([{ status: "revoked" }]);
    const [last] = rowsOf(
      restored(databaseName),
      "SELECT action, outcome, details FROM audit_events ORDER BY id DESC LIMIT 1",
    );
    expect(last).toMatchObject({ action: "restore_backup", outcome: "success" });
    // A backup of what was restored holds as well: the new row is part of the chain, and both keys are known.
    const again = await takeBackup({
      config: configOf(join(folder, "restored")),
      target: join(folder, "again"),
      withSecrets: true,
      safelightVersion: "9.9.9",
    });
    expect(again.audit).toMatchObject({ intact: true, rows: 22 });
    const keys = parseAuditKeys((await readFile(restored("secrets/audit-key"), "utf8")).trim());
    expect([...(keys?.publicKeys.values() ?? [])].map(describeKey)).toContain(manifest.audit.public_keys[0]);
  });

  test("takes keys along only where it is asked to", async () => {
    // A value that waits until it stands in the settings may be the only one there is.
    await mkdir(join(core.folder, "secrets", "next"));
    await writeFile(join(core.folder, "secrets", "next", "api-key.0a1b"), "sl_waiting\n");
    const { included } = (await take(name, { withSecrets: true })).secrets;
    expect(included).toEqual(["api-key", "audit-key", "next/api-key.0a1b"]);
    expect((await restore(name)).secretsFrom).toBe("backup");
    expect(await readFile(restored("secrets/api-key"), "utf8")).toBe("sl_test\n");
    expect(await readFile(restored("secrets/next/api-key.0a1b"), "utf8")).toBe("sl_waiting\n");
    await take(`other-${name}`);
    const bytes = await everyByte(join(folder, `other-${name}`));
    expect(bytes.includes("sl_test") || bytes.includes("sl_waiting") || bytes.includes(auditKey)).toBe(false);
  });
});

async function everyByte(path: string): Promise<Buffer> {
  if (path.endsWith(".tar")) return readFile(path);
  const names = (await readdir(path, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  return Buffer.concat(await Promise.all(names.map((entry) => readFile(join(entry.parentPath, entry.name)))));
}

describe("while it is taken", () => {
  test("FR-007: what is deleted meanwhile is in neither rows nor promises", async () => {
    const manifest = await take("b", { onSnapshot: () => deleteTask(core.context, done.id) });
    expect(manifest).toMatchObject({ deleted_meanwhile: 1, tasks: { total: 2, done: 0 }, faulty: [] });
    await restore("b");
    await expectSameRows("SELECT id, status FROM tasks ORDER BY sequence");
    await expectSameRows("SELECT * FROM task_references");
    await expectSameRows("SELECT id FROM uploads");
    expect(rowsOf(restored(databaseName), `SELECT 1 FROM events WHERE task_id = '${done.id}'`)).toEqual([]);
    expect(rowsOf(restored(databaseName), "PRAGMA foreign_key_check")).toEqual([]);
    expect(rowsOf(restored(databaseName), "PRAGMA integrity_check")).toEqual([{ integrity_check: "ok" }]);
  });

  test("a step picture that gave way to a newer one is not missed", async () => {
    const running = String(
      (
        rowsOf(
          join(core.folder, databaseName),
          "SELECT id FROM tasks WHERE status <> 'done' AND preview_path IS NOT NULL",
        )[0] as { id: string }
      ).id,
    );
    const onSnapshot = async (): Promise<void> => {
      await showPreview(core.context, running, 2, await picture("webp"));
      await core.context.media.remove(`previews/${running}-1.webp`);
    };
    expect(await take("b", { onSnapshot })).toMatchObject({ faulty: [], deleted_meanwhile: 0 });
    await restore("b");
    expect(rowsOf(restored(databaseName), `SELECT preview_path FROM tasks WHERE id = '${running}'`)).toEqual([
      { preview_path: null },
    ]);
  });

  test("what comes after the beginning is not in it, and does no harm", async () => {
    await take("b", { onSnapshot: async () => void (await wholeTask()) });
    await restore("b");
    expect(rowsOf(restored(databaseName), "SELECT count(*) AS n FROM tasks")).toEqual([{ n: 3 }]);
    expect(await readdir(restored("media/results"))).toHaveLength(1);
  });

  test("a file that cannot be read ends it, and nothing is left by those that were copied beside it", async () => {
    const folderInPlace = join(core.folder, "media", "results", `${done.id}-1.png`);
    await unlink(folderInPlace);
    await mkdir(folderInPlace);
    for (const name of ["b", "b.tar"])
      await expect(take(name)).rejects.toThrow(/media\/results\/.* cannot be read \(EISDIR\)/);
    expect(await readdir(folder)).toEqual([]);
  });

  test("a failure leaves nothing under any name", async () => {
    const onSnapshot = async (): Promise<void> => {
      throw new Error("the power of the test");
    };
    await expect(take("b", { onSnapshot })).rejects.toThrow("the power of the test");
    await expect(take("b.tar", { onSnapshot })).rejects.toThrow("the power of the test");
    expect(await readdir(folder)).toEqual([]);
  });
});

async function expectSameRows(sql: string): Promise<void> {
  expect(rowsOf(restored(databaseName), sql)).toEqual(rowsOf(join(core.folder, databaseName), sql));
}

describe("of an installation that is not well", () => {
  test("FR-007: a file that was gone before is named, and its row stays", async () => {
    await unlink(join(core.folder, "media", "results", `${done.id}-1.png`));
    const manifest = await take("b");
    expect(manifest.faulty).toEqual([{ path: `media/results/${done.id}-1.png`, task_id: done.id, fault: "gone" }]);
    await restore("b");
    await expectSameRows("SELECT id, status, result_path FROM tasks ORDER BY sequence");
  });

  test("a file that is not what was stored is named and taken along", async () => {
    const path = join(core.folder, "media", uploadName({ id: done.upload, type: "image/png" }));
    await writeFile(path, "something else");
    const manifest = await take("b");
    expect(manifest.faulty).toEqual([
      { path: expect.stringContaining("media/uploads/"), task_id: null, fault: "damaged" },
    ]);
    await restore("b");
  });

  test("a broken log is said, and is restored only by who accepts it", async () => {
    const database = new DatabaseSync(join(core.folder, databaseName));
    database.exec(
      "DROP TRIGGER audit_events_no_update; DROP TRIGGER audit_events_head_updated; UPDATE audit_events SET source = 'elsewhere' WHERE id = 5",
    );
    database.close();
    expect((await take("b")).audit).toMatchObject({ intact: false, detail: expect.stringContaining("Row 5") });
    await expect(restore("b")).rejects.toThrow(/Row 5.*--accept-broken-audit/s);
    expect(await readdir(join(folder, "restored"))).toEqual(["lock.sqlite"]);
    await restore("b", "restored", { acceptAudit: true });
  });

  test("a damaged database gives no backup", async () => {
    const copy = join(folder, "damaged");
    await mkdir(copy);
    const file = join(copy, databaseName);
    await copyDatabase(join(core.folder, databaseName), file);
    await writeFile(file, (await readFile(file)).fill(0xff, 4096 * 3, 4096 * 9));
    const config = configOf(copy);
    await expect(
      takeBackup({ config, target: join(folder, "b"), withSecrets: false, safelightVersion: "1" }),
    ).rejects.toThrow(/damaged|malformed/);
    expect(await readdir(folder)).toEqual(["damaged"]);
  });
});

describe("a backup that is damaged", () => {
  const damages: [string, (path: string) => Promise<unknown>][] = [
    ["without", (path) => unlink(path)],
    [
      "with one letter changed in",
      async (path) => {
        const bytes = await readFile(path);
        bytes[Math.floor(bytes.length / 2)] = ((bytes[Math.floor(bytes.length / 2)] ?? 0) + 1) % 256;
        await writeFile(path, bytes);
      },
    ],
    ["with a piece missing from", async (path) => truncate(path, (await readFile(path)).length - 2)],
    ["with something added to", (path) => writeFile(path, "x", { flag: "a" })],
  ];
  test.each(damages)("%s any of its files touches nothing", async (_, damage) => {
    await take("good");
    await mkdir(join(folder, "restored"));
    await writeFile(restored(databaseName), "what was there");
    const files = (await readdir(join(folder, "good"), { recursive: true, withFileTypes: true })).filter((entry) =>
      entry.isFile(),
    );
    expect(files.length).toBeGreaterThanOrEqual(6);
    for (const entry of files) {
      await cp(join(folder, "good"), join(folder, "bad"), { recursive: true });
      const path = join(entry.parentPath, entry.name).replace(join(folder, "good"), join(folder, "bad"));
      await damage(path);
      await expect(restore("bad", "restored", { replace: true }), path).rejects.toThrow(
        /damaged|lacks|no backup|no JSON|has no|changed/,
      );
      await rm(join(folder, "bad"), { recursive: true });
      expect((await readdir(join(folder, "restored"))).sort()).toEqual(["lock.sqlite", databaseName]);
    }
  });

  test("a tar file that ends early, anywhere, is no backup", async () => {
    await take("good.tar");
    const bytes = await readFile(join(folder, "good.tar"));
    for (const share of [0, 0.01, 0.3, 0.6, 0.9, 0.999]) {
      await writeFile(join(folder, "bad.tar"), bytes.subarray(0, Math.floor((bytes.length - 1024) * share)));
      await expect(restore("bad.tar")).rejects.toThrow(/no backup|cannot be read/);
    }
  });

  test("one that was rewritten as a whole is found by its audit log", async () => {
    await take("b");
    const file = join(folder, "b", databaseName);
    const database = new DatabaseSync(file);
    database.exec(
      "DROP TRIGGER audit_events_no_update; DROP TRIGGER audit_events_head_updated; UPDATE audit_events SET source = 'elsewhere' WHERE id = 5",
    );
    database.close();
    const sha256 = await hashOf(file);
    const lines = (await readFile(join(folder, "b", listName), "utf8")).trimEnd().split("\n");
    const list = lines.map((line) => {
      const entry = JSON.parse(line) as { path: string; bytes: number };
      return JSON.stringify(entry.path === databaseName ? { path: entry.path, bytes: entry.bytes, sha256 } : entry);
    });
    const text = `${list.join("\n")}\n`;
    await writeFile(join(folder, "b", listName), text);
    const { sha256: _, ...manifest } = JSON.parse(
      await readFile(join(folder, "b", manifestName), "utf8"),
    ) as BackupManifest;
    const files = { ...manifest.files, sha256: createHash("sha256").update(text).digest("hex") };
    await writeFile(join(folder, "b", manifestName), sealManifest({ ...manifest, files }));
    await expect(restore("b")).rejects.toThrow(/audit log of the backup is broken: Row 5/);
  });
});

describe("restoring", () => {
  test("refuses a folder that is not empty, and with --replace puts aside what was there", async () => {
    await take("b");
    await restore("b");
    await writeFile(restored("secrets/api-key"), "the key of now\n");
    await mkdir(restored("worker"));
    await expect(restore("b")).rejects.toThrow(/not empty/);
    const { aside, secretsFrom } = await restore("b", "restored", { replace: true });
    expect(aside).toMatch(/before-restore-/);
    expect(secretsFrom).toBe("former");
    expect(await readFile(restored("secrets/api-key"), "utf8")).toBe("the key of now\n");
    expect((await readdir(String(aside))).sort()).toEqual(["media", databaseName, "secrets"]);
    // What a server does not keep there is not its to move.
    expect(await readdir(join(folder, "restored"))).toContain("worker");
    await expectSameLibrary();
  });

  test.runIf(process.getuid?.() === 0)("by root gives everything to whom the folder belongs", async () => {
    await take("b", { withSecrets: true });
    await mkdir(join(folder, "restored"));
    await chown(join(folder, "restored"), 12_345, 12_346);
    await restore("b");
    const names = await readdir(join(folder, "restored"), { recursive: true });
    for (const name of names) expect([name, (await stat(restored(name))).uid]).toEqual([name, 12_345]);
    expect(names).toContain("secrets/api-key");
  });

  test("refuses while a server runs there", async () => {
    await take("b");
    const taken = await takeDataDirectory(join(folder, "restored"));
    await expect(restore("b")).rejects.toThrow(/in use/);
    await taken.release();
  });

  test.each(["out", "in"] as const)(
    "cut off while content is exchanged (%s): no server starts, the next restore finishes it",
    async (phase) => {
      await take("b");
      await restore("b");
      const first = await hashOf(restored(databaseName));
      await core.context.database.write((tx) =>
        tx.prepare("INSERT INTO settings (key, value) VALUES ('x', 'new')").run(),
      );
      await take("newer");
      await restore("newer", "other");
      const directory = join(folder, "restored");
      await cp(join(folder, "other"), join(directory, ".restore-x"), { recursive: true });
      await rm(join(directory, ".restore-x", "lock.sqlite"));
      await mkdir(join(directory, "before-restore-x"));
      await cp(join(directory, "media"), join(directory, "before-restore-x", "media"), { recursive: true });
      await rm(join(directory, "media"), { recursive: true });
      if (phase === "in") {
        for (const name of [databaseName, "secrets"]) {
          await cp(join(directory, name), join(directory, "before-restore-x", name), { recursive: true });
          await rm(join(directory, name), { recursive: true });
        }
        await cp(join(directory, ".restore-x", "media"), join(directory, "media"), { recursive: true });
        await rm(join(directory, ".restore-x", "media"), { recursive: true });
      }
      await writeFile(
        join(directory, restoreMark),
        JSON.stringify({ staged: ".restore-x", aside: "before-restore-x", phase }),
      );
      await expect(takeDataDirectory(directory)).rejects.toThrow(/interrupted.*again/);
      expect(await restore("b")).toMatchObject({ manifest: null, aside: join(directory, "before-restore-x") });
      expect(rowsOf(restored(databaseName), "SELECT value FROM settings WHERE key = 'x'")).toEqual([{ value: "new" }]);
      expect(await hashOf(join(directory, "before-restore-x", databaseName))).toBe(first);
      expect((await readdir(directory)).sort()).toEqual([
        "before-restore-x",
        "lock.sqlite",
        "media",
        databaseName,
        "secrets",
      ]);
      expect(await readdir(restored("media/results"))).toHaveLength(1);
      await (await takeDataDirectory(directory)).release();
    },
  );

  test("FR-016: what was revoked after the backup stays revoked, whatever the backup says", async () => {
    const version = (state: string) =>
      core.context.database.write(async (tx) => {
        await tx.prepare("DELETE FROM secret_versions").run();
        await tx
          .prepare(
            "INSERT INTO secret_versions (name, fingerprint, state, source, made_at) VALUES ('api-key', 'f', ?, 'file', 1)",
          )
          .run(state);
      });
    await version("current");
    await core.context.database.write((tx) =>
      tx
        .prepare(
          "INSERT INTO api_keys (id, name, scope, key_hash, environment, created_at, created_by) VALUES ('1', 'posters', 'generate', 'h', 'dev', 1, 'x')",
        )
        .run(),
    );
    await take("b");
    await restore("b");
    await version("revoked");
    await core.context.database.write((tx) => tx.prepare("UPDATE api_keys SET revoked_at = 5").run());
    await take("later");
    await restore("later", "restored", { replace: true });
    expect(await restore("b", "restored", { replace: true })).toMatchObject({ revocationsKept: 2 });
    expect(rowsOf(restored(databaseName), "SELECT state, revoked_at FROM secret_versions, api_keys")).toEqual([
      { state: "revoked", revoked_at: 5 },
    ]);
    // Where the former database cannot be read, that is said, and restoring goes on.
    await writeFile(restored(databaseName), "damaged");
    expect(await restore("b", "restored", { replace: true })).toMatchObject({ revocationsKept: null });
  });

  test("says which encryption key stored credentials of workers need", async () => {
    const id = "0123456789ab";
    await core.context.database.write((tx) =>
      tx
        .prepare(
          `INSERT INTO worker_accounts (id, workspace, label, kind, status, worker_key, credentials_changed_at, slots_image, slots_video, created_at, updated_at)
         VALUES ('1', 'attic-gpu', 'Attic', 'http', 'pending', ?, 0, 1, 1, 0, 0)`,
        )
        .run(`sl1.${id}.AAAAAAAAAAAAAAAA.AAAA`),
    );
    expect((await take("b")).secrets.needed_encryption_keys).toEqual([id]);
    expect((await restore("b")).missingEncryptionKeys).toEqual([id]);
  });
});
