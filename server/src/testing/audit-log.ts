import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { recordAudit } from "../audit/append.ts";
import { type AuditKeys, makeAuditKey, parseAuditKeys } from "../audit/keys.ts";
import type { Database, Row, SqlValue } from "../database/database.ts";
import { readingOf } from "../database/sqlite/file-reading.ts";
import type { Core } from "./core.ts";

export function newAuditKeys(): AuditKeys {
  const keys = parseAuditKeys(makeAuditKey());
  if (keys === null) throw new Error("a key that was just made is none");
  return keys;
}

/** Rows of every shape: with and without target, long and empty texts, letters of many bytes. */
export async function fillAuditLog(core: Pick<Core, "context">, count: number): Promise<void> {
  const names = ["attic-gpu", "подвал", "屋根裏", "", "a,b:3", "😀"];
  await Promise.all(
    Array.from({ length: count }, (_, index) =>
      recordAudit(core.context, {
        action: (["add_account", "cancel_task", "pause_queue"] as const)[index % 3] ?? "add_account",
        target: index % 4 === 0 ? null : (names[index % names.length] ?? null),
        outcome: index % 5 === 0 ? "failure" : "success",
        details: index % 7 === 0 ? {} : { index, name: names[index % names.length], nested: [null, true, 1.5] },
      }),
    ),
  );
}

/** A copy of the database in the hands of somebody who has taken every guard away. */
export class OpenedCopy implements Pick<Database, "prepareRead" | "read"> {
  readonly database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(core: Core) {
    this.database = new DatabaseSync(":memory:");
    this.database.prepare("ATTACH ? AS original").run(join(core.folder, "safelight.sqlite"));
    const tables = this.database
      .prepare("SELECT name, sql FROM original.sqlite_schema WHERE type = 'table' AND name LIKE 'audit_%'")
      .all();
    for (const { name, sql } of tables) {
      this.database.exec(String(sql));
      this.database.exec(`INSERT INTO main.${String(name)} SELECT * FROM original.${String(name)}`);
    }
    this.database.exec("DETACH original");
  }

  readonly #reading = readingOf({ prepare: (sql) => this.#prepare(sql) });
  readonly prepareRead = this.#reading.prepareRead;
  readonly read = this.#reading.read;

  run(sql: string, ...values: SqlValue[]): void {
    this.#prepare(sql).run(...values);
  }

  rows(): Row[] {
    return this.#prepare("SELECT * FROM audit_events ORDER BY id").all();
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = this.database.prepare(sql)));
    return statement;
  }

  /** Undoes what the work has changed, whatever it answers. */
  async briefly<Result>(work: () => Promise<Result>): Promise<Result> {
    this.database.exec("SAVEPOINT tampering");
    try {
      return await work();
    } finally {
      this.database.exec("ROLLBACK TO tampering; RELEASE tampering");
    }
  }

  close(): void {
    this.database.close();
  }
}

/** Numbers that look random and are the same in every run. */
export function createDice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}
