// What a first visit to the page transfers, measured on the built files as a server with gzip would send them. Run by
// itself (`scripts/check/bundle.ts`) it prints the figures.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** Compressed bytes of HTML, scripts and styles that the first page may take. */
export const firstRouteBudget = 150_000;

/** Pages by the name of their piece in web/src/app/router.tsx; the first is the one the budget is for. */
export const pagePieces: readonly string[] = ["studio-page", "gallery", "history"];

export interface BundlePage {
  piece: string;
  /** Compressed bytes of everything this page needs, when it is the first to be opened. */
  bytes: number;
  files: readonly { file: string; bytes: number }[];
}

/** What each page needs of a built folder, `dist`. Throws when the page is not built or a piece is missing. */
export function measureBundle(dist: string): BundlePage[] {
  const html = readFileSync(join(dist, "index.html"), "utf8");
  const names = readdirSync(join(dist, "assets"));
  const named = [...html.matchAll(/(?:src|href)="\/assets\/([^"]+\.(?:js|css))"/g)].map((match) => match[1] ?? "");
  return pagePieces.map((piece) => {
    const own = names.filter((name) => name.startsWith(`${piece}-`) && /\.(?:js|css)$/.test(name));
    if (!own.some((name) => name.endsWith(".js"))) throw new Error(`web/dist holds no piece for the page ${piece}`);
    const files = [...withImports(dist, [...named, ...own])].map((file) => ({ file, bytes: compressed(dist, file) }));
    files.push({ file: "index.html", bytes: gzipSync(html, { level: 9 }).length });
    return { piece, bytes: files.reduce((sum, file) => sum + file.bytes, 0), files };
  });
}

/** One line when the first page is over the budget. */
export function findBundleOverrun(dist: string, budget: number = firstRouteBudget): string[] {
  if (!existsSync(join(dist, "index.html"))) return ["web/dist is not built: npm run check builds it"];
  const [first] = measureBundle(dist);
  if (first === undefined || first.bytes <= budget) return [];
  const largest = first.files.toSorted((a, b) => b.bytes - a.bytes).slice(0, 5);
  const parts = largest.map(({ file, bytes }) => `${file} ${kilobytes(bytes)}`).join(", ");
  return [`the first page takes ${kilobytes(first.bytes)} compressed, at most ${kilobytes(budget)}: ${parts}`];
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
  for (const { piece, bytes, files } of measureBundle(process.argv[2] ?? "web/dist")) {
    console.log(`${piece}: ${kilobytes(bytes)} as the first page`);
    for (const { file, bytes: part } of files) console.log(`  ${kilobytes(part).padStart(9)}  ${file}`);
  }
}
