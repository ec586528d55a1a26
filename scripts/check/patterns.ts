// Regular expressions judge what strangers send: none may need more than a few steps for each character, whatever the text is.
// Found are the literals of the code, the strings that become patterns of schemas (`pattern: "…"`) and those that are named so.
import { isSafe } from "redos-detector";
import { parseSync, Visitor } from "vite";

export interface FoundPattern {
  readonly path: string;
  readonly source: string;
  readonly flags: string;
}

/** Patterns that go back over a text, and why that does no harm. Every entry must be in use. */
export const boundedPatterns: Readonly<Record<string, string>> = {
  "^[^\\u0000-\\u001f\\u007f-\\u009f]*[^\\u0000-\\u001f\\u007f-\\u009f\\s][^\\u0000-\\u001f\\u007f-\\u009f]*$":
    "labels of worker accounts, judged after their greatest length",
  "^(?:results|previews)\\/(.+)-\\d+\\.[a-z0-9]+$": "names of files of our own, at most 255 bytes",
  "^(?:(?:results|previews)\\/(.+)-\\d+\\.\\w+|thumbnails\\/(.+)\\.webp)$":
    "names of files of our own, at most 255 bytes",
  "^-+|-+$": "the first 60 characters of a prompt",
};

/** Every pattern of one source. `problems` names expressions that are put together at run time, which nobody can judge. */
export function patternsIn(path: string, text: string): { patterns: FoundPattern[]; built: string[] } {
  const patterns: FoundPattern[] = [];
  const built: string[] = [];
  const add = (source: unknown, flags = "u") => {
    if (typeof source === "string") patterns.push({ path, source, flags });
  };
  const literal = (node: { type: string; value?: unknown } | null | undefined) =>
    node?.type === "Literal" ? node.value : null;
  new Visitor({
    Literal: (node) => {
      if ("regex" in node) add(node.regex.pattern, node.regex.flags);
    },
    Property: (node) => {
      if (node.key.type === "Identifier" && node.key.name === "pattern") add(literal(node.value));
    },
    VariableDeclarator: (node) => {
      if (node.id.type === "Identifier" && node.id.name.endsWith("Pattern")) add(literal(node.init));
    },
    NewExpression: (node) => {
      const [first] = node.arguments;
      if (node.callee.type !== "Identifier" || node.callee.name !== "RegExp") return;
      if (first?.type === "Identifier" && first.name.endsWith("Pattern")) return;
      if (first !== undefined && literal(first) !== null) add(literal(first));
      else built.push(`${path}: builds a pattern at run time, which cannot be judged here`);
    },
  }).visit(parseSync(path, text).program);
  return { patterns, built };
}

/** One line for each pattern that can be made slow. `allowed`: by their text, with the reason. */
export function findSlowPatterns(found: readonly FoundPattern[], allowed: Readonly<Record<string, string>>): string[] {
  const problems: string[] = [];
  const judged = new Map<string, boolean>();
  for (const { path, source, flags } of found) {
    const name = `/${source}/${flags}`;
    const isQuick = judged.get(name) ?? judge(source, flags);
    judged.set(name, isQuick);
    if (!isQuick && allowed[source] === undefined) problems.push(`${path}: ${name} can be made slow by a text`);
  }
  const unused = Object.keys(allowed).filter((source) => !found.some((pattern) => pattern.source === source));
  return [...problems, ...unused.map((source) => `the exception for ${source} is not needed any more`)];
}

/**
 * At most a few hundred ways to read a text from one place on; beyond, they grow with its length. That a pattern may begin anywhere is
 * left out of account: it squares the time at worst, and every text that is judged here has a length that is limited before.
 */
function judge(source: string, flags: string): boolean {
  // The judge cannot take both; with the case as it stands the ways are the same.
  const judged = flags.includes("u") ? flags.replace("i", "") : flags;
  return isSafe(new RegExp(source.startsWith("^") ? source : `^(?:${source})`, judged), {
    maxScore: 500,
    timeout: 5000,
  }).safe;
}
