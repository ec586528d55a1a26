// What a first visit to the page transfers, measured on the built files as a server with gzip would send them. Run by
// itself (`scripts/check/bundle.ts`) it prints the figures.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** Compressed bytes of HTML, scripts and styles that the first page may take. */
export const firstRouteBudget = 150_000;

/** Pages by the name of their piece in web/src/app/router.tsx; the first is the one the budget is for. */
export const pagePieces: readonly string[] = ["studio-page", "gallery", "history"];

/** The languages of the page. English words are part of the code; those of another language come beside it. */
export const bundleLanguages = ["en", "ru"] as const;
type Language = (typeof bundleLanguages)[number];

export interface BundlePage {
  piece: string;
  language: Language;
  /** Compressed bytes of everything this page needs, when it is the first to be opened. */
  bytes: number;
  files: readonly { file: string; bytes: number }[];
}

/**
 * What each page needs of a built folder, `dist`, when its visitor reads the language. Throws when the page is not built
 * or a piece is missing.
 */
export function measureBundle(dist: string, language: Language = "en"): BundlePage[] {
  const html = readFileSync(join(dist, "index.html"), "utf8");
  const names = readdirSync(join(dist, "assets"));
  const named = [...html.matchAll(/(?:src|href)="\/assets\/([^"]+\.(?:js|css))"/g)].map((match) => match[1] ?? "");
  return pagePieces.map((piece) => {
    const own = names.filter((name) => name.startsWith(`${piece}-`) && /\.(?:js|css)$/.test(name));
    if (!own.some((name) => name.endsWith(".js"))) throw new Error(`web/dist holds no piece for the page ${piece}`);
    const code = withImports(dist, [...named, ...own]);
    const needed = language === "en" ? code : withImports(dist, [...code, ...textFiles(dist, code, language)]);
    const files = [...needed].map((file) => ({ file, bytes: compressed(dist, file) }));
    files.push({ file: "index.html", bytes: gzipSync(html, { level: 9 }).length });
    return { piece, language, bytes: files.reduce((sum, file) => sum + file.bytes, 0), files };
  });
}

/** A line for each language in which the first page is over the budget. */
export function findBundleOverrun(dist: string, budget: number = firstRouteBudget): string[] {
  if (!existsSync(join(dist, "index.html"))) return ["web/dist is not built: npm run check builds it"];
  return bundleLanguages.flatMap((language) => {
    const [first] = measureBundle(dist, language);
    if (first === undefined || first.bytes <= budget) return [];
    const largest = first.files.toSorted((a, b) => b.bytes - a.bytes).slice(0, 5);
    const parts = largest.map(({ file, bytes }) => `${file} ${kilobytes(bytes)}`).join(", ");
    const taken = `${kilobytes(first.bytes)} compressed, at most ${kilobytes(budget)}`;
    return [`the first page takes ${taken}, for a visitor who reads ${language}: ${parts}`];
  });
}

/** The files of the words that these pieces of code have in another language: each piece names the parts it wants. */
function textFiles(dist: string, code: ReadonlySet<string>, language: Language): string[] {
  const wanted = [...code].filter((file) => file.endsWith(".js")).flatMap((file) => partsNamedIn(dist, file));
  const names = readdirSync(join(dist, "assets"));
  return [...new Set(wanted)].map((part) => {
    const start = `${language}-${part}-`;
    // The sign of the content has eight characters, hyphens among them.
    const name = names.find((each) => each.startsWith(start) && each.length === `${start}12345678.js`.length);
    if (name === undefined) throw new Error(`web/dist holds no words in ${language} for the part ${part}`);
    return name;
  });
}

/** `inLanguage(texts, "app/strings.ts", "page")`, as web/texts.config.ts leaves it: the last text names the part. */
function partsNamedIn(dist: string, file: string): string[] {
  const code = readFileSync(join(dist, "assets", file), "utf8");
  return [...code.matchAll(/[`"'][\w/-]+\.tsx?[`"'],[`"']([\w-]+)[`"']\)/g)].map((match) => match[1] ?? "");
}

/** Files and what they import at once; what they import later is what makes a page light. */
function withImports(dist: string, files: readonly string[]): Set<string> {
  const found = new Set<string>();
  const waiting = [...files];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (found.has(file)) continue;
    found.add(file);
    if (!file.endsWith(".js")) continue;
    const code = readFileSync(join(dist, "assets", file), "utf8");
    for (const match of code.matchAll(/(?:\bfrom|\bimport)\s*["'`]\.\/([^"'`]+\.js)["'`]/g))
      waiting.push(match[1] ?? "");
  }
  return found;
}

function compressed(dist: string, file: string): number {
  return gzipSync(readFileSync(join(dist, "assets", file)), { level: 9 }).length;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}

if (import.meta.main) {
  const dist = process.argv[2] ?? "web/dist";
  for (const { piece, language, bytes, files } of bundleLanguages.flatMap((each) => measureBundle(dist, each))) {
    console.log(`${piece} (${language}): ${kilobytes(bytes)} as the first page`);
    for (const { file, bytes: part } of files) console.log(`  ${kilobytes(part).padStart(9)}  ${file}`);
  }
}
