// A release made twice, from the last commit: the same bytes, and what is unpacked serves its page without building anything.
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "safelight-releases-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sumOf = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex");

test("is the same byte for byte, and starts with the page that is in it", async (context) => {
  if (!existsSync(join(root, ".git"))) return context.skip("a release is made from a repository");
  const commit = execFileSync("git", ["rev-parse", "HEAD"], { cwd: root, encoding: "utf8" }).trim();
  const released = ["one", "two"].map((name) => {
    const flags = ["--commit", commit, "--out", join(folder, name)];
    execFileSync(process.execPath, ["scripts/release.ts", ...flags], { cwd: root });
    const [archive = ""] = readdirSync(join(folder, name)).filter((file) => file.endsWith(".tar.gz"));
    return join(folder, name, archive);
  });
  const [first = "", second = ""] = released;
  expect(sumOf(first)).toBe(sumOf(second));
  expect(execFileSync("sha256sum", ["--check", "SHA256SUMS"], { cwd: join(folder, "one"), encoding: "utf8" })).toMatch(
    /: OK/,
  );
  execFileSync("tar", ["xzf", first], { cwd: folder });
  const [name = ""] = readdirSync(folder).filter((entry) => entry.startsWith("safelight-"));
  const unpacked = join(folder, name);
  for (const file of ["LICENSE", "THIRD-PARTY-LICENSES.md", "sbom.cdx.json", "web/dist/index.html"]) {
    expect(existsSync(join(unpacked, file)), file).toBe(true);
  }
  expect(existsSync(join(unpacked, "node_modules"))).toBe(false);
  linkPackages(unpacked);
  const built = sumOf(join(unpacked, "web/dist/index.html"));
  const prepared = execFileSync(process.execPath, ["scripts/prepare.mjs", "--web", "--no-install"], { cwd: unpacked });
  expect(String(prepared)).not.toContain("Built the page");
  const server = spawn(process.execPath, ["cli/src/main.ts", "serve"], {
    cwd: unpacked,
    env: { PATH: process.env.PATH, DATA_DIR: join(folder, "data"), PORT: "0", LOG_LEVEL: "silent" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  server.stderr.on("data", (piece: Buffer) => (said += piece.toString()));
  while (server.exitCode === null && !said.includes("ready: "))
    await Promise.race([once(server.stderr, "data"), once(server, "exit")]);
  try {
    const url = /ready: (\S+)/.exec(said)?.[1] ?? said;
    const page = await fetch(url, { headers: { accept: "text/html" } });
    expect(
      createHash("sha256")
        .update(await page.text())
        .digest("hex"),
    ).toBe(built);
  } finally {
    server.kill("SIGTERM");
    await once(server, "exit");
  }
});

/** What npm ci would install, from where it is installed already. */
function linkPackages(unpacked: string): void {
  const own = "node_modules/@safelight";
  mkdirSync(join(unpacked, own), { recursive: true });
  for (const name of readdirSync(join(root, "node_modules"))) {
    if (name !== "@safelight") symlinkSync(join(root, "node_modules", name), join(unpacked, "node_modules", name));
  }
  for (const name of readdirSync(join(root, own))) symlinkSync(join("../..", name), join(unpacked, own, name));
}
