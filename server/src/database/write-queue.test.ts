import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DatabaseFaults } from "../testing/core.ts";
import type { Database, Transaction } from "./database.ts";
import { openDatabase } from "./open.ts";

let folder: string;
let database: Database;
let faults: DatabaseFaults;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "safelight-database-"));
  faults = new DatabaseFaults();
  database = await openDatabase({ file: join(folder, "test.sqlite"), interrupt: faults.interrupt });
});

afterEach(async () => {
  await database.close();
  await rm(folder, { recursive: true });
});

async function put(tx: Transaction, key: string, value = "x"): Promise<void> {
  await tx.prepare("INSERT INTO settings (key, value) VALUES (?, ?)").run(key, value);
}

async function keys(): Promise<string[]> {
  return (await database.prepareRead("SELECT key FROM settings ORDER BY key").all()).map((row) => String(row.key));
}

/** Commits as another connection sees them: one for each flushed transaction. */
function commitsDuring(run: () => Promise<unknown>): Promise<number> {
  faults.failNth(Number.POSITIVE_INFINITY, "commit");
  return run().then(() => faults.seen);
}

describe("the write queue", () => {
  test("what write has resolved is on disk for every other connection", async () => {
    await database.write((tx) => put(tx, "a"));
    const other = new DatabaseSync(join(folder, "test.sqlite"), { readOnly: true });
    expect(other.prepare("SELECT count(*) AS count FROM settings").get()?.count).toBe(1);
    other.close();
  });

  test("statements of one piece of work share the transaction", async () => {
    await database.write(async (tx) => {
      await put(tx, "a");
      await tx.prepare("INSERT INTO settings (key, value) VALUES (?, ?)").run("b", "y");
      expect(await tx.prepare("SELECT key FROM settings").all()).toHaveLength(2);
    });
    expect(await keys()).toEqual(["a", "b"]);
    const rows = await database.prepareRead("SELECT * FROM settings WHERE key = ?").all("b");
    expect(rows[0]?.value).toBe("y");
  });

  test("writes asked for at the same moment share one commit", async () => {
    const names = Array.from({ length: 20 }, (_, index) => `k${String(index).padStart(2, "0")}`);
    const commits = await commitsDuring(() => Promise.all(names.map((name) => database.write((tx) => put(tx, name)))));
    expect(commits).toBe(1);
    expect(await keys()).toEqual(names);
  });

  test("a piece of work that throws takes back only its own changes", async () => {
    const results = await Promise.allSettled([
      database.write((tx) => put(tx, "a")),
      database.write(async (tx) => {
        await put(tx, "b");
        throw new Error("changed my mind");
      }),
      database.write((tx) => put(tx, "c")),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(results[1]).toMatchObject({ reason: { message: "changed my mind" } });
    expect(await keys()).toEqual(["a", "c"]);
  });

  test("a violated constraint rejects as it is and leaves the others alone", async () => {
    const results = await Promise.allSettled([
      database.write((tx) => put(tx, "a")),
      database.write((tx) => put(tx, "a")),
      database.write((tx) => put(tx, "b")),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(await keys()).toEqual(["a", "b"]);
  });

  test("when the commit fails nobody's change is there and everybody hears it", async () => {
    faults.failNth(1, "commit");
    const heard: string[] = [];
    const results = await Promise.allSettled([
      database.write(async (tx) => {
        await put(tx, "a");
        tx.afterCommit(() => void heard.push("a"));
      }),
      database.write((tx) => put(tx, "b")),
    ]);
    expect(results).toMatchObject([
      { status: "rejected", reason: { code: "storage_unavailable" } },
      { status: "rejected", reason: { code: "storage_unavailable" } },
    ]);
    expect(heard).toEqual([]);
    expect(await keys()).toEqual([]);
    await database.write((tx) => put(tx, "later"));
    expect(await keys()).toEqual(["later"]);
  });

  test("a transaction that cannot begin rejects and the next one works", async () => {
    faults.failNth(1, "begin");
    await expect(database.write((tx) => put(tx, "a"))).rejects.toMatchObject({ code: "storage_unavailable" });
    await database.write((tx) => put(tx, "b"));
    expect(await keys()).toEqual(["b"]);
  });

  test("what callers learn of a broken disk names neither path nor reason", async () => {
    faults.failNth(1, "statement");
    const failure = await database.write((tx) => put(tx, "a")).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "storage_unavailable" });
    expect(String(failure)).not.toMatch(/sqlite|disk is full/i);
  });

  test("actions after the commit run in order, before write resolves, and one that throws harms nobody", async () => {
    const heard: string[] = [];
    await database.write((tx) => {
      tx.afterCommit(() => void heard.push("first"));
      tx.afterCommit(() => {
        throw new Error("a listener's own fault");
      });
      tx.afterCommit(() => void heard.push("third"));
    });
    heard.push("resolved");
    expect(heard).toEqual(["first", "third", "resolved"]);
  });

  test("a transaction used after its end throws", async () => {
    let leaked: Transaction | undefined;
    await database.write((tx) => {
      leaked = tx;
    });
    expect(() => leaked?.prepare("SELECT 1")).toThrow(/ended/);
  });

  test("the read connection cannot write", async () => {
    await expect(() =>
      database.prepareRead("INSERT INTO settings (key, value) VALUES (?, ?)").run("a", "b"),
    ).rejects.toThrow(/readonly/);
  });

  test("close lets the work already taken finish and refuses the rest", async () => {
    const taken = database.write((tx) => put(tx, "a"));
    const closing = database.close();
    await expect(database.write((tx) => put(tx, "b"))).rejects.toMatchObject({ code: "storage_unavailable" });
    await expect(taken).resolves.toBeUndefined();
    await closing;
    database = await openDatabase({ file: join(folder, "test.sqlite") });
    expect(await keys()).toEqual(["a"]);
  });

  test("a full database fails the work that did not fit, keeps what was acknowledged, and recovers with space", async () => {
    await database.close();
    const file = join(folder, "test.sqlite");
    let limit = "";
    // The page limit belongs to a connection, so it is set through the first statement that passes.
    database = await openDatabase({ file });
    await database.write(async (tx) => {
      const pages = Number((await tx.prepare("PRAGMA page_count").get())?.page_count);
      limit = String((await tx.prepare(`PRAGMA max_page_count = ${pages + 20}`).get())?.max_page_count);
    });
    expect(Number(limit)).toBeGreaterThan(0);
    const acknowledged: string[] = [];
    const big = "x".repeat(10_000);
    for (let index = 0; index < 40; index += 1) {
      const names = [0, 1, 2].map((part) => `${index}-${part}`);
      const results = await Promise.allSettled(names.map((name) => database.write((tx) => put(tx, name, big))));
      for (const [part, result] of results.entries()) {
        if (result.status === "fulfilled") acknowledged.push(names[part] ?? "");
        else expect(result.reason).toMatchObject({ code: "storage_unavailable" });
      }
    }
    expect(acknowledged.length).toBeGreaterThan(0);
    expect(acknowledged.length).toBeLessThan(120);
    expect(await keys()).toEqual(acknowledged.toSorted());
    await database.write((tx) => tx.prepare("PRAGMA max_page_count = 100000").get());
    await database.write((tx) => put(tx, "again", big));
    expect(await keys()).toContain("again");
  });

  test("work that swallows the fault of a transaction that SQLite itself rolled back commits nothing", async () => {
    const results = await Promise.allSettled([
      database.write((tx) => put(tx, "before")),
      database.write(async (tx) => {
        // What SQLite does by itself on some disk errors.
        await tx.prepare("ROLLBACK").run();
        try {
          await tx.prepare("SELECT broken FROM nowhere").get();
        } catch {
          // Swallowed, as a careless caller would.
        }
        await put(tx, "after");
      }),
    ]);
    expect(results.map(({ status }) => status)).toContain("rejected");
    expect(await keys()).not.toContain("before");
  });
});
