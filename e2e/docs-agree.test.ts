// The pages for operators agree with the program: what they link to is there, commands and flags exist, tests and evidence that they name
// are files, settings and routes are real ones.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describeCommands } from "@safelight/cli";
import { routes } from "@safelight/contract";
import { describe, expect, test } from "vitest";

const repository = resolve(import.meta.dirname, "..");
const read = (path: string): string => readFileSync(join(repository, path), "utf8");
const markdownIn = (folder: string): string[] =>
  readdirSync(join(repository, folder))
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(folder, name));
const operations = markdownIn("docs/operations");
const pages = [
  "README.md",
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  "docs/worker-protocol.md",
  ...operations,
  ...markdownIn("docs/decisions"),
];

/** As GitHub names the anchor of a heading. */
function anchorsOf(text: string): Set<string> {
  const headings = text.replaceAll(/^```[\s\S]*?^```/gm, "").matchAll(/^#{1,6} (.+)$/gm);
  return new Set(
    [...headings].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
        .trim()
        .replaceAll(/\s/g, "-"),
    ),
  );
}

test.each(pages)("%s links to what is there", (page) => {
  const broken: string[] = [];
  const text = read(page).replaceAll(/^```[\s\S]*?^```/gm, "");
  for (const [, target = ""] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(target)) continue;
    const [path = "", anchor] = target.split("#");
    const file = path === "" ? page : relative(repository, resolve(repository, dirname(page), path));
    if (!existsSync(join(repository, file))) broken.push(target);
    else if (anchor !== undefined && file.endsWith(".md") && !anchorsOf(read(file)).has(anchor)) broken.push(target);
  }
  expect(broken).toEqual([]);
});

test("the index of the pages for operators names each of them", () => {
  const index = read("docs/operations/README.md");
  const missing = operations.filter(
    (page) => !page.endsWith("README.md") && !index.includes(`(${page.split("/").at(-1)})`),
  );
  expect(missing).toEqual([]);
});

