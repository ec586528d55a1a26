import fc from "fast-check";
import { expect, test } from "vitest";
import { backupFormat, isBackupPath, parseListedFile, parseManifest } from "./backup-format.ts";
import { readTarHeader, tarBlock, tarHeader, tarPadding } from "./tar.ts";

const seed = { seed: 20_260_301, numRuns: 300 };
const part = fc.stringMatching(/^[a-z0-9._-]{1,60}$/);

test("a header gives back path and size, up to sizes that no octal field holds", () => {
  const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
  fc.assert(
    fc.property(path, fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (name, bytes) => {
      expect(readTarHeader(tarHeader(name, bytes, 0))).toEqual({ path: name, bytes });
      expect((bytes + tarPadding(bytes).byteLength) % tarBlock).toBe(0);
    }),
    seed,
  );
});

test("one changed byte of a header is noticed, an empty block is the end", () => {
  const header = tarHeader("media/results/a.png", 1234, 0);
  fc.assert(
    fc.property(fc.nat(tarBlock - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const damaged = Buffer.from(header);
      damaged[at] = ((damaged[at] ?? 0) + change) % 256;
      // The field of the sum itself may change its padding and still mean the same number.
      if (at < 148 || at >= 156) expect(() => readTarHeader(damaged)).toThrow(/damaged/);
    }),
    seed,
  );
  expect(readTarHeader(Buffer.alloc(tarBlock))).toBeNull();
});

test.each([
  "../safelight.sqlite",
  "media/results/../../x",
  "/etc/passwd",
  "media/results/a/b",
  "secrets/../x",
  "lock.sqlite",
  "media/results/..",
  "media\\results\\a",
  "deployments/sources/x",
  "",
])("no list leads out of the folder it is unpacked into: %j", (path) => {
  expect(isBackupPath(path)).toBe(false);
  const line = JSON.stringify({ path, bytes: 1, sha256: "0".repeat(64) });
  expect(() => parseListedFile(line)).toThrow(/none of its own/);
});

test.each([
  ["cut off", "{", /no JSON/],
  ["another program's", "{}", /not that of a Safelight backup/],
  ["nothing", "null", /not that of a Safelight backup/],
  ["a later one", JSON.stringify({ format: backupFormat, version: 2 }), /version 2/],
  ["an edited one", JSON.stringify({ format: backupFormat, version: 1, sha256: "0".repeat(64) }), /changed or cut off/],
])("a manifest that is %s is refused in words", (_, text, words) => {
  expect(() => parseManifest(text)).toThrow(words);
});
