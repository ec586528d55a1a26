/** What every database behind the seam has to do. Each case runs on each of them, on a database of its own. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { SafelightError } from "../errors.ts";
import { describeSearch } from "./conformance-search.ts";
import { describeSharing } from "./conformance-sharing.ts";
import type { Database, Row, Transaction } from "./database.ts";

export interface OpenedDatabase {
  readonly database: Database;
  /** Fails the next operation of this kind of the writer, once. */
  failNext(operation: "begin" | "statement" | "commit"): void;
  close(): Promise<void>;
}

export function describeDatabase(name: string, open: () => Promise<OpenedDatabase>): void {
  describe(name, () => {
    let opened: OpenedDatabase;
    let database: Database;
    beforeAll(async () => {
      opened = await open();
      database = opened.database;
    });
    afterAll(() => opened.close());
    beforeEach(() => database.write((tx) => run(tx, "DELETE FROM settings")));

    const run = (tx: Transaction, sql: string) => tx.prepare(sql).run();
    const put = (tx: Transaction, key: string, value = "x") =>
      tx.prepare("INSERT INTO settings (key, value) VALUES (?, ?)").run(key, value);
    const one = (sql: string): Promise<Row | undefined> => database.prepareRead(sql).get();
    const keys = async () =>
      (await database.prepareRead("SELECT key FROM settings ORDER BY key").all()).map(({ key }) => key);
    const unavailable = expect.objectContaining({ code: "storage_unavailable" });

    describe("writing", () => {
      test("what has resolved is seen by whoever reads", async () => {
        await database.write((tx) => put(tx, "a"));
        expect(await keys()).toEqual(["a"]);
      });

      test("work sees its own changes, and how many rows they changed", async () => {
        await database.write(async (tx) => {
          expect(await put(tx, "a")).toEqual({ changes: 1 });
          await put(tx, "b");
          expect(await tx.prepare("SELECT count(*) AS n FROM settings").get()).toEqual({ n: 2 });
          expect(await tx.prepare("UPDATE settings SET value = ?").run("y")).toEqual({ changes: 2 });
          expect(await tx.prepare("DELETE FROM settings WHERE key = ?").run("none")).toEqual({ changes: 0 });
        });
      });

      test("new ids come by RETURNING, in the order of the commits", async () => {
        const add = (task: string) =>
          database.write((tx) =>
            tx
              .prepare("INSERT INTO events (task_id, type, data, created_at) VALUES (?, 'x', '{}', 0) RETURNING id")
              .get(task),
          );
        const rows = await Promise.all(["a", "b", "c"].map(add));
        const ids = rows.map((row) => Number(row?.id));
        expect(ids).toEqual([...ids].sort((one, other) => one - other));
        expect(new Set(ids).size).toBe(3);
      });

      test("work that throws takes back its own changes alone, and rejects with its own error", async () => {
        const fault = new Error("no");
        const results = await Promise.allSettled([
          database.write((tx) => put(tx, "first")),
          database.write(async (tx) => {
            await put(tx, "second");
            throw fault;
          }),
          database.write((tx) => put(tx, "third")),
        ]);
        expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
        expect(results[1]).toHaveProperty("reason", fault);
        expect(await keys()).toEqual(["first", "third"]);
      });

      test("a refused statement ends its work and nobody else's, and is no fault of the storage", async () => {
        const results = await Promise.allSettled([
          database.write((tx) => put(tx, "a")),
          database.write(async (tx) => {
            await put(tx, "b");
            await put(tx, "a");
          }),
          database.write((tx) => put(tx, "c")),
        ]);
        expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
        expect((results[1] as PromiseRejectedResult).reason).not.toBeInstanceOf(SafelightError);
        expect(await keys()).toEqual(["a", "c"]);
      });

      test("what is read in a transaction is still true when it commits: no increment is lost", async () => {
        await database.write((tx) => put(tx, "count", "0"));
        const increment = () =>
          database.write(async (tx) => {
            const row = await tx.prepare("SELECT value FROM settings WHERE key = 'count'").get();
            await tx.prepare("UPDATE settings SET value = ? WHERE key = 'count'").run(String(Number(row?.value) + 1));
          });
        await Promise.all(Array.from({ length: 40 }, increment));
        expect(await one("SELECT value FROM settings")).toEqual({ value: "40" });
      });

      test("what follows a commit runs when it can be read, before the writer is told", async () => {
        const steps: string[] = [];
        let seen: Promise<unknown> | undefined;
        await database.write(async (tx) => {
          await put(tx, "a");
          tx.afterCommit(() => {
            steps.push("after");
            seen = keys();
          });
        });
        steps.push("told");
        expect(steps).toEqual(["after", "told"]);
        expect(await seen).toEqual(["a"]);
      });

      test("what should follow a commit does not run when the work is taken back", async () => {
        let ran = false;
        const lost = database.write((tx) => {
          tx.afterCommit(() => {
            ran = true;
          });
          throw new Error("no");
        });
        await expect(lost).rejects.toThrow("no");
        expect(ran).toBe(false);
      });

      test("a transaction cannot be used when its work has ended", async () => {
        let kept: Transaction | undefined;
        await database.write((tx) => {
          kept = tx;
        });
        expect(() => kept?.prepare("SELECT 1")).toThrow("ended");
        expect(() => kept?.afterCommit(() => undefined)).toThrow("ended");
      });

      test.each(["begin", "statement", "commit"] as const)(
        "a storage that fails at the %s: nothing is changed, and the next write succeeds",
        async (operation) => {
          opened.failNext(operation);
          await expect(database.write((tx) => put(tx, "lost"))).rejects.toEqual(unavailable);
          await database.write((tx) => put(tx, "kept"));
          expect(await keys()).toEqual(["kept"]);
        },
      );
    });

    describe("reading", () => {
      test("several statements see one state, whatever is committed in between", async () => {
        await database.write((tx) => put(tx, "a"));
        const counts = await database.read(async ({ prepare }) => {
          const count = prepare("SELECT count(*) AS n FROM settings");
          const before = await count.get();
          await database.write((tx) => put(tx, "b"));
          return [before, await count.get()];
        });
        expect(counts).toEqual([{ n: 1 }, { n: 1 }]);
        expect(await keys()).toEqual(["a", "b"]);
      });

      test("nothing is written through it", async () => {
        const sql = "INSERT INTO settings (key, value) VALUES ('x', 'x')";
        await expect(database.prepareRead(sql).run()).rejects.toThrow();
        await expect(database.read(({ prepare }) => prepare(sql).run())).rejects.toThrow();
        expect(await keys()).toEqual([]);
      });

      test("its errors are the errors of the work", async () => {
        const fault = new Error("no");
        await expect(
          database.read(() => {
            throw fault;
          }),
        ).rejects.toBe(fault);
        await expect(database.read(async () => Promise.reject(fault))).rejects.toBe(fault);
        expect(await database.read(async ({ prepare }) => prepare("SELECT 1 AS one").get())).toEqual({ one: 1 });
      });
    });

    describe("values", () => {
      test("come back as they went in", async () => {
        const texts = ["", 'it\'s ? "quoted" \\ and ünïcödé 🎞', "two\nlines"];
        for (const text of texts) await database.write((tx) => put(tx, text, text));
        const rows = await database.prepareRead("SELECT value FROM settings").all();
        expect(new Set(rows.map(({ value }) => value))).toEqual(new Set(texts));
        const numbers = await database
          .prepareRead("SELECT CAST(? AS BIGINT) AS large, CAST(? AS BIGINT) AS small, CAST(? AS BIGINT) AS missing")
          .get(Number.MAX_SAFE_INTEGER, BigInt(-7), null);
        expect(numbers).toEqual({ large: Number.MAX_SAFE_INTEGER, small: -7, missing: null });
      });

      test("counts and sums are numbers, and bytes are bytes", async () => {
        await database.write(async (tx) => {
          await tx.prepare("UPDATE queue_size SET waiting = 7").run();
          expect(await tx.prepare("SELECT count(*) AS n, sum(waiting) AS sum FROM queue_size").get()).toEqual({
            n: 1,
            sum: 7,
          });
          await tx.prepare("UPDATE queue_size SET waiting = 0").run();
        });
        const row = await one(`SELECT ${database.dialect.bytesOf("'aé'")} AS bytes`);
        expect(row).toEqual({ bytes: new Uint8Array([0x61, 0xc3, 0xa9]) });
      });

      test("a number that JavaScript cannot hold is an error, not another number", async () => {
        const statement = database.prepareRead("SELECT CAST('9007199254740993' AS BIGINT) AS n");
        await expect(statement.get()).rejects.toThrow("too large");
        expect(await one("SELECT CAST('9007199254740993' AS TEXT) AS n")).toEqual({ n: "9007199254740993" });
      });

      test("undefined is refused", async () => {
        const statement = database.prepareRead("SELECT CAST(? AS TEXT) AS a");
        await expect(statement.get(undefined as unknown as null)).rejects.toThrow();
      });

      test("a question mark in a text, a name or a comment is no value", async () => {
        const sql = `SELECT '?' AS "a?", CAST(? AS TEXT) AS b -- why?\n/* or ? */`;
        expect(await database.prepareRead(sql).get("x")).toEqual({ "a?": "?", b: "x" });
      });

      test("texts sort by their bytes", async () => {
        const sorted = ["Z", "_", "a", "aa", "b", "É", "é"];
        for (const key of [...sorted].reverse()) await database.write((tx) => put(tx, key));
        expect(await keys()).toEqual(sorted);
      });

      test("one of a list", async () => {
        for (const key of ["a", "b", "c"]) await database.write((tx) => put(tx, key));
        const statement = database.prepareRead(
          `SELECT key FROM settings WHERE key IN (${database.dialect.textsOfJson}) ORDER BY key`,
        );
        expect(await statement.all(JSON.stringify(["a", "c", "it's"]))).toEqual([{ key: "a" }, { key: "c" }]);
        expect(await statement.all("[]")).toEqual([]);
      });
    });

    describeSharing(() => database);
    describeSearch(() => database);
    describeQueue(() => database);
    describeAudit(() => database);

    test("closing finishes what was asked for and refuses what comes later", async () => {
      const other = await open();
      const first = other.database.write((tx) => put(tx, "a"));
      await Promise.all([first, other.close()]);
      await expect(other.database.write((tx) => put(tx, "b"))).rejects.toEqual(unavailable);
    });
  });
}

