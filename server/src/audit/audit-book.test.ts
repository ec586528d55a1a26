import type { KeyObject } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { text } from "node:stream/consumers";
import type { AuditAction } from "@safelight/contract";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openDatabase } from "../database/open.ts";
import { migrations } from "../database/sqlite/migrations/all.ts";
import { fillAuditLog, newAuditKeys } from "../testing/audit-log.ts";
import { type Core, openCore } from "../testing/core.ts";
import { Gate, HeldDatabase } from "../testing/held-database.ts";
import { onPostgres } from "../testing/test-database.ts";
import { appendAudit, recordAudit } from "./append.ts";
import { AuditBook } from "./audit-book.ts";
import { encodedRowSql, encodeRow, hashOf, type RowFields } from "./canonical.ts";
import { makeAuditKey, parseAuditKeys, parsePublicKey } from "./keys.ts";
import { NotAnExport, verifyExport } from "./verify-export.ts";

const day = 24 * 60 * 60 * 1000;
const keys = newAuditKeys();
let core: Core;
let book: AuditBook;

beforeEach(async () => {
  core = await openCore();
  book = new AuditBook(core.context, keys);
});
afterEach(() => core.close());

const count = async (table: string, where = "1 = 1") =>
  Number((await core.context.database.prepareRead(`SELECT count(*) AS n FROM ${table} WHERE ${where}`).get())?.n);
const entry = { action: "cancel_task", target: null, outcome: "success" } as const;

async function reopen(): Promise<void> {
  core = await core.reopen();
  book = new AuditBook(core.context, keys);
}

describe("FR-022: the chain", () => {
  test("begins with a row and a signed checkpoint, and a second start adds nothing", async () => {
    await book.start();
    await book.start();
    const verdict = await book.verify();
    expect(verdict).toMatchObject({
      intact: true,
      checked: 1,
      first_id: 1,
      checkpoints: { checked: 1, rows_after_last: 0 },
    });
    expect(await count("audit_events", "action = 'start_audit_chain'")).toBe(1);
    expect(verdict.cannot_show.map(({ code }) => code)).toEqual(["key_holder", "older_copy"]);
  });

  test("a checkpoint that is signed while the log is checked is part of it, wherever the check is", async () => {
    await book.start();
    await fillAuditLog(core, 60);
    const database = new HeldDatabase(core.context.database);
    const checking = new AuditBook({ ...core.context, database }, keys);
    let signed = 0;
    database.onRead = async (sql) => {
      if (sql !== "BEGIN" || signed === 12) return;
      signed += 1;
      await book.checkpoint(core.context);
    };
    // One before each portion of rows, and as many after the last as rows come with them.
    expect(await checking.verify()).toMatchObject({ intact: true, checkpoints: { checked: 13, rows_after_last: 0 } });
  });

  test("writers at the same moment, some of which fail, make one chain without a gap", async () => {
    const { database } = core.context;
    const results = await Promise.allSettled(
      Array.from({ length: 300 }, (_, index) =>
        database.write(async (tx) => {
          await appendAudit(core.context, tx, { ...entry, details: { index } });
          if (index % 7 === 3) throw new Error("the change failed");
          if (index % 5 === 0) await appendAudit(core.context, tx, { ...entry, target: "second" });
        }),
      ),
    );
    const written = results.filter(({ status }) => status === "fulfilled").length;
    expect(written).toBeLessThan(300);
    const verdict = await book.verify();
    expect(verdict).toMatchObject({ intact: true, checked: await count("audit_events"), first_id: 1 });
    expect(verdict.last_id).toBe(verdict.checked);
  });

  test.each([
    "INSERT INTO audit_events SELECT 900, timestamp, actor_type, actor_id, source, action, target, outcome, details, correlation_id, previous_hash, hash || 'x' FROM audit_events WHERE id = 2",
    ...(onPostgres
      ? []
      : [
          "INSERT OR REPLACE INTO audit_events SELECT id, timestamp, actor_type, actor_id, source, 'x', target, outcome, details, correlation_id, NULL, NULL FROM audit_events WHERE id = 2",
        ]),
    "UPDATE audit_events SET hash = NULL WHERE id = 3",
    "UPDATE audit_events SET previous_hash = 'x'",
    "DELETE FROM audit_events WHERE id = 1",
    "UPDATE audit_checkpoints SET rows = 1",
    "DELETE FROM audit_checkpoints",
    "INSERT INTO audit_pruning VALUES (3)",
    "UPDATE audit_head SET hash = 'x'",
    "UPDATE audit_head SET checkpoint = checkpoint + 1",
    "DELETE FROM audit_head",
    ...(onPostgres ? [] : ["INSERT OR REPLACE INTO audit_head VALUES (1, 0, 'x', 0, 0)"]),
  ])("the database itself refuses %s", async (sql) => {
    await book.start();
    await fillAuditLog(core, 5);
    await expect(core.context.database.write((tx) => tx.prepare(sql).run())).rejects.toThrow(/never/);
    expect((await book.verify()).intact).toBe(true);
  });

  test("a filled database of an earlier release is taken in; so are rows of one that ran again in between", async () => {
    const file = join(core.folder, "old.sqlite");
    const insert = `INSERT INTO audit_events (timestamp, actor_type, actor_id, source, action, target, outcome, details, correlation_id)
      VALUES (?, 'admin', 'a', 'local', 'x', NULL, 'success', '{}', 'c')`;
    const old = await openDatabase({ file, migrations: migrations.slice(0, 8) });
    await old.write(async (tx) => {
      for (let index = 0; index < 1200; index += 1) await tx.prepare(insert).run(index);
    });
    await old.close();
    const first = await openDatabase({ file });
    const context = { ...core.context, database: first };
    await new AuditBook(context, keys).start();
    await recordAudit(context, entry);
    // The release before writes rows without hashes on the new schema.
    await first.write((tx) => tx.prepare(insert).run(5000));
    expect((await new AuditBook(context, keys).verify()).first_broken).toMatchObject({ id: 1203, code: "unchained" });
    await new AuditBook(context, keys).start();
    expect(await new AuditBook(context, keys).verify()).toMatchObject({ intact: true, checked: 1204 });
    const last = await first.prepareRead("SELECT action, details FROM audit_events ORDER BY id DESC LIMIT 1").get();
    expect(last).toEqual({ action: "chain_rows", details: '{"rows_without_hash":1}' });
    await first.close();
  });
});

