import { describe, expect, test } from "vitest";
import { isUnchanged, parseRange, rangeApplies } from "./range.ts";

describe("parseRange on a file of 10 bytes", () => {
  test.each([
    ["bytes=0-0", 0, 0],
    ["bytes=0-9", 0, 9],
    ["bytes=0-", 0, 9],
    ["bytes=9-", 9, 9],
    ["bytes=3-5", 3, 5],
    ["bytes=3-999999", 3, 9],
    ["bytes=-1", 9, 9],
    ["bytes=-10", 0, 9],
    ["bytes=-999", 0, 9],
    ["BYTES = 1 - 2", 1, 2],
    ["bytes=0-99999999999999999999", 0, 9],
  ])("%s is %i to %i", (header, start, end) => {
    expect(parseRange(header, 10)).toEqual({ start, end });
  });

  test.each([
    "bytes=10-",
    "bytes=10-20",
    "bytes=5-4",
    "bytes=-0",
    "bytes=-",
    "bytes=",
    "bytes=a-b",
    "bytes=1",
    "bytes=1-2-3",
    "bytes=--1",
    "bytes=1.5-2",
    "bytes=0-1,x",
    "bytes=0x1-2",
    "bytes=99999999999999999999-",
  ])("%s cannot be satisfied", (header) => {
    expect(() => parseRange(header, 10)).toThrow(
      expect.objectContaining({ code: "range_not_satisfiable", headers: { "content-range": "bytes */10" } }) as Error,
    );
  });

  test.each([undefined, "", "items=0-1", "bytes 0-1", "bytes=0-1,3-4", "bytes=0-1, -1", "nonsense"])(
    "%s means the whole file",
    (header) => {
      expect(parseRange(header, 10)).toBeNull();
    },
  );
});

test("no part of an empty file can be had", () => {
  expect(parseRange(undefined, 0)).toBeNull();
  expect(() => parseRange("bytes=0-", 0)).toThrow();
  expect(() => parseRange("bytes=-5", 0)).toThrow();
});

test("If-Range holds for the very same file only", () => {
  expect(rangeApplies(undefined, '"a"')).toBe(true);
  expect(rangeApplies('"a"', '"a"')).toBe(true);
  for (const other of ['"b"', 'W/"a"', "a", "Wed, 21 Oct 2015 07:28:00 GMT", ""])
    expect(rangeApplies(other, '"a"')).toBe(false);
});

test("If-None-Match compares weakly and takes lists", () => {
  for (const same of ['"a"', 'W/"a"', '"x", "a"', "*"]) expect(isUnchanged(same, '"a"')).toBe(true);
  for (const other of [undefined, "", '"b"', "a", '"x","b"']) expect(isUnchanged(other, '"a"')).toBe(false);
});
