import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { Plugin } from "vite";

const both = "inLanguage({ en, ru })";
const virtual = "virtual:texts-ru";
/** The part of what is there with every page; each other feature is a part of its own. */
const ground = "page";
/** Files whose texts come with a piece of code that comes behind the page, by the part they belong to. */
const behind: Readonly<Record<string, string>> = {
  "api/words/problem-words.ts": "problems",
  "api/words/waiting-words.ts": "tasks",
  "ui/task-words.ts": "tasks",
  "ui/viewer/strings.ts": "viewer",
  "features/studio/queue/list-strings.ts": "studio-tasks",
  "features/studio/stage/result-strings.ts": "studio-tasks",
};

/**
 * Takes the Russian texts out of every strings file into pieces that only a Russian page loads: one for what every page
 * has, one for each feature, and one for each piece that comes behind its page. In the source, in tests and under
 * `vite dev` both languages stand side by side.
 */
export function splitTexts(): Plugin {
  const sources = join(import.meta.dirname, "src");
  const keyOf = (file: string) => relative(sources, file).replaceAll("\\", "/");
  let isBuild = false;
  return {
    name: "safelight-split-texts",
    enforce: "pre",
    configResolved({ command }) {
      isBuild = command === "build";
    },
    resolveId: (id) => (id === virtual || id.startsWith(`${virtual}/`) ? `\0${id}` : null),
    load(id) {
      if (!id.startsWith(`\0${virtual}`)) return null;
      const files = isBuild ? stringsFiles(sources) : [];
      const part = id.slice(`\0${virtual}/ru-`.length);
      if (part === "") return loaders(new Set(files.map((file) => partOf(keyOf(file)))));
      return collected(
        files.filter((file) => partOf(keyOf(file)) === part),
        keyOf,
      );
    },
    transform(code, id) {
      if (!isBuild || !code.includes(both)) return null;
      const [file = id, query] = id.split("?");
      if (query === "ru") return `${code.replace(both, "undefined")}\nexport { ru as texts };`;
      const name = keyOf(file);
      return code.replace(
        both,
        `inLanguage({ en, ru: null }, ${JSON.stringify(name)}, ${JSON.stringify(partOf(name))})`,
      );
    },
  };
}

/** Whether a file's texts come behind the page: with it, such a file has no place in what every page loads. */
export function comesBehind(file: string): boolean {
  return Object.keys(behind).some((name) => file.endsWith(`/src/${name}`));
}

function partOf(name: string): string {
  const own = behind[name];
  if (own !== undefined) return own;
  const feature = /^features\/([^/]+)\//.exec(name)?.[1];
  return feature ?? ground;
}

function loaders(parts: ReadonlySet<string>): string {
  const entries = [...parts].map(
    (part) => `${JSON.stringify(part)}: () => import(${JSON.stringify(`${virtual}/ru-${part}`)})`,
  );
  return `export const parts = { ${entries.join(", ")} };`;
}

function collected(files: readonly string[], keyOf: (file: string) => string): string {
  const imports = files.map((file, index) => `import { texts as t${index} } from ${JSON.stringify(`${file}?ru`)};`);
  const entries = files.map((file, index) => `${JSON.stringify(keyOf(file))}: t${index}`);
  return `${imports.join("\n")}\nexport const texts = { ${entries.join(", ")} };`;
}

function stringsFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => /\.tsx?$/.test(file) && !file.includes(".test."))
    .map((file) => join(folder, file))
    .filter((file) => readFileSync(file, "utf8").includes(both))
    .sort();
}
