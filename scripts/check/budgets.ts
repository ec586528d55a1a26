// How long files may be. The numbers are habits of this repository: small files are read, long ones are searched.
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { isTestFile } from "./sources.ts";

export interface Budgets {
  /** No source file has more lines than this; tests and data are left out. */
  longestFile: number;
  /** No function of a Python file has more lines than this; those of TypeScript are the linter's. */
  longestFunction: number;
  /** Nine of ten source files stay within this. */
  usualFile: number;
  /** Lines of ARCHITECTURE.md: a map, not a manual. */
  architecture: number;
  /** Bytes of any one file outside the folders below. */
  largestFile: number;
  /** Folders that hold large files on purpose. */
  largeFolders: readonly string[];
}

export const repositoryBudgets: Budgets = {
  longestFile: 400,
  longestFunction: 60,
  usualFile: 250,
  architecture: 150,
  largestFile: 1024 * 1024,
  largeFolders: ["engine/model/"],
};

/** Every budget that is exceeded, one line each. */
export function findBudgetOverruns(root: string, paths: readonly string[], budgets: Budgets): string[] {
  const problems: string[] = [];
  const lengths: number[] = [];
  for (const path of paths) {
    const bytes = statSync(join(root, path)).size;
    if (bytes > budgets.largestFile && !budgets.largeFolders.some((folder) => path.startsWith(folder))) {
      problems.push(`${path}: ${bytes} bytes, at most ${budgets.largestFile}`);
    }
    if (path === "ARCHITECTURE.md") {
      const lines = countLines(root, path);
      if (lines > budgets.architecture) problems.push(`${path}: ${lines} lines, at most ${budgets.architecture}`);
    }
    if (!/\.(?:ts|tsx|mjs|py)$/.test(path) || isTestFile(path) || isPythonTest(path)) continue;
    if (path.endsWith(".py")) problems.push(...findLongFunctions(root, path, budgets.longestFunction));
    const lines = countLines(root, path);
    lengths.push(lines);
    if (lines > budgets.longestFile) problems.push(`${path}: ${lines} lines, at most ${budgets.longestFile}`);
  }
  const long = lengths.filter((lines) => lines > budgets.usualFile).length;
  if (long * 10 > lengths.length) {
    problems.push(
      `${long} of ${lengths.length} source files have more than ${budgets.usualFile} lines, at most one in ten`,
    );
  }
  return problems;
}

function countLines(root: string, path: string): number {
  const text = readFileSync(join(root, path), "utf8");
  return text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
}

function isPythonTest(path: string): boolean {
  return path.endsWith(".py") && path.split("/").includes("tests");
}

/** Functions by their indentation: each ends before the first line that stands as far left as its own. */
function findLongFunctions(root: string, path: string, longest: number): string[] {
  const lines = readFileSync(join(root, path), "utf8").trimEnd().split("\n");
  return lines.flatMap((line, start) => {
    const found = /^( *)(?:async )?def (\w+)/.exec(line);
    if (found === null) return [];
    const [, indent = "", name] = found;
    // A closing bracket of the parameters stands that far left too, and belongs to the head.
    const after = lines.findIndex(
      (one, at) => at > start && one !== "" && new RegExp(`^ {0,${indent.length}}[^ )]`).test(one),
    );
    const end = after === -1 ? lines.length : after;
    const length = lines.slice(start, end).join("\n").trimEnd().split("\n").length;
    return length > longest ? [`${path}: ${name} has ${length} lines, at most ${longest}`] : [];
  });
}