const insertTask = `INSERT INTO tasks (id, model, type, mode, prompt, parameters, seed, catalog_version, status, stage, created_at,
  updated_at, submitted_by, front) VALUES (?, 'm', 'image', 'txt2img', 'a boat', '{}', 1, '1', 'pending', 'queued', 1, 1, ?, ?)`;

function describeQueue(current: () => Database): void {
  test("claims that are made at the same time never get one row", async () => {
    const database = current();
    const add = (id: string) => database.write((tx) => tx.prepare(insertTask).run(id, "ann", 0));
    const ids = Array.from({ length: 8 }, (_, nth) => `claim-${nth}`);
    for (const id of ids) await add(id);
    const claim = () =>
      database.write(async ({ prepare, dialect }) => {
        const picked = await prepare(
          `SELECT id FROM tasks WHERE status = 'pending' ORDER BY sequence LIMIT 1${dialect.picking("tasks")}`,
        ).get();
        await prepare("UPDATE tasks SET status = 'processing' WHERE id = ?").run(picked?.id ?? null);
        return picked?.id;
      });
    expect(new Set(await Promise.all(ids.map(claim)))).toEqual(new Set(ids));
    expect(await claim()).toBeUndefined();
    await database.write((tx) => tx.prepare("DELETE FROM tasks").run());
  });

  test("the database itself counts who waits and keeps the turns", async () => {
    const database = current();
    const change = (sql: string, ...values: string[]) => database.write((tx) => tx.prepare(sql).run(...values));
    const stand = async () => ({
      waiting: (await database.prepareRead("SELECT waiting FROM queue_size").get())?.waiting,
      turns: await database.prepareRead("SELECT credential, place, waiting FROM queue_turns ORDER BY place").all(),
    });
    for (const [id, who] of [
      ["1", "ann"],
      ["2", "bob"],
      ["3", "ann"],
    ]) {
      await database.write((tx) => tx.prepare(insertTask).run(id ?? "", who ?? "", 0));
    }
    await database.write((tx) => tx.prepare(insertTask).run("4", "cid", 1));
    const ann = { credential: "ann", place: 1, waiting: 2 };
    const bob = { credential: "bob", place: 2, waiting: 1 };
    expect(await stand()).toEqual({ waiting: 4, turns: [ann, bob] });
    await change("UPDATE tasks SET status = 'processing' WHERE id = ?", "2");
    expect(await stand()).toEqual({ waiting: 3, turns: [ann] });
    await change("UPDATE tasks SET front = 1 WHERE id = ?", "1");
    expect(await stand()).toEqual({ waiting: 3, turns: [{ ...ann, waiting: 1 }] });
    await change("UPDATE tasks SET front = 0 WHERE id IN ('1', '4')");
    expect(await stand()).toEqual({ waiting: 3, turns: [ann, { credential: "cid", place: 2, waiting: 1 }] });
    await change("DELETE FROM tasks");
    expect(await stand()).toEqual({ waiting: 0, turns: [] });
  });
}

