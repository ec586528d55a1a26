// SC-007, FR-022: somebody with the database file and without its guards changes one thing; the check names the first row that broke.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Row, SqlValue } from "../database/database.ts";
import { createDice, fillAuditLog, newAuditKeys, OpenedCopy } from "../testing/audit-log.ts";
import { type Core, openCore } from "../testing/core.ts";
import { onPostgres } from "../testing/test-database.ts";
import { encodeRow, hashOf, type RowFields, rowColumns } from "./canonical.ts";
import { writeCheckpoint } from "./checkpoint.ts";
import type { AuditKeys } from "./keys.ts";
import { verifyAtOnce } from "./verify.ts";

/** The full numbers in npm run test:long. */
const share = process.env.SAFELIGHT_TEST_LONG === "1" ? 1 : 1 / 5;

let core: Core;
let copy: OpenedCopy;
const keys: AuditKeys = newAuditKeys();

const verify = () => verifyAtOnce(copy, keys.publicKeys);

async function prepare(rows: number): Promise<void> {
  core = await openCore();
  await fillAuditLog(core, rows);
  copy = new OpenedCopy(core);
  expect(await verify()).toMatchObject({ intact: true, checked: rows });
}

afterAll(async () => {
  if (onPostgres) return;
  copy.close();
  await core.close();
});

/** What was done, and which row the check may name as the first that does not hold. */
interface Tampering {
  readonly what: string;
  readonly first: readonly number[];
}

/** Does one thing to a log of `size` rows with the ids 1 to `size`. */
async function tamper(dice: (below: number) => number, size: number): Promise<Tampering> {
  const id = 1 + dice(size);
  switch (dice(8)) {
    case 0:
      return remove(id);
    case 1:
      return insert(dice, id, size);
    case 2:
      return swap(id, 1 + ((id - 1 + 1 + dice(size - 1)) % size));
    case 3:
      return moveRow(dice, id, size);
    default:
      return changeField(dice, id);
  }
}

function remove(id: number): Tampering {
  copy.run("DELETE FROM audit_events WHERE id = ?", id);
  return { what: `removed ${id}`, first: [id, id + 1] };
}

function swap(one: number, other: number): Tampering {
  copy.run("UPDATE audit_events SET id = -1 WHERE id = ?", one);
  copy.run("UPDATE audit_events SET id = ? WHERE id = ?", one, other);
  copy.run("UPDATE audit_events SET id = ? WHERE id = -1", other);
  return { what: `swapped ${one} and ${other}`, first: [Math.min(one, other)] };
}

function moveRow(dice: (below: number) => number, id: number, size: number): Tampering {
  const to = dice(2) === 0 ? -dice(1000) : size + 1 + dice(1000);
  copy.run("UPDATE audit_events SET id = ? WHERE id = ?", to, id);
  return { what: `moved ${id} to ${to}`, first: to < 1 ? [to] : [id + 1, to] };
}

/** A made-up row with a good hash, in the middle (those behind it move on), at the end or before the beginning. */
async function insert(dice: (below: number) => number, id: number, size: number): Promise<Tampering> {
  const place = dice(3);
  const at = place === 0 ? id : place === 1 ? size + 1 + dice(3) : -dice(5);
  if (place === 0) {
    copy.run("UPDATE audit_events SET id = -id WHERE id >= ?", at);
    copy.run("UPDATE audit_events SET id = 1 - id WHERE id < 0");
  }
  const before = await copy.prepareRead("SELECT hash FROM audit_events WHERE id < ? ORDER BY id DESC LIMIT 1").get(at);
  const template = (await copy.prepareRead("SELECT * FROM audit_events ORDER BY id LIMIT 1").get()) ?? {};
  const row = { ...template, id: at, previous_hash: String(before?.hash ?? "0".repeat(64)) } as unknown as RowFields;
  const withHash: Row = { ...row, hash: dice(4) === 0 ? null : hashOf(encodeRow(row)) };
  const columns = Object.keys(withHash);
  copy.run(
    `INSERT INTO audit_events (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`,
    ...Object.values(withHash),
  );
  // A row that goes well with the one before it breaks the next; at the end it is one too many.
  return { what: `inserted ${at}`, first: [at, at + 1, 1, size + 1] };
}

