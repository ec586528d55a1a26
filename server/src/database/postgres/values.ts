import type { SqlValue } from "../database.ts";

type Parse = (text: string) => unknown;

/** A whole number of 64 bits. One that JavaScript cannot hold exactly is an error, as with SQLite, never another number. */
function whole(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value)) return value;
  throw new RangeError(`The value ${text} is too large to be a number of JavaScript.`);
}

/** Sums of whole numbers come as numerics without a point. */
const numeric = (text: string): number => (/^-?\d+$/.test(text) ? whole(text) : Number(text));

/** As SQLite has them: 0 or 1. */
const flag = (text: string): number => (text === "t" ? 1 : 0);

function bytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.slice(2), "hex"));
}

const byType: ReadonlyMap<number, Parse> = new Map<number, Parse>([
  [16, flag],
  [17, bytes],
  [20, whole],
  [21, Number],
  [23, Number],
  [26, Number],
  [700, Number],
  [701, Number],
  [1700, numeric],
]);

const asText: Parse = (text) => text;

/** Rows with the values that SQLite gives: numbers, texts, bytes and null. Everything else stays the text that the server sent. */
export const valueTypes = {
  getTypeParser: (type: number): Parse => byType.get(type) ?? asText,
};

/**
 * A value as the server takes it. Text cannot hold U+0000 there: U+FFFD is stored, as for half a surrogate pair, which no UTF-8 can say.
 * Throws a TypeError for what is no value.
 */
export function bound(value: SqlValue): string | Buffer | null {
  if (value === null) return null;
  if (typeof value === "string") return value.includes("\0") ? value.replaceAll("\0", "\ufffd") : value;
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  throw new TypeError("a value of a statement is undefined, or of a type that the database does not have");
}
