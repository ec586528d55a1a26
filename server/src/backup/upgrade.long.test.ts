// An installation of the first release, upgraded and rolled back as docs/operations/upgrade.md says: backup, start of this release, smoke,
// and back, both ways: the old release on the new schema, and the backup put in place.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, expect, test } from "vitest";
import { openDatabase } from "../database/open.ts";
import { migrations } from "../database/sqlite/migrations/all.ts";
import { startServer } from "../main.ts";
import { flatPng } from "../testing/pictures.ts";

const repository = join(import.meta.dirname, "../../..");
const folder = await mkdtemp(join(tmpdir(), "safelight-upgrade-"));
afterAll(() => rm(folder, { recursive: true, force: true }));
const data = join(folder, "data");
const file = join(data, "safelight.sqlite");

/** The schema of the first release. */
const first = migrations.slice(0, 1);
const count = 40;
const picture = flatPng(512, 512);
const sha256 = createHash("sha256").update(picture).digest("hex");

/** By columns that the first release has. */
async function fillOldInstallation(): Promise<void> {
  await mkdir(join(data, "media", "results"), { recursive: true, mode: 0o700 });
  const database = await openDatabase({ file, migrations: first });
  await database.write(async (tx) => {
    const task = tx.prepare(
      `INSERT INTO tasks (id, model, type, mode, prompt, parameters, seed, catalog_version, status, stage, progress, result_path,
         result_type, result_bytes, result_sha256, error_code, error_msg, width, height, frames, created_at, updated_at, finished_at)
       VALUES (?, 'pony', 'image', 'txt2img', 'a red boat', '{"steps":20,"width":512,"height":512,"seed":1}', 1, '1', ?, 'queued', ?, ?,
         'image/png', ?, ?, ?, ?, 512, 512, 1, ?, 0, ?)`,
    );
    for (let index = 0; index < count; index += 1) {
      const isDone = index % 2 === 0;
      const id = idOf(index);
      const [code, text] = isDone ? [null, null] : ["out_of_memory", "too large"];
      const result = isDone ? [`results/${id}-1.png`, picture.byteLength, sha256] : [null, null, null];
      await task.run(id, isDone ? "done" : "failed", isDone ? 100 : 0, ...result, code, text, index, index);
    }
  });
  await database.close();
  for (let index = 0; index < count; index += 2) {
    await writeFile(join(data, "media", "results", `${idOf(index)}-1.png`), picture);
  }
}

const idOf = (index: number): string => `0195a3c2-7f10-7c3e-8a52-${String(index).padStart(12, "0")}`;

async function safelight(...parameters: string[]): Promise<string> {
  const environment = {
    PATH: process.env.PATH ?? "",
    HOME: folder,
    DATA_DIR: data,
    MODAL_SERVER_URL: "http://127.0.0.1:9",
  };
  const child = spawn(process.execPath, [join(repository, "cli/src/main.ts"), ...parameters], {
    cwd: folder,
    env: environment,
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (piece: Buffer) => (printed += piece.toString()));
  const [code] = (await once(child, "close")) as [number];
  expect({ parameters, code, printed }).toMatchObject({ code: 0 });
  return printed;
}

const schemaOf = (): number => {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return Number(database.prepare("SELECT max(number) AS number FROM migrations").get()?.number);
  } finally {
    database.close();
  }
};

/** Starts this release, lets smoke judge it, and looks for every task of the old one. Answers how many tasks there are in the end. */
async function runThisRelease(): Promise<number> {
  const server = await startServer({
    DATA_DIR: data,
    PORT: "0",
    LOG_LEVEL: "silent",
    MODAL_SERVER_URL: "http://127.0.0.1:9",
  });
  try {
    await safelight("smoke", "--timeout", "900");
    const headers = { "x-api-key": server.secrets.apiKey };
    for (let index = 0; index < count; index += 1) {
      const answer = await fetch(`${server.url}/results/${idOf(index)}`, { headers });
      expect([index, answer.status]).toEqual([index, index % 2 === 0 ? 200 : 409]);
      if (answer.ok)
        expect(
          createHash("sha256")
            .update(await answer.bytes())
            .digest("hex"),
        ).toBe(sha256);
    }
    const kept = { model: "pony", prompt: "after the upgrade", width: 512, height: 512, steps: 20 };
    const body = JSON.stringify(kept);
    const sent = await fetch(`${server.url}/generate`, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body,
    });
    expect(sent.status).toBe(202);
    return Number((await server.context.database.prepareRead("SELECT count(*) AS n FROM tasks").get())?.n);
  } finally {
    await server.close();
  }
}

test(
  "Rollback: a release is put on and taken off again, and nothing of before is lost",
  async () => {
    await fillOldInstallation();
    const before = join(folder, "before-upgrade");
    expect(await safelight("backup", before)).toContain("schema step 1");
    expect(await runThisRelease()).toBeGreaterThan(count);
    expect(schemaOf()).toBe(migrations.length);

    // The release before runs on what the new one has left: steps of the schema only add.
    const old = await openDatabase({ file, migrations: first });
    await old.write((tx) =>
      tx.prepare("UPDATE tasks SET prompt = 'changed by the old release' WHERE id = ?").run(idOf(0)),
    );
    await old.close();
    expect(await runThisRelease()).toBeGreaterThan(count);

    // Or everything is as it was at the moment of the backup.
    expect(await safelight("restore", before, "--replace")).toContain(`${count} tasks`);
    expect(schemaOf()).toBe(1);
    const again = await openDatabase({ file, migrations: first });
    const rows = await again.prepareRead("SELECT id, status, prompt FROM tasks ORDER BY id").all();
    expect(rows.map(({ id, prompt }) => [id, prompt])).toEqual(
      Array.from({ length: count }, (_, index) => [idOf(index), "a red boat"]),
    );
    await again.close();
    for (let index = 0; index < count; index += 2) {
      expect((await readFile(join(data, "media", "results", `${idOf(index)}-1.png`))).equals(picture)).toBe(true);
    }
    // And the new release can be tried once more.
    expect(await runThisRelease()).toBeGreaterThan(count);
  },
  30 * 60_000,
);