describe("SC-007: what a hash is made of", () => {
  const tricky = [
    "",
    "a:1,",
    "-",
    "\0",
    "a\0b",
    "ё",
    "😀",
    "\ud800",
    "a\udc00b",
    "\ufffd",
    "e\u0301",
    "\u00e9",
    '"\\',
    "\n\r\t",
  ];

  test("is the same in the code and in the database, for every text, null and number", async () => {
    for (const value of tricky) {
      const caller = {
        ...core.context,
        actor: { type: "client", id: value },
        source: value,
        correlationId: value,
      } as const;
      // Rows of another release may hold actions that this one does not know.
      const action = value as AuditAction;
      await recordAudit(caller, { action, target: value, outcome: "failure", details: { [value]: value } });
    }
    const details = {
      large: 1e21,
      exact: Number.MAX_SAFE_INTEGER,
      small: 5e-324,
      no: null,
      zero: -0,
      list: [undefined, {}],
    };
    await recordAudit(core.context, { ...entry, details });
    expect(await book.verify()).toMatchObject({ intact: true, checked: tricky.length + 1 });
    const rows = await core.context.database
      .prepareRead(`SELECT *, ${encodedRowSql(core.context.database.dialect)} AS encoded FROM audit_events`)
      .all();
    for (const { encoded, ...row } of rows) {
      expect(Buffer.from(encoded as Uint8Array).toString()).toBe(encodeRow(row as unknown as RowFields));
    }
    expect(new Set(rows.map(({ hash }) => hash)).size).toBe(rows.length);
  });

  test("tells rows apart whose texts run together, and null from every text", () => {
    const row = { previous_hash: "0", id: 1, timestamp: 2, actor_type: "admin", actor_id: "a", source: "b" };
    const rest = { action: "c", outcome: "success", details: "{}", correlation_id: "d" };
    const texts = [null, "", "-", "-,", "null", "1:x,"].map((target) => encodeRow({ ...row, ...rest, target }));
    expect(new Set(texts).size).toBe(texts.length);
    const moved = encodeRow({ ...row, ...rest, actor_id: "ab", source: "", target: null });
    expect(moved).not.toBe(encodeRow({ ...row, ...rest, actor_id: "a", source: "b", target: null }));
    expect(() => encodeRow({ ...row, ...rest, id: 2 ** 53, target: null })).toThrow(RangeError);
  });

  test("is written as documented", () => {
    const row = {
      previous_hash: "00",
      id: 1,
      timestamp: 1772366400000,
      actor_type: "admin",
      actor_id: "ё",
      source: "local",
    };
    const rest = { action: "x", target: null, outcome: "success", details: "{}", correlation_id: "c" };
    const written = "17:safelight.audit.1,2:00,1:1,13:1772366400000,5:admin,2:ё,5:local,1:x,-,7:success,2:{},1:c,";
    expect(encodeRow({ ...row, ...rest })).toBe(written);
  });
});

