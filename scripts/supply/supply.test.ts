import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packArchive } from "./archive.ts";
import { judgeScripts } from "./install-scripts.ts";
import { readInventory } from "./licence-list.ts";
import { findLicenceProblems, isAllowed } from "./licence-policy.ts";
import type { Package } from "./packages.ts";
import pythonLicences from "./python-licences.json" with { type: "json" };
import { billOfMaterials } from "./sbom.ts";

const root = join(import.meta.dirname, "../..");
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "safelight-supply-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const one = (name: string, licence: string): Package => ({
  ecosystem: "npm",
  name,
  version: "1.0.0",
  licence,
  sha512: null,
  optional: false,
});

describe("licences", () => {
  test("those of what is installed and of what is handed out are allowed", () => {
    const { npm, python, page } = readInventory(root);
    expect(findLicenceProblems([...npm, ...python], page)).toEqual([]);
    expect(npm.map(({ name }) => name)).toEqual(expect.arrayContaining(["fastify", "sharp", "onnxruntime-node"]));
    expect(page.map(({ name }) => name)).toEqual(expect.arrayContaining(["react-dom", "mediabunny", "scheduler"]));
    expect(python.map(({ name }) => name)).toEqual(expect.arrayContaining(["torch", "diffusers", "modal"]));
    expect(npm.some(({ name }) => name === "vitest")).toBe(false);
  });

  test.each([
    ["GPL-3.0-only", false],
    ["AGPL-3.0-or-later", false],
    ["MIT OR GPL-2.0", true],
    ["MIT AND GPL-2.0", false],
    ["(MIT OR CC0-1.0)", true],
    ["Apache-2.0 WITH LLVM-exception", true],
    ["unknown", false],
    ["SEE LICENSE IN LICENSE.txt", false],
  ])("%s among what is installed: %s", (licence, fits) => {
    expect(findLicenceProblems([one("thing", licence)], []).length === 0).toBe(fits);
  });

  test("the LGPL is let in beside us by name, and never into the page", () => {
    const libvips = one("@img/sharp-libvips-linux-x64", "LGPL-3.0-or-later");
    expect(findLicenceProblems([libvips, one("other", "LGPL-3.0-or-later")], [])).toHaveLength(1);
    expect(findLicenceProblems([], [libvips])[0]).toContain("inside what we hand out");
    expect(isAllowed("MIT AND (MIT OR ISC)", () => true)).toBe(false);
  });

  test("the table of Python licences agrees with what the packages say of themselves", (context) => {
    const python = join(root, ".venv-worker/bin/python");
    if (!existsSync(python)) return context.skip("the worker's environment is not made");
    const program = `import importlib.metadata as m, json, sys
out = {}
for name in json.load(sys.stdin):
    try: d = m.metadata(name)
    except m.PackageNotFoundError: continue
    out[name] = " ".join([d.get("License-Expression") or "", (d.get("License") or "")[:60], *(d.get_all("Classifier") or [])])
print(json.dumps(out))`;
    const input = JSON.stringify(Object.keys(pythonLicences));
    const said = JSON.parse(execFileSync(python, ["-c", program], { input, encoding: "utf8" })) as Record<
      string,
      string
    >;
    expect(Object.keys(said).length).toBeGreaterThan(40);
    const strong = Object.entries(said).filter(([, text]) =>
      /\bA?GPL|Affero|GNU General Public/.test(text.replaceAll("LGPL", "")),
    );
    expect(strong).toEqual([]);
    const known = Object.entries(pythonLicences as Record<string, string>).filter(([name]) => name in said);
    const first = (licence: string) => /^[A-Za-z]+/.exec(licence)?.[0] ?? "";
    const words: Readonly<Record<string, RegExp>> = { BSD: /BSD/, PSF: /PSF|Python Software/, MPL: /MPL|Mozilla/ };
    const wrong = known.filter(
      ([name, licence]) => !(words[first(licence)] ?? new RegExp(first(licence))).test(said[name] ?? ""),
    );
    expect(wrong).toEqual([]);
  });
});

describe("programs that packages run when they are installed", () => {
  test("each is decided about by name; only the pinned Node's is let run, and npm refuses the others", () => {
    const strict = "strict-allow-scripts=true";
    expect(judgeScripts(["node", "other"], { node: true, other: false }, strict)).toEqual([]);
    expect(judgeScripts(["node", "new"], { node: true }, strict)).toEqual([
      expect.stringContaining("new runs a script"),
    ]);
    expect(judgeScripts(["node"], { node: true, other: true }, strict)).toEqual([
      expect.stringContaining("other may run"),
    ]);
    expect(judgeScripts(["node"], { node: true }, "")).toEqual([expect.stringContaining(".npmrc")]);
  });
});

describe("the bill of materials", () => {
  test("names every package once, with licence and hash, by no host", () => {
    const inventory = readInventory(root);
    const bill = billOfMaterials(inventory, "0.1.0", new Date(0)) as {
      components: { purl: string; hashes?: unknown; licenses?: unknown }[];
    };
    const purls = bill.components.map(({ purl }) => purl);
    expect(new Set(purls).size).toBe(purls.length);
    expect(purls.length).toBe(
      new Set(
        [...inventory.npm, ...inventory.page, ...inventory.python].map((p) => `${p.ecosystem}${p.name}${p.version}`),
      ).size,
    );
    expect(purls).toContain("pkg:npm/%40fastify/busboy@3.2.6");
    expect(bill.components.filter(({ purl, hashes }) => purl.startsWith("pkg:npm/") && hashes === undefined)).toEqual(
      [],
    );
    expect(bill.components.filter(({ licenses }) => licenses === undefined)).toEqual([]);
    expect(JSON.stringify(bill)).not.toMatch(/https?:|registry|\/\//);
  });
});

describe("the archive of a release", () => {
  const files = [
    { path: "b/run.sh", content: Buffer.from("#!/bin/sh\necho ok\n"), executable: true },
    { path: "a.txt", content: Buffer.from("x".repeat(600)), executable: false },
    { path: `${"long/".repeat(30)}name.txt`, content: Buffer.alloc(0), executable: false },
  ];

  test("is the same whatever order the files come in, and tar unpacks it", () => {
    const archive = packArchive("safelight-9", files, 1_700_000_000);
    expect(packArchive("safelight-9", files.toReversed(), 1_700_000_000)).toEqual(archive);
    expect(packArchive("safelight-9", files, 1_700_000_001)).not.toEqual(archive);
    writeFileSync(join(folder, "a.tar.gz"), archive);
    const unpacked = spawnSync("tar", ["xzvvf", "a.tar.gz"], {
      cwd: folder,
      encoding: "utf8",
      env: { TZ: "UTC", PATH: process.env.PATH },
    });
    expect({ status: unpacked.status, stderr: unpacked.stderr }).toEqual({ status: 0, stderr: "" });
    expect(unpacked.stdout).toMatch(/-rwxr-xr-x 0\/0 +18 2023-11-14 22:13 safelight-9\/b\/run\.sh/);
    expect(readFileSync(join(folder, "safelight-9/a.txt"), "utf8")).toBe("x".repeat(600));
    expect(execFileSync(join(folder, "safelight-9/b/run.sh"), { encoding: "utf8" })).toBe("ok\n");
  });
});
