import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { runProgram } from "./check/steps.ts";

const root = join(import.meta.dirname, "..");
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "safelight-closing-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function run(tests: string, isContinuousIntegration: boolean) {
  const module = JSON.stringify(join(root, "scripts/closing-line.ts"));
  const options = JSON.stringify({ isContinuousIntegration });
  const config = `import { ClosingLine } from ${module};
    export default { test: { globals: true, reporters: [new ClosingLine(${options})] } };`;
  writeFileSync(join(folder, "vitest.config.mjs"), config);
  writeFileSync(join(folder, "made.test.ts"), tests);
  return runProgram(process.execPath, [join(root, "node_modules/vitest/vitest.mjs"), "run", "--root", folder]);
}

it("ends with the counts and names what was skipped", async () => {
  const { code, output } = await run('it("a", () => {}); it("b", (test) => test.skip("no encoder"));', false);
  expect(output).toContain("skipped: made.test.ts > b: no encoder\n");
  expect(output.trimEnd()).toMatch(/^tests: 1 passed, 0 failed, 1 skipped$/m);
  expect(code).toBe(0);
});

it("fails on a skip in CI", async () => {
  const { code, output } = await run('it("a", () => {}); it.skip("b", () => {});', true);
  expect(output).toContain("tests: 1 passed, 0 failed, 1 skipped");
  expect(code).toBe(1);
});

it("passes in CI without skips and fails on failures", async () => {
  expect((await run('it("a", () => {});', true)).code).toBe(0);
  const { code, output } = await run('it("a", () => { throw new Error("x"); });', false);
  expect(output).toContain("tests: 0 passed, 1 failed, 0 skipped");
  expect(code).toBe(1);
});
