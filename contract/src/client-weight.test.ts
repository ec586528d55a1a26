// The client goes into the page: what it imports at run time is what a visitor downloads.
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** Modules that a file needs at run time, itself included; type imports vanish and are not followed. */
function needs(file: URL, seen = new Set<string>()): Set<string> {
  const name = file.pathname.split("/src/").at(-1) ?? "";
  if (seen.has(name)) return seen;
  seen.add(name);
  const statements = readFileSync(file, "utf8").matchAll(/^(?:import|export)\s+(?!type\b)[^;]*?from\s+"([^"]+)"/gms);
  for (const [, target = ""] of statements) {
    const next = new URL(target, file);
    if (!target.startsWith(".")) seen.add(target);
    else if (existsSync(next)) needs(next, seen);
  }
  return seen;
}

const weight = (file: string): string[] => [...needs(new URL(file, import.meta.url))].sort();

// The parser of streams is imported by its first stream, and by no page before that.
test("the client carries no schemas, no route table and no catalog", () => {
  expect(weight("./client.ts")).toEqual([
    "client-error.ts",
    "client-events.ts",
    "client.ts",
    "endpoints.ts",
    "multipart.ts",
  ]);
});

test("the error table stands alone", () => {
  expect(weight("./errors.ts")).toEqual(["errors.ts"]);
});

test("the measure itself sees what is heavy", () => {
  expect(weight("./routes.ts")).toEqual(expect.arrayContaining(["typebox", "@safelight/catalog", "schemas/status.ts"]));
});