const choices: Readonly<Record<string, readonly string[]>> = {
  actor_type: ["admin", "client", "system"],
  outcome: ["success", "failure"],
};

async function changeField(dice: (below: number) => number, id: number): Promise<Tampering> {
  const columns = [...rowColumns.filter((column) => column !== "id"), "hash"];
  const column = columns[dice(columns.length)] ?? "hash";
  const old =
    (await copy.prepareRead(`SELECT ${column} AS value FROM audit_events WHERE id = ?`).get(id))?.value ?? null;
  const value = otherValue(dice, column, old);
  copy.run(`UPDATE audit_events SET ${column} = ? WHERE id = ?`, value, id);
  return { what: `${column} of ${id}: ${JSON.stringify(old)} → ${JSON.stringify(value)}`, first: [id] };
}

function otherValue(dice: (below: number) => number, column: string, old: SqlValue): SqlValue {
  if (typeof old === "number") return old + [1, -1, 1000, -old, 2 ** 40][dice(5)]! || old + 1;
  const allowed = choices[column];
  if (allowed !== undefined) {
    const others = allowed.filter((choice) => choice !== old);
    return others[dice(others.length)] ?? "";
  }
  if (old === null) return ["", "x", "-", "null"][dice(4)] ?? "";
  const text = String(old);
  if (dice(10) === 0 && ["target", "hash", "previous_hash"].includes(column)) return null;
  const at = dice(text.length + 1);
  const letter = ["a", "0", " ", "\0", "ё", ",", "{"][dice(7)] ?? "a";
  const changed = [text.slice(0, at) + letter + text.slice(at), text.slice(0, at) + text.slice(at + 1), ""][dice(3)];
  return changed === undefined || changed === text ? `${text}${letter}` : changed;
}

async function tamperMany(times: number, size: number, seed: number): Promise<string[]> {
  const dice = createDice(seed);
  const missed: string[] = [];
  for (let round = 0; round < times; round += 1) {
    await copy.briefly(async () => {
      const { what, first } = await tamper(dice, size);
      const { intact, first_broken: broken } = await verify();
      if (intact || broken === null) missed.push(`${what}: not found`);
      else if (!first.includes(broken.id)) missed.push(`${what}: named row ${broken.id} (${broken.code})`);
    });
  }
  return missed;
}

