import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { refusalOf } from "../../testing/opening-refused.ts";
import { openDatabase } from "../open.ts";
import { firstTables } from "./migrations/0001-first-tables.ts";
import { migrations } from "./migrations/all.ts";
import type { Migration } from "./migrations/migration.ts";

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "safelight-open-"));
  file = join(folder, "test.sqlite");
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

function refusal(options: Partial<Parameters<typeof openDatabase>[0]> = {}): Promise<string> {
  return refusalOf(openDatabase({ file, ...options }));
}

const next: Migration = {
  number: migrations.length + 1,
  name: "next",
  sql: "CREATE TABLE extra (id INTEGER PRIMARY KEY) STRICT",
};

describe("opening the database", () => {
  test("makes it for the owner only, in WAL mode with full flushes", async () => {
    const database = await openDatabase({ file });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await database.prepareRead("PRAGMA journal_mode").get())?.journal_mode).toBe("wal");
    const synchronous = await database.write(async (tx) => (await tx.prepare("PRAGMA synchronous").get())?.synchronous);
    expect(synchronous).toBe(2);
    const foreignKeys = await database.write(
      async (tx) => (await tx.prepare("PRAGMA foreign_keys").get())?.foreign_keys,
    );
    expect(foreignKeys).toBe(1);
    await database.close();
  });

  test("opens again with what was there, and applies only the steps that are new", async () => {
    const first = await openDatabase({ file });
    await first.write((tx) => tx.prepare("INSERT INTO settings (key, value) VALUES ('a', 'b')").run());
    await first.close();
    const again = await openDatabase({ file, migrations: [...migrations, next] });
    expect((await again.prepareRead("SELECT value FROM settings").get())?.value).toBe("b");
    expect((await again.prepareRead("SELECT count(*) AS count FROM migrations").get())?.count).toBe(
      migrations.length + 1,
    );
    await again.close();
  });

  test("a step that fails leaves the schema as it was", async () => {
    await (await openDatabase({ file })).close();
    const broken: Migration = { ...next, sql: `${next.sql}; CREATE TABLE tasks (id TEXT)` };
    await refusal({ migrations: [...migrations, broken] });
    const again = await openDatabase({ file });
    expect(
      (await again.prepareRead("SELECT count(*) AS count FROM sqlite_schema WHERE name = 'extra'").get())?.count,
    ).toBe(0);
    await again.close();
  });

  test("runs on the schema of a newer release, which only added to it: a release can be rolled back", async () => {
    await (await openDatabase({ file, migrations: [...migrations, next] })).close();
    const older = await openDatabase({ file });
    await older.write((tx) => tx.prepare("INSERT INTO settings (key, value) VALUES ('a', 'b')").run());
    await older.close();
    const newer = await openDatabase({ file, migrations: [...migrations, next] });
    expect((await newer.prepareRead("SELECT value FROM settings").get())?.value).toBe("b");
    await newer.close();
  });

  test("refuses a schema whose steps are not ours", async () => {
    await (
      await openDatabase({ file, migrations: [{ ...firstTables, sql: `${firstTables.sql}\n-- edited` }] })
    ).close();
    expect(await refusal()).toMatch(/step 1 differs/);
  });

  test("a file that is no database is one clear line", async () => {
    await writeFile(file, "this is a letter, not a database ".repeat(100));
    expect(await refusal()).toMatch(/damaged or is no database/);
  });

  test("a damaged page is found at the start", async () => {
    const database = await openDatabase({ file });
    for (let index = 0; index < 200; index += 1) {
      await database.write((tx) =>
        tx.prepare("INSERT INTO settings (key, value) VALUES (?, ?)").run(`k${index}`, "v".repeat(500)),
      );
    }
    await database.close();
    const plain = new DatabaseSync(file);
    plain.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    plain.close();
    const bytes = await readFile(file);
    bytes.fill(0x5a, 4096 * 3, bytes.byteLength - 4096);
    await writeFile(file, bytes);
    expect(await refusal()).toMatch(/damaged/);
  });

  test("a database that another program holds is one clear line", async () => {
    await (await openDatabase({ file })).close();
    const other = new DatabaseSync(file);
    other.exec("BEGIN EXCLUSIVE");
    expect(await refusal()).toMatch(/locked by another program/);
    other.exec("ROLLBACK");
    other.close();
    await (await openDatabase({ file })).close();
  });

  test("a folder that is not there and a path that is a folder are clear lines", async () => {
    expect(await refusal({ file: join(folder, "missing", "test.sqlite") })).toMatch(/does not exist/);
    expect(await refusal({ file: folder })).toMatch(/cannot be written/);
  });

  test("a place that cannot be written, not even by root, is one clear line", async () => {
    expect(await refusal({ file: "/sys/kernel/safelight.sqlite" })).toMatch(/cannot be written/);
  });
});
