import { createHash } from "node:crypto";
import type { Row, SqlValue } from "../database/database.ts";
import type { CopyTarget } from "../database/postgres/copy-target.ts";
import { StartupError } from "../errors.ts";
import type { MoveSource } from "./source.ts";
import { type CopiedTable, copiedTables } from "./tables.ts";

/** Rows that are read, and written in one transaction, at a time. */
const atOnce = 500;
/** Rows of these find what the one before them left. */
const oneByOne: ReadonlySet<string> = new Set(["audit_events", "audit_checkpoints"]);

export type Told = (what: string) => void | Promise<void>;

/** Copies what is not there yet, portion by portion. */
export async function copyTables(source: MoveSource, target: CopyTarget, tell: Told): Promise<void> {
  for (const table of copiedTables) {
    const columns = await columnsOf(source, target, table);
    if (table.name === "audit_events") await beginChain(source, target);
    const copied = await copyTable(source, target, table, columns);
    if (copied > 0) await tell(`${table.name}: ${copied} rows`);
  }
}

async function copyTable(
  source: MoveSource,
  target: CopyTarget,
  { name, key }: CopiedTable,
  columns: readonly string[],
): Promise<number> {
  let after = keyFrom(await target.noteOf(name));
  for (let copied = 0; ; ) {
    const rows = source.portion(name, columns, key, after, atOnce);
    const last = rows.at(-1);
    if (last === undefined) return copied;
    after = keyOf(last, key);
    await target.add(name, columns, rows, JSON.stringify(after), oneByOne.has(name));
    copied += rows.length;
  }
}

async function beginChain(source: MoveSource, target: CopyTarget): Promise<void> {
  const begin = source.chainBegin();
  if (begin.rows === 0 || (await target.noteOf("audit_events")) !== null) return;
  await target.beginChain(begin);
}

/** Those of the source; the other database has each of them, and gives what it has besides a value of its own. */
async function columnsOf(source: MoveSource, target: CopyTarget, { name }: CopiedTable): Promise<string[]> {
  const there = await target.columnsOf(name);
  const columns = source.columnsOf(name);
  const missing = columns.find((column) => !there.has(column));
  if (missing === undefined) return columns;
  throw new StartupError(
    `The column ${name}.${missing} has no place in ${target.described}: that is a fault of this release.`,
  );
}

export interface TableFigures {
  readonly name: string;
  readonly rows: number;
  /** Of all rows in the order of their keys, 64 hex digits. */
  readonly sha256: string;
}

/** Reads every table on both sides and compares; throws a StartupError that names the first table that differs. */
export async function compareTables(source: MoveSource, target: CopyTarget): Promise<TableFigures[]> {
  const all: TableFigures[] = [];
  for (const table of copiedTables) {
    const columns = await columnsOf(source, target, table);
    const here = await figuresOf(table, columns, async (after) =>
      source.portion(table.name, columns, table.key, after, atOnce),
    );
    const there = await figuresOf(table, columns, (after) =>
      target.portion(table.name, columns, table.key, after, atOnce),
    );
    if (here.rows !== there.rows || here.sha256 !== there.sha256) {
      throw new StartupError(
        `The copy differs in ${table.name}: ${here.rows} rows here, ${there.rows} there${here.rows === there.rows ? ", with other values" : ""}. Somebody has changed it; begin again with an empty database.`,
      );
    }
    all.push(here);
  }
  return all;
}

async function figuresOf(
  { name, key }: CopiedTable,
  columns: readonly string[],
  portion: (after: readonly SqlValue[] | null) => Promise<Row[]>,
): Promise<TableFigures> {
  const hash = createHash("sha256");
  let count = 0;
  for (let after: readonly SqlValue[] | null = null; ; ) {
    const rows = await portion(after);
    const last = rows.at(-1);
    if (last === undefined) return { name, rows: count, sha256: hash.digest("hex") };
    for (const row of rows) hash.update(`${JSON.stringify(columns.map((column) => asCopied(row[column] ?? null)))}\n`);
    count += rows.length;
    after = keyOf(last, key);
  }
}

/** PostgreSQL holds no U+0000. */
function asCopied(value: SqlValue): SqlValue {
  return typeof value === "string" ? value.replaceAll("\0", "\ufffd") : value;
}

function keyOf(row: Row, key: readonly string[]): SqlValue[] {
  return key.map((column) => row[column] ?? null);
}

function keyFrom(note: string | null): readonly SqlValue[] | null {
  const key = note === null ? [] : (JSON.parse(note) as SqlValue[]);
  return key.length === 0 ? null : key;
}
