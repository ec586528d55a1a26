/**
 * npm run release: one archive of the last commit with the page built from it, and beside it the bill of materials and the sums. Nothing of
 * the working tree goes in. Made twice from one commit it is the same, byte for byte.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type ArchiveFile, packArchive } from "./supply/archive.ts";
import { readInventory } from "./supply/licence-list.ts";
import { billOfMaterials } from "./supply/sbom.ts";

const root = join(import.meta.dirname, "..");
const { values } = parseArgs({
  options: { commit: { type: "string", default: "HEAD" }, out: { type: "string", default: "release" } },
});
const git = (...parameters: string[]) => execFileSync("git", parameters, { cwd: root, maxBuffer: 512 * 1024 * 1024 });

const commit = git("rev-parse", `${values.commit}^{commit}`).toString().trim();
const seconds = Number(git("show", "-s", "--format=%ct", commit).toString().trim());
const folder = mkdtempSync(join(tmpdir(), "safelight-release-"));
try {
  const files = readCommit();
  for (const { path, content, executable } of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content, { mode: executable ? 0o755 : 0o644 });
  }
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string };
  buildPage();
  const bill = Buffer.from(
    `${JSON.stringify(billOfMaterials(readInventory(folder), version, new Date(seconds * 1000)), null, 2)}\n`,
  );
  const name = `safelight-${version}`;
  const archive = packArchive(
    name,
    [...files, ...builtPage(), { path: "sbom.cdx.json", content: bill, executable: false }],
    seconds,
  );
  write({ [`${name}.tar.gz`]: archive, [`${name}.cdx.json`]: bill });
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Every file of the commit, as it was committed. */
function readCommit(): ArchiveFile[] {
  return git("ls-tree", "-r", "-z", commit)
    .toString()
    .split("\0")
    .filter((line) => line !== "")
    .map((line) => {
      const [facts = "", path = ""] = line.split("\t");
      const [mode = "", , blob = ""] = facts.split(" ");
      return { path, content: git("cat-file", "blob", blob), executable: mode === "100755" };
    });
}

/** From the files of the commit alone; the packages are those that stand here, which the lock file names. */
function buildPage(): void {
  const lock = readFileSync(join(folder, "package-lock.json"));
  if (!lock.equals(readFileSync(join(root, "package-lock.json")))) {
    throw new Error(
      "The commit has another package-lock.json than what is installed here: check it out, and run npm start once.",
    );
  }
  mkdirSync(join(folder, "node_modules"));
  for (const name of readdirSync(join(root, "node_modules"))) {
    if (name !== "@safelight") symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name));
  }
  mkdirSync(join(folder, "node_modules/@safelight"));
  for (const name of readdirSync(join(root, "node_modules/@safelight"))) {
    symlinkSync(join("../..", name), join(folder, "node_modules/@safelight", name));
  }
  execFileSync(process.execPath, ["scripts/prepare.mjs", "--web", "--no-install"], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
  });
}

function builtPage(): ArchiveFile[] {
  const page = join(folder, "web/dist");
  return (readdirSync(page, { recursive: true }) as string[])
    .filter((name) => statSync(join(page, name)).isFile())
    .map((name) => ({ path: `web/dist/${name}`, content: readFileSync(join(page, name)), executable: false }));
}

function write(files: Readonly<Record<string, Buffer>>): void {
  const out = resolve(root, values.out);
  mkdirSync(out, { recursive: true });
  const sums = Object.entries(files).map(([name, content]) => {
    writeFileSync(join(out, name), content);
    return `${createHash("sha256").update(content).digest("hex")}  ${name}`;
  });
  const list = `${sums.join("\n")}\n`;
  writeFileSync(join(out, "SHA256SUMS"), list);
  process.stdout.write(list);
  process.stdout.write(`in ${out}, of commit ${commit}\n`);
}
