import { expect, test } from "vitest";
import { parseByteSize, sayBytes } from "./byte-size.ts";

test.each([
  ["0", 0],
  ["500", 500],
  ["500MB", 500_000_000],
  ["1.5 GiB", 1_610_612_736],
  ["2tb", 2_000_000_000_000],
  ["10 kB", 10_000],
])("%j is an amount of storage", (text, bytes) => {
  expect(parseByteSize(text)).toBe(bytes);
});

test.each(["", "-1", "1.5", "1 000", "GB", "5 parsecs", "0x10", "1e9", "99999999999999TB", "1ib"])(
  "%j is none",
  (text) => {
    expect(parseByteSize(text)).toBeNull();
  },
);

test.each([
  [0, "0 bytes"],
  [999, "999 bytes"],
  [1500, "1.5 kB"],
  [512_000_000, "512 MB"],
  [10_000_000_000, "10 GB"],
])("%i bytes are said as %j", (bytes, text) => {
  expect(sayBytes(bytes)).toBe(text);
});
