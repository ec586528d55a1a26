import { SafelightError } from "../errors.ts";

/** First and last byte, both included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The part of a file that a Range header asks for; null means the whole. Another unit and several ranges at once are ignored, as
 * RFC 9110 allows; a range that is badly written or lies beyond the end is `range_not_satisfiable`.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | null {
  const match = /^\s*bytes\s*=(.*)$/i.exec(header ?? "");
  if (match === null) return null;
  const specifier = match[1]?.trim() ?? "";
  if (specifier.includes(",") && specifier.split(",").every((part) => /^\s*(?:\d+-\d*|-\d+)\s*$/.test(part)))
    return null;
  const numbers = /^(\d*)\s*-\s*(\d*)$/.exec(specifier);
  if (numbers === null || specifier === "-") throw notSatisfiable(size);
  const [, first = "", last = ""] = numbers;
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (start >= size || start > end || (first === "" && Number(last) === 0)) throw notSatisfiable(size);
  return { start, end };
}

/** If-Range: a part is only of use to someone who holds the rest of the same file. We send no dates, so a date never matches. */
export function rangeApplies(ifRange: string | undefined, etag: string): boolean {
  return ifRange === undefined || ifRange.trim() === etag;
}

/** If-None-Match: true when the caller already has this file. */
export function isUnchanged(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.split(",").some((entry) => {
    const plain = entry.trim().replace(/^W\//, "");
    return plain === "*" || plain === etag;
  });
}

function notSatisfiable(size: number): SafelightError {
  return new SafelightError("range_not_satisfiable", `The file has ${size} bytes; the range asks for others.`, {
    headers: { "content-range": `bytes */${size}` },
  });
}
