import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { Plugin } from "vite";

const both = "inLanguage({ en, ru })";
const virtual = "virtual:texts-ru";

/**
 * Takes the Russian texts out of every strings file into one piece of their own, which only a Russian page loads. In the
 * source, in tests and under `vite dev` both languages stand side by side.
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
    resolveId: (id) => (id === virtual ? `\0${virtual}` : null),
    load(id) {
      if (id !== `\0${virtual}`) return null;
      return isBuild ? collected(stringsFiles(sources), keyOf) : "export const texts = {};";
    },
    transform(code, id) {
      if (!isBuild || !code.includes(both)) return null;
      const [file = id, query] = id.split("?");
      if (query === "ru") return `${code.replace(both, "undefined")}\nexport { ru as texts };`;
      return code.replace(both, `inLanguage({ en, ru: null }, ${JSON.stringify(keyOf(file))})`);
    },
  };
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
