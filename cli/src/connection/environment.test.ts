import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { readEnvironment } from "./environment.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "safelight-environment-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it("reads .env below the environment; empty lines say nothing", () => {
  writeFileSync(join(folder, ".env"), '# settings\nPORT=9000\nHOST=\nLOG_LEVEL="warn"\nQUEUE_LIMIT=5\n');
  const environment = readEnvironment(folder, { PORT: "9100", HOME: "somewhere" });
  expect(environment).toEqual({ PORT: "9100", HOME: "somewhere", LOG_LEVEL: "warn", QUEUE_LIMIT: "5" });
});

it("is content without the file", () => {
  expect(readEnvironment(folder, { A: "1" })).toEqual({ A: "1" });
});
