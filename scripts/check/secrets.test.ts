// The secret scan of npm run check, tried on a planted secret: a scan that finds nothing anywhere looks like a clean one.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { runProgram } from "./steps.ts";

const root = join(import.meta.dirname, "../..");
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "safelight-secrets-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function scan(text: string) {
  const file = join(folder, "settings.ts");
  writeFileSync(file, text);
  const rules = join(root, ".secretlintrc.json");
  const program = join(root, "node_modules/secretlint/bin/secretlint.js");
  return runProgram(process.execPath, [program, "--secretlintrc", rules, "--no-glob", file]);
}

it("finds a token, masks it, and fails (FR-016)", async () => {
  // Put together at run time, so that this file itself stays clean.
  const token = `ghp_${"wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx"}`;
  const { code, output } = await scan(`export const a = "${token}";\n`);
  expect(code).toBe(1);
  expect(output).toContain("GitHub");
  expect(output).not.toContain(token);
});

it("finds a private key", async () => {
  const body = "MIIEpAIBAAKCAQEA0Z3VS5JJcds3xfn/ygWyF8PbnGy0AHB7MaKk".repeat(4);
  const { code } = await scan(
    ["-----BEGIN RSA", `PRIVATE KEY-----\n${body}\n-----END RSA`, "PRIVATE KEY-----"].join(" "),
  );
  expect(code).toBe(1);
});

it("passes a clean file", async () => {
  expect((await scan('export const key = process.env.API_KEY ?? "";\n')).code).toBe(0);
});
