import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { findBundleOverrun, measureBundle } from "./bundle.ts";

const folder = mkdtempSync(join(tmpdir(), "safelight-bundle-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Bytes that no compression makes smaller, as a comment. */
const weight = (bytes: number) => `/*${randomBytes(Math.ceil(bytes * 0.75)).toString("base64")}*/`;

function build(files: Readonly<Record<string, string>>): string {
  const dist = mkdtempSync(join(folder, "dist-"));
  mkdirSync(join(dist, "assets"));
  writeFileSync(
    join(dist, "index.html"),
    '<script type="module" src="/assets/index-1.js"></script><link rel="stylesheet" href="/assets/index-1.css">',
  );
  const usual = { "index-1.css": "", "studio-page-1.js": "", "gallery-1.js": "", "history-1.js": "" };
  for (const [name, code] of Object.entries({ ...usual, ...files })) writeFileSync(join(dist, "assets", name), code);
  return dist;
}

test("a page weighs what it names and imports at once, and nothing that comes later", () => {
  const dist = build({
    "index-1.js": `import{a}from"./shared-1.js";import("./gallery-1.js");${weight(40_000)}`,
    "shared-1.js": weight(20_000),
    "studio-page-1.js": `import"./shared-1.js";import("./later-1.js");${weight(10_000)}`,
    "studio-page-1.css": weight(5_000),
    "later-1.js": weight(90_000),
  });
  const [studio, gallery] = measureBundle(dist);
  expect(studio?.files.map(({ file }) => file).sort()).toEqual(
    ["index-1.css", "index-1.js", "index.html", "shared-1.js", "studio-page-1.css", "studio-page-1.js"].sort(),
  );
  expect(studio?.bytes).toBeGreaterThan(56_000);
  expect(studio?.bytes).toBeLessThan(90_000);
  expect(gallery?.bytes).toBeLessThan(studio?.bytes ?? 0);
});

test("too heavy a first page is named with its heaviest parts; heavy later pages are not", () => {
  const heavy = build({ "index-1.js": weight(100_000), "studio-page-1.js": weight(120_000) });
  const told = (language: string) =>
    expect.stringMatching(new RegExp(`first page takes 1\\d\\d\\.\\d kB.*reads ${language}:.*studio-page-1\\.js`));
  expect(findBundleOverrun(heavy)).toEqual([told("en"), told("ru")]);
  expect(findBundleOverrun(build({ "index-1.js": "", "gallery-1.js": weight(400_000) }))).toEqual([]);
});

test("a visitor with another language has its words to carry too: those of the page and no others", () => {
  const dist = build({
    "index-1.js": 'import("./studio-page-1.js");const t=w({a:1},`app/strings.ts`,`page`);',
    "studio-page-1.js": `${weight(140_000)};w({a:1},"features/studio/strings.ts","studio")`,
    "gallery-1.js": 'w({a:1},"features/gallery/strings.ts","gallery")',
    "ru-page-12345678.js": weight(10_000),
    "ru-studio-abcd_-78.js": weight(20_000),
    "ru-gallery-12345678.js": weight(50_000),
  });
  const filesIn = (language: "en" | "ru") => measureBundle(dist, language)[0]?.files.map(({ file }) => file) ?? [];
  const own = filesIn("ru").filter((file) => !filesIn("en").includes(file));
  expect(own.sort()).toEqual(["ru-page-12345678.js", "ru-studio-abcd_-78.js"]);
  expect(findBundleOverrun(dist, 125_000)).toEqual([expect.stringContaining("reads ru")]);
  expect(() => measureBundle(build({ "index-1.js": 'w({},"a.ts","lost")' }), "ru")).toThrow("lost");
});

test("a page that is not built is no light page", () => {
  expect(findBundleOverrun(join(folder, "nothing"))).toEqual([expect.stringContaining("not built")]);
});
