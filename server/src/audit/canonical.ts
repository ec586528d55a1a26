/**
 * What the hash of a row is made of, version 1. Every field is written as a netstring, its length in bytes of UTF-8 before it, so that
 * no two rows are written alike; null is written as `-,`, a number in decimal digits.
 *
 *     "safelight.audit.1" previous_hash id timestamp actor_type actor_id source action target outcome details correlation_id
 *
 *     17:safelight.audit.1,64:0000…,1:1,13:1772366400000,5:admin,8:session1,9:127.0.0.1,11:cancel_task,-,7:success,2:{},3:abc,
 *
 * hash = SHA-256 of these bytes, 64 lower-case hex digits. The first row of all follows 64 zeros.
 */
import { hash } from "node:crypto";
import type { Dialect } from "../database/dialect.ts";

export const genesis = "0".repeat(64);
export const rowFormat = "safelight.audit.1";

/** Columns in the order in which they are written; the hash itself is none of them. */
export const rowColumns = [
  "previous_hash",
  "id",
  "timestamp",
  "actor_type",
  "actor_id",
  "source",
  "action",
  "target",
  "outcome",
  "details",
  "correlation_id",
] as const;

export type RowFields = Readonly<Record<(typeof rowColumns)[number], string | number | null>>;

/** Fields one after the other as netstrings. Text has to be well-formed: a lone surrogate has no UTF-8. */
export function encodeFields(fields: readonly (string | number | null)[]): string {
  let text = "";
  for (const field of fields) {
    if (field === null) {
      text += "-,";
      continue;
    }
    const written = typeof field === "number" ? decimal(field) : field;
    text += `${Buffer.byteLength(written)}:${written},`;
  }
  return text;
}

export function encodeRow(row: RowFields): string {
  return encodeFields([rowFormat, ...rowColumns.map((column) => row[column])]);
}

/**
 * SQL that gives the same bytes as `encodeRow`, made of what is stored: read into JavaScript first, bytes that are no UTF-8 would all
 * look the same.
 */
export function encodedRowSql(dialect: Dialect): string {
  const text = (column: string) => `CAST(${column} AS TEXT)`;
  const fields = rowColumns.map(
    (column) => `coalesce(octet_length(${text(column)}) || ':' || ${text(column)} || ',', '-,')`,
  );
  return dialect.bytesOf([`'${encodeFields([rowFormat])}'`, ...fields].join(" || "));
}

/** SHA-256 in lower-case hex. */
export function hashOf(bytes: string | Uint8Array): string {
  return hash("sha256", bytes);
}

// Never 1e+21: a number has one way to be written.
function decimal(value: number): string {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is no whole number that can be written exactly.`);
  return String(value);
}
