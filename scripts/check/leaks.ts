// What must never be committed besides secrets: addresses of package registries and paths of somebody's machine. Both tell
// where a file was made, and neither works anywhere else.
import { readFileSync } from "node:fs";
import { join } from "node:path";

interface Rule {
  name: string;
  pattern: RegExp;
}

const rules: readonly Rule[] = [
  {
    name: "address of a package registry",
    pattern: /\bregistry\.[\w.-]+\.(?:com|org|net|io|dev|cloud|internal|local)\b/i,
  },
  { name: "address of a package registry", pattern: /\b(?:files\.pythonhosted|pypi)\.org\b|\bproxy\.golang\.org\b/i },
  { name: "resolved address in a lock file", pattern: /"resolved":\s*"(?:https?|git\+\w+):/ },
  { name: "registry setting", pattern: /^\s*(?:@[\w-]+:)?registry\s*=\s*\S/ },
  { name: "path of a machine", pattern: /(?<![\w.~}*-])\/(?:home|Users|root|work)\/[\w.-]+/ },
  { name: "path of a machine", pattern: /\b[A-Z]:\\+Users\\+\w+/ },
];

/** Longest line looked at; bundled or encoded lines beyond it carry no such text of ours. */
const longestLine = 4000;

/** One line "path:line: what: text" for every finding in the given files. Binary files are left out. */
export function findLeaks(root: string, paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    const bytes = readFileSync(join(root, path));
    if (bytes.subarray(0, 8000).includes(0)) return [];
    return leaksIn(bytes.toString("utf8")).map((found) => `${path}:${found}`);
  });
}

/** Findings in one text as "line: what: text". */
export function leaksIn(text: string): string[] {
  return text.split("\n").flatMap((line, index) => {
    if (line.length > longestLine) return [];
    return rules.flatMap(({ name, pattern }) => {
      const match = pattern.exec(line);
      return match === null ? [] : [`${index + 1}: ${name}: ${match[0].trim()}`];
    });
  });
}