describe("FR-022: retention", () => {
  test("rows past their time go with a signed checkpoint, younger ones stay, and the rest still holds", async () => {
    await book.start();
    await fillAuditLog(core, 1100);
    core.clock.advance(60 * day);
    await fillAuditLog(core, 10);
    core.clock.advance(31 * day);
    expect(await book.prune()).toBe(1101);
    const verdict = await book.verify();
    expect(verdict).toMatchObject({ intact: true, pruned: { rows: 1101, last_id: 1101 }, first_id: 1102, checked: 13 });
    expect(verdict.cannot_show.map(({ code }) => code)).toContain("pruned");
    expect(await count("audit_checkpoints", "kind = 'prune'")).toBe(3);
    expect(await count("audit_pruning")).toBe(0);
    await expect(core.context.database.write((tx) => tx.prepare("DELETE FROM audit_events").run())).rejects.toThrow();
    expect(await book.prune()).toBe(0);
    core.clock.advance(365 * day);
    expect(await book.prune()).toBe(13);
    expect(await book.verify()).toMatchObject({ intact: true, checked: 1 });
  });

  test.skipIf(onPostgres)("nothing is removed that is not what was written, nor while somebody reads", async () => {
    await book.start();
    await fillAuditLog(core, 20);
    const stream = await book.export(core.context);
    core.clock.advance(100 * day);
    expect(await book.prune()).toBe(0);
    stream.destroy();
    await new Promise((resolve) => stream.once("close", resolve));
    const other = new DatabaseSync(join(core.folder, "safelight.sqlite"));
    other.exec(
      "DROP TRIGGER audit_events_no_update; DROP TRIGGER audit_events_head_updated; UPDATE audit_events SET target = 'other' WHERE id = 7",
    );
    other.close();
    await expect(book.prune()).rejects.toThrow(/row 7/);
    expect(await count("audit_events")).toBe(22);
    expect((await book.verify()).first_broken).toMatchObject({ id: 7, code: "changed" });
  });
});

test("FR-022: a check that begins while a portion is being removed finds the log intact", async () => {
  await book.start();
  await fillAuditLog(core, 20);
  core.clock.advance(100 * day);
  const gate = new Gate();
  const database = new HeldDatabase(core.context.database);
  book = new AuditBook({ ...core.context, database }, keys);
  database.onRead = async (sql) => {
    if (sql === "SELECT timestamp FROM audit_events ORDER BY id LIMIT 1") await gate.pass();
    // Checkpoints were read before: were the rows read after the portion has gone, nothing would tell why.
    if (sql !== "BEGIN") return;
    gate.open();
    await pruning;
  };
  const pruning = book.prune();
  await gate.reached;
  const verdict = book.verify();
  setImmediate(() => gate.open());
  expect(await verdict).toMatchObject({ intact: true, pruned: { rows: 21 } });
  expect(await pruning).toBe(21);
});

