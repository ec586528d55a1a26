// .env.example names every variable that the product reads, each without a value, and none that nobody reads.
// Read are: the upper-case strings and property names of the settings file, and every property of an object called env or
// environment in the other sources. Below the line "# Read by later releases" stand names that nothing reads yet.
import { parseSync, Visitor } from "vite";

/** Variables that belong to the system or to the tools, not to this product. */
const foreign = new Set(
  "CI HOME LANG NODE_ENV NODE_OPTIONS NO_COLOR FORCE_COLOR PATH TERM TMPDIR TZ npm_execpath XDG_RUNTIME_DIR".split(" "),
);
const variableName = /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$/;

/** Names of variables in one source; in the settings file every upper-case string counts. */
export function variablesIn(path: string, text: string, isSettingsFile: boolean): string[] {
  const found = new Set<string>();
  const add = (name: unknown) => {
    if (typeof name === "string" && name.length > 2 && variableName.test(name) && !foreign.has(name)) found.add(name);
  };
  new Visitor({
    MemberExpression: (node) => {
      const owner = node.object.type === "MemberExpression" ? node.object.property : node.object;
      if (owner.type !== "Identifier" || !/^(?:env|environment)$/.test(owner.name)) return;
      if (node.property.type === "Identifier" && !node.computed) add(node.property.name);
      if (node.property.type === "Literal") add(node.property.value);
    },
    Literal: (node) => {
      if (isSettingsFile) add(node.value);
    },
    Property: (node) => {
      if (isSettingsFile && node.key.type === "Identifier") add(node.key.name);
    },
  }).visit(parseSync(path, text).program);
  return [...found].sort();
}

/** What is wrong with the text of .env.example, given the names that the sources read. */
export function compareExample(example: string, read: readonly string[]): string[] {
  const problems: string[] = [];
  const named = new Set<string>();
  let later = false;
  for (const line of example.split("\n")) {
    if (line.startsWith("# Read by later releases")) later = true;
    const match = /^(?:#\s*)?([A-Z][A-Z0-9_]*)=(.*)$/.exec(line);
    if (match === null) continue;
    const [, name = "", value = ""] = match;
    named.add(name);
    if (value.trim() !== "") problems.push(`.env.example gives ${name} a value`);
    const isRead = read.includes(name) || read.includes(name.replace(/_FILE$/, ""));
    if (!isRead && !later) problems.push(`.env.example names ${name}, which nothing reads`);
    if (isRead && later) problems.push(`.env.example puts ${name} among later names, but it is read`);
  }
  for (const name of read) {
    if (!named.has(name)) problems.push(`.env.example does not name ${name}`);
  }
  return problems;
}