function describeAudit(current: () => Database): void {
  const insert = `INSERT INTO audit_events (id, timestamp, actor_type, actor_id, source, action, target, outcome, details, correlation_id,
    previous_hash, hash) VALUES (?, 1, 'system', 's', 'x', 'y', NULL, 'success', '{}', 'c', ?, ?)`;
  const genesis = "0".repeat(64);

  test("the audit log is added to at its end, and nothing else", async () => {
    const database = current();
    const add = (id: number, previous: string, hash: string) =>
      database.write((tx) => tx.prepare(insert).run(id, previous, hash));
    const change = (sql: string) => database.write((tx) => tx.prepare(sql).run());
    await add(1, genesis, "h1");
    await add(2, "h1", "h2");
    const head = "SELECT id, hash, rows, checkpoint FROM audit_head";
    expect(await database.prepareRead(head).get()).toEqual({ id: 2, hash: "h2", rows: 2, checkpoint: 0 });
    await expect(add(3, "h1", "h3")).rejects.toThrow("out of their chain");
    await expect(add(2, "h2", "h3")).rejects.toThrow("never changed");
    await expect(change("UPDATE audit_events SET details = '{\"a\":1}' WHERE id = 1")).rejects.toThrow("never changed");
    await expect(change("DELETE FROM audit_events")).rejects.toThrow("never deleted");
    await expect(change("UPDATE audit_head SET hash = 'x'")).rejects.toThrow("never changed");
    await expect(change("DELETE FROM audit_head")).rejects.toThrow("never changed");
    await expect(change("INSERT INTO audit_pruning VALUES (1)")).rejects.toThrow("without a checkpoint");
    expect(await database.prepareRead(head).get()).toEqual({ id: 2, hash: "h2", rows: 2, checkpoint: 0 });
  });

  test("rows go when a signed checkpoint stands for them", async () => {
    const database = current();
    const checkpoint = (sequence: number, kind: string, previous: string) =>
      database.write((tx) =>
        tx
          .prepare("INSERT INTO audit_checkpoints VALUES (?, ?, 1, 1, 'h1', 1, ?, 'key', 'signature')")
          .run(sequence, kind, previous),
      );
    await expect(checkpoint(2, "prune", "p")).rejects.toThrow("out of order");
    await checkpoint(1, "prune", "p");
    await expect(database.write((tx) => tx.prepare("UPDATE audit_checkpoints SET hash = 'x'").run())).rejects.toThrow(
      "never changed",
    );
    await database.write(async (tx) => {
      await tx.prepare("INSERT INTO audit_pruning VALUES (?)").run(1);
      if (!tx.dialect.prunesAudit) await tx.prepare("DELETE FROM audit_events WHERE id <= ?").run(1);
      await tx.prepare("DELETE FROM audit_pruning").run();
    });
    expect(await database.prepareRead("SELECT id FROM audit_events ORDER BY id").all()).toEqual([{ id: 2 }]);
  });
}
