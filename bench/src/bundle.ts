// What the first visit to each page transfers, compressed, of the page as `npm run bench` has just built it.
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import type { Figure } from "./figures.ts";

const repository = resolve(import.meta.dirname, "../..");
const mostKilobytes = 150;

/** One figure for each page and language; the limit is for the studio, the first of them. Throws where the page is not built. */
export function benchBundle(): Figure[] {
  const told = spawnSync(process.execPath, ["scripts/check/bundle.ts"], { cwd: repository, encoding: "utf8" });
  const pages = [...told.stdout.matchAll(/^(\S+) \((\w+)\): ([\d.]+) kB as the first page$/gm)];
  if (told.status !== 0 || pages.length === 0) throw new Error(`The sizes could not be measured: ${told.stderr}`);
  return pages.map(([, piece = "", language = "", kilobytes = ""]) => ({
    what: `page ${piece} in ${language}, compressed`,
    measured: `${kilobytes} kB`,
    against: "–",
    ratio: null,
    target: piece === pages[0]?.[1] ? `≤ ${mostKilobytes} kB` : "–",
    reached: piece !== pages[0]?.[1] || Number(kilobytes) <= mostKilobytes,
  }));
}
