// The repository as the checks see it: which files belong to it, and what each TypeScript file imports.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseSync, Visitor } from "vite";

export interface SourceFile {
  /** Path from the repository root, with forward slashes. */
  path: string;
  /** Every module specifier the file names, type imports and literal dynamic imports included. */
  imports: readonly string[];
  isTest: boolean;
}

/** Files that git tracks or would track (new ones included, ignored ones not), sorted by path. */
export function repositoryFiles(root: string): string[] {
  const listing = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  const paths = listing.split("\0").filter((path) => path !== "" && existsSync(join(root, path)));
  return [...new Set(paths)].sort();
}

/** Reads the imports of every TypeScript file in the list. */
export function readSources(root: string, paths: readonly string[]): SourceFile[] {
  return paths
    .filter((path) => /\.tsx?$/.test(path) && !path.endsWith(".d.ts"))
    .map((path) => ({
      path,
      imports: importsOf(path, readFileSync(join(root, path), "utf8")),
      isTest: isTestFile(path),
    }));
}

/** Tests and what only tests use: these may look at everything inside their package. */
export function isTestFile(path: string): boolean {
  return /\.test\.tsx?$/.test(path) || path.split("/").includes("testing");
}

/** Module specifiers in one TypeScript text; throws when the text does not parse. */
export function importsOf(path: string, text: string): string[] {
  const { program, errors } = parseSync(path, text);
  if (errors[0] !== undefined) throw new Error(`${path} does not parse: ${errors[0].message}`);
  const found = new Set<string>();
  const add = (node: { type: string; value?: unknown } | null | undefined) => {
    if (node?.type === "Literal" && typeof node.value === "string") found.add(node.value);
  };
  new Visitor({
    ImportDeclaration: (node) => add(node.source),
    ExportNamedDeclaration: (node) => add(node.source),
    ExportAllDeclaration: (node) => add(node.source),
    ImportExpression: (node) => add(node.source),
    TSImportType: (node) => add(node.source),
    TSExternalModuleReference: (node) => add(node.expression),
  }).visit(program);
  return [...found];
}