describe("kill at any moment", () => {
  async function live(): Promise<void> {
    const stop = book.keep();
    await book.start();
    await fillAuditLog(core, 6);
    await book.checkpoint(core.context);
    await recordAudit(core.context, entry);
    core.clock.advance(100 * day);
    await book.prune();
    await stop();
  }

  test("after each write of a life the log is intact and goes on", async () => {
    for (let writes = 0; ; writes += 1) {
      core.die(writes);
      const finished = await Promise.race([live().then(() => true), core.dead.then(() => false)]);
      await reopen();
      await book.start();
      expect(await book.verify(), `after ${writes} writes`).toMatchObject({ intact: true });
      if (finished) break;
      await core.close();
      core = await openCore();
      book = new AuditBook(core.context, keys);
    }
  });

  test("at each statement that fails nothing is half done", async () => {
    await book.start();
    for (let nth = 1; ; nth += 1) {
      await fillAuditLog(core, 3);
      core.clock.advance(100 * day);
      core.faults.failNth(nth, "statement", "commit");
      await book.checkpoint(core.context).catch(() => undefined);
      await book.prune().catch(() => undefined);
      const { happened } = core.faults;
      core.faults.failNth(Number.POSITIVE_INFINITY);
      expect(await book.verify(), `statement ${nth}`).toMatchObject({ intact: true });
      if (!happened) break;
    }
  });
});

