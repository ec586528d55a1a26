// npm run check: everything a reviewer would run. First the quick steps, two at a time; when all of them pass, the tests.
// `scripts/check.ts layers cycles` runs only the named steps.
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { findBudgetOverruns, repositoryBudgets } from "./check/budgets.ts";
import { findBundleOverrun } from "./check/bundle.ts";
import { findCycles } from "./check/cycles.ts";
import { compareExample, variablesIn } from "./check/environment.ts";
import { findLayerViolations, repositoryRules } from "./check/layers.ts";
import { findLeaks } from "./check/leaks.ts";
import { readManifests } from "./check/manifests.ts";
import { boundedPatterns, findSlowPatterns, patternsIn } from "./check/patterns.ts";
import { readSources, repositoryFiles } from "./check/sources.ts";
import { commandStep, runSteps, type Step, type StepOutcome } from "./check/steps.ts";

const root = join(import.meta.dirname, "..");
process.chdir(root);
const node = process.execPath;
const files = repositoryFiles(root);
const sources = readSources(root, files);

const workerPython = ".venv-worker/bin/python";

const quickSteps: readonly Step[] = [
  commandStep("lint", "node_modules/.bin/oxlint", ["--type-aware", "--quiet"]),
  commandStep("secrets", node, ["node_modules/secretlint/bin/secretlint.js", "--no-glob", ...scanned(files)]),
  commandStep("format", "node_modules/.bin/biome", ["check", "--colors=off"]),
  commandStep("types", node, ["node_modules/typescript/bin/tsc", "-p", "."]),
  commandStep("web types", node, ["node_modules/typescript/bin/tsc", "-p", "web"]),
  commandStep("generated", node, ["scripts/generate.ts", "--check"]),
  commandStep("worker lint", workerPython, ["-m", "ruff", "check", "--quiet", "worker", "training"]),
  commandStep("worker form", workerPython, ["-m", "ruff", "format", "--check", "--quiet", "worker", "training"]),
  commandStep("worker types", workerPython, [
    "-m",
    "mypy",
    "--config-file",
    "worker/pyproject.toml",
    "--no-error-summary",
    "worker/safelight_worker",
  ]),
  commandStep("training types", workerPython, [
    "-m",
    "mypy",
    "--config-file",
    "training/pyproject.toml",
    "--no-error-summary",
    "training/sketch_training",
  ]),
  { name: "layers", run: async () => findLayerViolations(sources, readManifests(root), repositoryRules) },
  { name: "cycles", run: async () => findCycles(sources) },
  { name: "additive", run: findContractBreaks },
  { name: "leaks", run: async () => findLeaks(root, files) },
  { name: "budgets", run: async () => findBudgetOverruns(root, files, repositoryBudgets) },
  { name: "environment", run: checkEnvironmentExample },
  { name: "patterns", run: checkPatterns },
  { name: "supply", run: findSupplyProblems },
  { name: "bundle", run: async () => findBundleOverrun("web/dist") },
];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => name !== "tests" && !quickSteps.some((step) => step.name === name));
if (unknown.length > 0) {
  console.error(
    `No step ${unknown.join(", ")}. Steps: ${[...quickSteps.map((step) => step.name), "tests"].join(", ")}`,
  );
  process.exit(2);
}
const began = performance.now();
const chosen = quickSteps.filter((step) => wanted.length === 0 || wanted.includes(step.name));
const outcomes = await runSteps(chosen, report);
const failed = outcomes.filter((outcome) => outcome.problems.length > 0).length;
if (failed > 0) finish(`${failed} of ${outcomes.length} steps failed, tests not run`, 1);
if (wanted.length === 0 || wanted.includes("tests")) await runTests();
finish("all passed", 0);

/** The last release must stay usable: nothing that a client could send or read may vanish from the contract. */
async function findContractBreaks(): Promise<string[]> {
  const { findBreakingChanges } = await import("../contract/src/additive.ts");
  const releases = existsSync("contract/releases") ? readdirSync("contract/releases") : [];
  const versioned = releases.filter((name) => /^openapi-\d+\.\d+\.\d+\.json$/.test(name));
  const last = versioned.sort((a, b) => a.localeCompare(b, "en", { numeric: true })).at(-1);
  if (last === undefined) return ["contract/releases holds no released document to compare with"];
  const read = (path: string) => JSON.parse(readFileSync(path, "utf8")) as Parameters<typeof findBreakingChanges>[0];
  return findBreakingChanges(read(`contract/releases/${last}`), read("contract/openapi.json"));
}

/** Licences that may not be among what we use, and programs of packages that nobody has decided about. */
async function findSupplyProblems(): Promise<string[]> {
  const { findLicenceProblems } = await import("./supply/licence-policy.ts");
  const { readInventory } = await import("./supply/licence-list.ts");
  const { findScriptProblems } = await import("./supply/install-scripts.ts");
  const { npm, python, page } = readInventory(root);
  return [...findLicenceProblems([...npm, ...python], page), ...findScriptProblems(root)];
}

async function checkEnvironmentExample(): Promise<string[]> {
  const runtime = sources.filter(
    ({ path, isTest }) => !isTest && /^(?:catalog|contract|engine|server|cli)\//.test(path),
  );
  const read = runtime.flatMap(({ path }) =>
    variablesIn(
      path,
      readFileSync(path, "utf8"),
      /^server\/src\/(?:config|media-setting|settings-reader)\.ts$/.test(path),
    ),
  );
  if (!existsSync(".env.example")) return [".env.example is missing"];
  return compareExample(readFileSync(".env.example", "utf8"), [...new Set(read)]);
}

/** What strangers send meets the patterns of these packages. One puts route templates together, of parts it has escaped. */
async function checkPatterns(): Promise<string[]> {
  const judged = sources.filter(({ path, isTest }) => !isTest && /^(?:catalog|contract|server)\//.test(path));
  const found = judged.map(({ path }) => patternsIn(path, readFileSync(path, "utf8")));
  const built = found
    .flatMap((one) => one.built)
    .filter((line) => !line.startsWith("server/src/http/method-table.ts:"));
  return [
    ...built,
    ...findSlowPatterns(
      found.flatMap(({ patterns }) => patterns),
      boundedPatterns,
    ),
  ];
}

/** Text that a person wrote; weights, pictures and the lock file hold no secret of ours and cost the scanner seconds. */
function scanned(paths: readonly string[]): string[] {
  return paths.filter(
    (path) => !/^engine\/model\/|^package-lock\.json$|\.(?:png|webp|jpe?g|mp4|woff2|onnx)$/.test(path),
  );
}

/** The tests print their own lines as they go, and the counts at the end. */
async function runTests(): Promise<void> {
  const started = performance.now();
  const child = spawn(node, ["node_modules/vitest/vitest.mjs", "run"], { stdio: ["ignore", "inherit", "inherit"] });
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  const problems = code === 0 ? [] : [`vitest ended with ${code}: see its lines above`];
  report({ name: "tests", milliseconds: performance.now() - started, problems });
  if (problems.length > 0) finish("tests failed", 1);
}

function report({ name, milliseconds, problems }: StepOutcome): void {
  const verdict = problems.length === 0 ? "ok    " : "FAILED";
  console.log(`${verdict} ${name.padEnd(12)} ${(milliseconds / 1000).toFixed(1).padStart(6)} s`);
  for (const problem of problems) console.log(problem.replace(/^/gm, "       "));
}

function finish(text: string, code: number): never {
  console.log(`check: ${text} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
  process.exit(code);
}
