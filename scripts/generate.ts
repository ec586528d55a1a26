/**
 * Writes the files that are made from the source and committed beside it. `--check` writes nothing and fails on the first
 * file that differs, naming the place.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildModelsExample } from "../contract/src/models-example.ts";
import { buildOpenApi } from "../contract/src/openapi.ts";
import { buildWorkerOpenApi } from "../contract/src/worker/openapi.ts";
import { findDifference } from "./generate/find-difference.ts";
import { buildWorkerContract } from "./generate/worker-contract.ts";
import { licenceList, readInventory, thirdPartyTexts } from "./supply/licence-list.ts";

const root = new URL("..", import.meta.url);
const generated: Readonly<Record<string, () => unknown>> = {
  "contract/openapi.json": buildOpenApi,
  "contract/worker-openapi.json": buildWorkerOpenApi,
  "contract/examples/models.json": buildModelsExample,
  "worker/safelight_worker/contract.json": buildWorkerContract,
  // A text is written as it is, everything else as JSON.
  "docs/licences.md": () => licenceList(readInventory(fileURLToPath(root))),
  "THIRD-PARTY-LICENSES.md": () => thirdPartyTexts(fileURLToPath(root), readInventory(fileURLToPath(root)).page),
};
const checking = process.argv.includes("--check");

for (const [path, build] of Object.entries(generated)) {
  const file = fileURLToPath(new URL(path, root));
  const made = build();
  const fresh = typeof made === "string" ? made : `${JSON.stringify(made, null, 2)}\n`;
  const kept = readOrNull(file);
  if (kept === fresh) continue;
  if (!checking) {
    writeFileSync(file, fresh);
    console.log(`wrote ${path}`);
    continue;
  }
  const place = kept === null ? "the file is missing" : differenceOf(kept, fresh, path);
  console.error(`${path} is not what the source makes (${place}). Run npm run generate and commit it.`);
  process.exitCode = 1;
}

function differenceOf(kept: string, fresh: string, path: string): string {
  if (path.endsWith(".json")) return findDifference(kept, fresh);
  const [before, now] = [kept.split("\n"), fresh.split("\n")];
  return `line ${now.findIndex((line, index) => line !== before[index]) + 1}`;
}

function readOrNull(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}
