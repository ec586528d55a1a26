// Who may import whom. Packages first, then the folders inside a package; everything not allowed here is a violation.
// Inside a package a unit is a folder or file directly below src ("tasks", "errors"), or one folder deeper ("features/studio").
import { posix } from "node:path";
import type { SourceFile } from "./sources.ts";

export interface PackageManifest {
  /** Folder of the workspace, "contract". */
  folder: string;
  /** Name of the package, "@safelight/contract". */
  name: string;
  /** Packages that its manifest names. The root's manifest has folder "" and its list is for tests and tools only. */
  dependencies: readonly string[];
}

export interface LayerRules {
  /** For each workspace folder, the workspace folders it may import. */
  packages: Readonly<Record<string, readonly string[]>>;
  /**
   * For a workspace with an order: ranks from left to right, a unit imports only what stands left of its own rank.
   * Units of one rank never import each other; "features/*" stands for every folder below features.
   */
  order: Readonly<Record<string, readonly (readonly string[])[]>>;
  /** Folders that are tools of the repository: they may reach into a package past its entry file. */
  tools: readonly string[];
  /** Folders that are never installed for use, so that they may import the root's devDependencies. */
  developing: readonly string[];
}

const below = ["catalog", "contract", "engine", "server"];

export const repositoryRules: LayerRules = {
  packages: {
    catalog: [],
    contract: ["catalog"],
    engine: [],
    server: ["catalog", "contract", "engine"],
    web: ["catalog", "contract"],
    cli: ["catalog", "contract", "server"],
    conformance: ["catalog", "contract"],
    e2e: [...below, "cli", "conformance"],
    bench: [...below, "cli", "e2e"],
    scripts: below,
  },
  order: {
    server: (
      "byte-size errors log setting-forms settings-reader media-setting unsafe-settings config database context gateways keys network policy audit events secrets sessions limits media tasks queue " +
      "webhooks worker-client worker-accounts proxy executors dispatch gallery open-stores hide-secrets storage-care deploy backup migrate statistics metrics http worker-host doctor app main index"
    )
      .split(" ")
      .map((unit) => [unit]),
    web: [["ui"], ["api"], ["features/*"], ["app", "worker"], ["main"]],
  },
  tools: ["scripts"],
  developing: ["e2e", "bench", "scripts"],
};

/** Every import that the rules do not allow, one line each. */
export function findLayerViolations(
  sources: readonly SourceFile[],
  manifests: readonly PackageManifest[],
  rules: LayerRules,
): string[] {
  const problems: string[] = [];
  for (const source of sources) {
    const home = source.path.split("/")[0] ?? "";
    if (!source.path.includes("/")) continue;
    if (rules.packages[home] === undefined) {
      problems.push(`${source.path}: the folder ${home} stands in no rule of scripts/check/layers.ts`);
      continue;
    }
    if (!source.isTest) problems.push(...misplacedUnit(source, home, rules));
    for (const specifier of source.imports) {
      const problem = specifier.startsWith(".")
        ? relativeViolation(source, home, specifier, rules)
        : bareViolation(source, home, specifier, manifests, rules);
      if (problem !== null) problems.push(`${source.path}: ${problem}`);
    }
  }
  return problems;
}

function relativeViolation(source: SourceFile, home: string, specifier: string, rules: LayerRules): string | null {
  const target = resolveRelative(source.path, specifier);
  const targetHome = target.split("/")[0] ?? "";
  if (targetHome !== home) {
    const allowed = rules.tools.includes(home) && (rules.packages[home] ?? []).includes(targetHome);
    return allowed ? null : `imports ${specifier}, which leaves its package; import the package by name`;
  }
  if (source.isTest) return null;
  if (/\.test\.tsx?$/.test(target)) return `imports the test ${specifier}`;
  if (target.split("/").includes("testing")) return `imports ${specifier}, which is there for tests only`;
  const from = unitOf(source.path, home, rules);
  const to = unitOf(target, home, rules);
  if (from === null || to === null || from.unit === to.unit) return null;
  if (to.rank < from.rank) return null;
  return to.rank === from.rank
    ? `${from.unit} imports ${to.unit}, its neighbour (${specifier})`
    : `${from.unit} imports ${to.unit}, which stands to its right (${specifier})`;
}

function bareViolation(
  source: SourceFile,
  home: string,
  specifier: string,
  manifests: readonly PackageManifest[],
  rules: LayerRules,
): string | null {
  if (/^(node|virtual):/.test(specifier)) return null;
  const name = packageNameOf(specifier);
  const ours = manifests.find((manifest) => manifest.name === name);
  if (ours !== undefined && ours.folder !== home && !(rules.packages[home] ?? []).includes(ours.folder)) {
    return `${home} imports ${name}, which it must not know`;
  }
  if (ours !== undefined && (ours.folder === home || rules.tools.includes(home))) return null;
  const declaredBy = (folder: string) => manifests.find((manifest) => manifest.folder === folder)?.dependencies ?? [];
  const developing = source.isTest || rules.developing.includes(home) || source.path.endsWith(".config.ts");
  const known = developing ? [...declaredBy(home), ...declaredBy("")] : declaredBy(home);
  return known.includes(name) ? null : `imports ${name}, which its package.json does not name`;
}

function misplacedUnit(source: SourceFile, home: string, rules: LayerRules): string[] {
  if (rules.order[home] === undefined || !source.path.startsWith(`${home}/src/`)) return [];
  if (unitOf(source.path, home, rules) !== null) return [];
  return [`${source.path}: stands in no layer of ${home}; add its folder to the order in scripts/check/layers.ts`];
}

function unitOf(path: string, home: string, rules: LayerRules): { unit: string; rank: number } | null {
  const order = rules.order[home];
  const parts = path.split("/").slice(2);
  const first = parts[0]?.replace(/\.tsx?$/, "");
  if (order === undefined || first === undefined || !path.startsWith(`${home}/src/`)) return null;
  for (const [rank, units] of order.entries()) {
    if (units.includes(first)) return { unit: first, rank };
    if (units.includes(`${first}/*`) && parts.length > 2) return { unit: `${first}/${parts[1]}`, rank };
  }
  return null;
}

/** The path an import means, from the repository root. Every import of ours names its extension. */
export function resolveRelative(from: string, specifier: string): string {
  return posix.join(posix.dirname(from), specifier.replace(/\?.*$/, ""));
}

/** "@scope/name/deep" → "@scope/name", "name/deep" → "name". */
export function packageNameOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}