describe.skipIf(onPostgres)("a log of 200 rows", () => {
  beforeAll(() => prepare(200));

  test("single changes of a field, removals, insertions and swaps are all found, at the right row", async () => {
    expect(await tamperMany(10_000 * share, 200, 7)).toEqual([]);
    expect((await verify()).intact).toBe(true);
  });

  test("bytes that are no UTF-8, numbers beyond JavaScript's and every field of every kind are found", async () => {
    const sql = [
      "UPDATE audit_events SET target = CAST(x'61ff' AS TEXT) WHERE id = 50",
      "UPDATE audit_events SET timestamp = 9223372036854775807 WHERE id = 50",
      "UPDATE audit_events SET details = details || char(0) WHERE id = 50",
      "UPDATE audit_events SET actor_id = actor_id || ',' WHERE id = 50",
      "UPDATE audit_events SET previous_hash = upper(previous_hash) WHERE id = 50",
      "UPDATE audit_events SET hash = hash || ' ' WHERE id = 50",
    ];
    for (const change of sql) {
      await copy.briefly(async () => {
        copy.run(change);
        expect([change, (await verify()).first_broken?.id]).toEqual([change, 50]);
      });
    }
    await copy.briefly(async () => {
      copy.run("UPDATE audit_events SET id = 9223372036854775807 WHERE id = 200");
      expect((await verify()).intact).toBe(false);
    });
    await copy.briefly(async () => {
      copy.run("DELETE FROM audit_events");
      expect(await verify()).toMatchObject({ intact: false, first_broken: { id: 1, code: "missing" } });
    });
    await copy.briefly(async () => {
      copy.run("DELETE FROM audit_head");
      expect((await verify()).intact).toBe(false);
    });
  });

  test("the end rewritten with good hashes, and the head with it, is found by the checkpoint before; without one it is not", async () => {
    const rewrite = async (from: number) => {
      let previous = String((await copy.prepareRead("SELECT hash FROM audit_events WHERE id = ?").get(from - 1))?.hash);
      for (const row of copy.rows().slice(from - 1)) {
        const changed = { ...row, details: '{"made":"up"}', previous_hash: previous } as unknown as RowFields;
        previous = hashOf(encodeRow(changed));
        const values = [changed.details, changed.previous_hash, previous, changed.id];
        copy.run("UPDATE audit_events SET details = ?, previous_hash = ?, hash = ? WHERE id = ?", ...values);
      }
      copy.run("UPDATE audit_head SET hash = ?", previous);
    };
    await copy.briefly(async () => {
      await rewrite(150);
      expect((await verify()).intact, "what whatCannotBeShown says under after_last_checkpoint").toBe(true);
    });
    await core.context.database.write((tx) => writeCheckpoint(core.context, tx, keys, "demand"));
    copy.close();
    copy = new OpenedCopy(core);
    await copy.briefly(async () => {
      await rewrite(150);
      expect((await verify()).first_broken).toMatchObject({ id: 200, code: "not_as_signed" });
    });
  });
});

describe.skipIf(onPostgres)("checkpoints", () => {
  test("every changed field, a removed, a swapped and a made-up checkpoint are found", async () => {
    for (let round = 0; round < 4; round += 1) {
      await fillAuditLog(core, 3);
      await core.context.database.write((tx) => writeCheckpoint(core.context, tx, keys, "planned"));
    }
    copy.close();
    copy = new OpenedCopy(core);
    expect(await verify()).toMatchObject({ intact: true, checkpoints: { checked: 5, rows_after_last: 0 } });
    const changes = [
      "sequence = -sequence",
      "kind = 'stop'",
      "created_at = created_at + 1",
      "last_id = last_id + 1",
      "hash = upper(hash)",
      "rows = rows + 1",
      "previous = previous || ' '",
      "key_id = 'x'",
      "rows = 9223372036854775807",
      "signature = signature || ' '",
      "signature = ''",
      "created_at = 9223372036854775807",
      "sequence = 9007199254740993",
    ].flatMap((change) => [1, 3, 5].map((at) => `UPDATE audit_checkpoints SET ${change} WHERE sequence = ${at}`));
    for (const at of [1, 3, 5]) changes.push(`DELETE FROM audit_checkpoints WHERE sequence = ${at}`);
    changes.push("DELETE FROM audit_checkpoints");
    for (const change of changes) {
      await copy.briefly(async () => {
        copy.run(change);
        const { intact, checkpoints } = await verify();
        expect([change, intact, checkpoints.first_broken === null]).toEqual([change, false, false]);
      });
    }
  });

  test("one that another key signed is not believed", async () => {
    const { first_broken: broken } = (await verifyAtOnce(copy, newAuditKeys().publicKeys)).checkpoints;
    expect(broken).toMatchObject({ sequence: 1, code: "unknown_key" });
  });
});

describe.skipIf(onPostgres)("a log of 10,000 rows", () => {
  test("changes are all found", async () => {
    copy.close();
    await core.close();
    await prepare(10_000);
    expect(await tamperMany(100 * share, 10_000, 11)).toEqual([]);
  });
});