describe("commands", () => {
  const commands = new Map(describeCommands().map(({ name, flags }) => [name, new Set(flags)]));

  test.each([...operations, "README.md"])("%s names commands and flags that exist", (page) => {
    const wrong: string[] = [];
    for (const words of commandLinesIn(read(page))) {
      const name = [2, 1].map((count) => words.slice(0, count).join(" ")).find((one) => commands.has(one));
      const known = name === undefined ? undefined : commands.get(name);
      if (known === undefined) wrong.push(words.join(" "));
      for (const flag of words.filter((word) => word.startsWith("--"))) {
        if (known !== undefined && !known.has(flag.replace(/=.*$/, ""))) wrong.push(`${name}: ${flag}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test("are found where they stand", () => {
    const text =
      "`safelight restore --replace B` and safelight itself\n```sh\n./safelight audit verify x --public-key k   # why\n```";
    expect(commandLinesIn(text)).toEqual([
      ["audit", "verify", "x", "--public-key", "k"],
      ["restore", "--replace", "B"],
    ]);
  });

  test.each(pages)("%s names scripts of package.json", (page) => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    const named = [...read(page).matchAll(/\bnpm run ([a-z][a-z:-]*)/g)].map(([, name = ""]) => name);
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  });
});

/** Every `safelight …` that stands in code, up to what ends a command in a shell. */
function commandLinesIn(text: string): string[][] {
  const pattern = /(?<![\w/@.=-])(?:\.\/|\/opt\/safelight\/)?safelight ([a-z][^\n`#&|;>…()"]*)/g;
  return codeIn(text).flatMap((code) => [...code.matchAll(pattern)].map(([, line = ""]) => line.trim().split(/\s+/)));
}

/** What stands between fences, and what between back-ticks outside of them. */
function codeIn(text: string): string[] {
  const blocks = [...text.matchAll(/^ *```\w*\n([\s\S]*?)^ *```/gm)].map(([, block = ""]) => block);
  const rest = text.replaceAll(/^ *```\w*\n[\s\S]*?^ *```/gm, "");
  return [...blocks, ...[...rest.matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code)];
}

describe("what is named as evidence", () => {
  const named = (page: string): string[] => [
    ...new Set(
      [
        ...read(page).matchAll(
          /`([A-Za-z.][\w./-]*\.(?:ts|tsx|json|md|conf|service)|deploy\/caddy\/Caddyfile|\.env\.example)`/g,
        ),
      ].map(([, path = ""]) => path),
    ),
  ];

  test.each(["docs/operations/threat-model.md", "docs/operations/asvs.md"])("%s: every file is there", (page) => {
    expect(named(page).length).toBeGreaterThan(30);
    expect(named(page).filter((path) => !existsSync(join(repository, path)))).toEqual([]);
  });

  test("every line of the threat model names a file that holds tests", () => {
    const rows =
      read("docs/operations/threat-model.md")
        .split("## STRIDE")[1]
        ?.split("\n")
        .filter((line) => /^\| (?!threat|---)/.test(line)) ?? [];
    expect(rows.length).toBeGreaterThan(40);
    for (const row of rows) {
      const paths = [...row.matchAll(/`([\w./-]+\.tsx?)`/g)].map(([, path = ""]) => path);
      expect(paths.length, row).toBeGreaterThan(0);
      for (const path of paths) {
        const text = read(path);
        expect([path, path === "scripts/check.ts" || /\b(?:test|it)(?:\.\w+)*[(<]|describe\(/.test(text)]).toEqual([
          path,
          true,
        ]);
      }
    }
  });
});

function namesInPython(folder: string): string[] {
  const files = readdirSync(join(repository, folder)).filter((name) => name.endsWith(".py"));
  return files.flatMap((name) =>
    [...read(join(folder, name)).matchAll(/["']([A-Z][A-Z0-9_]+)["']/g)].map(([, found = ""]) => found),
  );
}

test.each([...operations, "README.md"])("%s names settings that .env.example has", (page) => {
  const known = new Set([...read(".env.example").matchAll(/^([A-Z][A-Z0-9_]*)=/gm)].map(([, name]) => name));
  // The worker has settings of its own; the rest are names of other programs and of patterns.
  const ofWorker = new Set(
    ["worker/safelight_worker", "worker/safelight_worker/families", "deploy/modal"].flatMap(namesInPython),
  );
  const ofCompose = new Set([...read("deploy/compose.yaml").matchAll(/\$\{([A-Z_]+)/g)].map(([, name]) => name));
  const foreign =
    /^(?:NODE_EXTRA_CA_CERTS|MODAL_CONFIG_PATH|SAFELIGHT_(?:FLUX|PONY|ANISORA|PHR00T)_|DEBIAN_|NAME_FILE$|CUDA_|HF_HOME)/;
  const named = [...read(page).matchAll(/`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?:=[^`]*)?`/g)].map(([, name = ""]) => name);
  const isOurs = (name: string) => known.has(name) || known.has(name.replace(/_FILE$/, ""));
  const isKnown = (name: string) => isOurs(name) || ofWorker.has(name) || ofCompose.has(name);
  const unknown = named.filter((name) => !isKnown(name) && !foreign.test(name));
  expect([...new Set(unknown)]).toEqual([]);
});

test.each([...operations, "README.md"])("%s names routes that the contract has", (page) => {
  const patterns = Object.values(routes).map(({ method, path }) => ({
    method,
    pattern: new RegExp(`^${path.replaceAll(/\{[^}]+\}/g, "[^/]+")}$`),
  }));
  const wrong: string[] = [];
  for (const [whole, method = "", path = ""] of read(page).matchAll(
    /`(GET|POST|PUT|PATCH|DELETE) (\/[^\s`?…]*)[^`]*`/g,
  )) {
    // Addresses of others: a moderation service, the model hub, a worker.
    if (/^\/(?:your|api)\//.test(path)) continue;
    if (!patterns.some((route) => route.method === method && route.pattern.test(path))) wrong.push(whole);
  }
  expect(wrong).toEqual([]);
});