describe("FR-022: the export", () => {
  const file = () => join(core.folder, "audit.ndjson");

  async function exported(): Promise<string> {
    const lines = await text(await book.export(core.context));
    await writeFile(file(), lines);
    return lines;
  }

  beforeEach(async () => {
    await book.start();
    await fillAuditLog(core, 250);
  });

  test("proves itself offline, also after pruning, with the key and a checkpoint kept elsewhere", async () => {
    const checkpoint = await book.checkpoint(core.context);
    await exported();
    expect(await verifyExport(file())).toMatchObject({ intact: true, checked: 253, keys_given: false });
    core.clock.advance(100 * day);
    await recordAudit(core.context, entry);
    await book.prune();
    await exported();
    const verdict = await book.verify();
    const publicKeys = verdict.public_keys.flatMap(({ public_key: key }) => parsePublicKey(key) ?? []);
    expect(await verifyExport(file(), { publicKeys, checkpoints: [checkpoint] })).toMatchObject({
      intact: true,
      keys_given: true,
      pruned: { rows: 253 },
      checkpoints: { rows_after_last: 0 },
      kept: [{ sequence: 2, holds: true }],
    });
  });

  test("a new log with a new key looks intact in itself, and not beside the key or the checkpoint that was kept", async () => {
    const checkpoint = await book.checkpoint(core.context);
    const kept = (await book.verify()).public_keys.flatMap(({ public_key: key }) => parsePublicKey(key) ?? []);
    await core.close();
    core = await openCore();
    book = new AuditBook(core.context, newAuditKeys());
    await book.start();
    await exported();
    expect((await verifyExport(file())).intact).toBe(true);
    expect(await verifyExport(file(), { publicKeys: kept })).toMatchObject({
      intact: false,
      checkpoints: { first_broken: { code: "unknown_key" } },
    });
    expect(await verifyExport(file(), { checkpoints: [checkpoint] })).toMatchObject({
      intact: false,
      kept: [{ sequence: 2, holds: false }],
    });
  });

  test("a line that is changed, left out, doubled, moved or cut off is found at its row", async () => {
    const lines = (await exported()).trimEnd().split("\n");
    const at = lines.findIndex((line) => line.includes('"id":100,'));
    const judge = async (changed: readonly string[]) => {
      await writeFile(file(), `${changed.join("\n")}\n`);
      const { intact, first_broken: broken } = await verifyExport(file());
      return [intact, broken?.id];
    };
    const row = lines[at] ?? "";
    expect(await judge(lines)).toEqual([true, undefined]);
    for (const [from, to] of [
      ['"outcome":"success"', '"outcome":"failure"'],
      ['"timestamp":', '"timestamp":1'],
      ['"id":100', '"id":"100"'],
      ['"source":"local"', '"source":null'],
    ] as const) {
      const changed = row.replace(from, to);
      expect(changed).not.toBe(row);
      const [intact, id] = await judge(lines.with(at, changed));
      expect([from, intact, id === 100 || id === 0]).toEqual([from, false, true]);
    }
    expect(await judge(lines.toSpliced(at, 1))).toEqual([false, 101]);
    expect(await judge(lines.toSpliced(at, 0, row))).toEqual([false, 100]);
    expect(await judge(lines.with(at, lines[at + 1] ?? "").with(at + 1, row))).toEqual([false, 101]);
    expect(await judge(lines.slice(0, at))).toEqual([false, 100]);
    expect(await judge(lines.slice(0, -1))).toEqual([false, 253]);
    expect(await judge([...lines, row])).toEqual([false, 253]);
    for (const wrong of [
      [],
      ["{}"],
      lines.slice(1),
      [...lines.slice(0, at), '{"type":"row"'],
      [...lines.toSpliced(1, 1), lines[1] ?? ""].toSpliced(-2, 1),
    ]) {
      await writeFile(file(), wrong.join("\n"));
      await expect(verifyExport(file())).rejects.toThrow(NotAnExport);
    }
  });

  test("rows that no checkpoint of the file covers are found: their hashes need no key", async () => {
    const lines = (await exported()).trimEnd().split("\n");
    const publicKeys = (await book.verify()).public_keys.flatMap(({ public_key: key }) => parsePublicKey(key) ?? []);
    const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const checkpoints = parsed.filter(({ type }) => type === "checkpoint");
    for (const kept of [0, 1]) {
      let previous = "";
      const rows = parsed
        .filter(({ type }) => type === "row")
        .map((row) => {
          const isSigned = kept === 1 && row.id === 1;
          const changed = { ...row, ...(isSigned ? {} : { source: "elsewhere" }) };
          const linked = { ...changed, previous_hash: previous || row.previous_hash } as RowFields;
          previous = hashOf(encodeRow(linked));
          return { ...linked, type: "row", hash: previous };
        });
      const end = { ...parsed.at(-1), hash: previous, checkpoint: kept };
      const forged = [parsed[0], ...checkpoints.slice(0, kept), ...rows, end];
      await writeFile(file(), forged.map((line) => `${JSON.stringify(line)}\n`).join(""));
      expect(await verifyExport(file(), { publicKeys })).toMatchObject({
        intact: false,
        first_broken: { id: kept + 1, code: "not_as_signed" },
      });
    }
  });

  test("holds the public half of the key alone", async () => {
    const secret = makeAuditKey();
    const own = parseAuditKeys(`${secret},${makeAuditKey()}`);
    if (own === null) throw new Error("two keys that were just made are none");
    const lines = await text(await new AuditBook(core.context, own).export(core.context));
    expect(lines).toContain(own.currentId);
    const halves = [secret, Buffer.from(secret, "base64").subarray(-32).toString("base64")];
    for (const half of halves) expect(lines).not.toContain(half.slice(0, 40));
  });

  test("keys are read in each form, and nothing else is", () => {
    expect(parseAuditKeys("")).toBeNull();
    expect(parseAuditKeys("c2VjcmV0")).toBeNull();
    expect(parseAuditKeys(`${makeAuditKey()},nonsense`)).toBeNull();
    const { publicKeys } = newAuditKeys();
    const [key] = publicKeys.values();
    const pem = String(key?.export({ format: "pem", type: "spki" }));
    expect(parsePublicKey(pem)?.equals(key as KeyObject)).toBe(true);
    expect(parsePublicKey(makeAuditKey())).toBeNull();
  });

  test("a replaced key is known by its public half, which stays behind the new one", async () => {
    const [former] = (await book.verify()).public_keys.map(({ public_key: key }) => key);
    const both = parseAuditKeys(`${makeAuditKey()},${former}`);
    if (both === null) throw new Error("a key and a public key are none");
    const next = new AuditBook(core.context, both);
    await next.checkpoint(core.context);
    expect(await next.verify()).toMatchObject({ intact: true, checkpoints: { checked: 2 } });
    expect((await book.verify()).checkpoints.first_broken).toMatchObject({ sequence: 2, code: "unknown_key" });
  });
});
