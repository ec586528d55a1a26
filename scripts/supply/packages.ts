// What an installation consists of beside our own code, read from the lock file and the lists of the Python worker.
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** One package of a registry, at one version. */
export interface Package {
  readonly ecosystem: "npm" | "pypi";
  readonly name: string;
  readonly version: string;
  /** SPDX expression, or "unknown". */
  readonly licence: string;
  /** SHA-512 in hex as the lock file has it; null where it has none. */
  readonly sha512: string | null;
  /** Installed on some platforms only. */
  readonly optional: boolean;
}

interface LockEntry {
  readonly version?: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export type Lock = Readonly<Record<string, LockEntry>>;

export function readLock(root: string): Lock {
  return (JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as { packages: Lock }).packages;
}

/** Every npm package that is installed for use, on whatever platform; what only tests and tools need is left out. */
export function productionPackages(lock: Lock): Package[] {
  return Object.entries(lock)
    .filter(([path, entry]) => path.includes("node_modules/") && entry.link !== true && entry.dev !== true)
    .map(([path, entry]) => toPackage(path, entry))
    .sort(byName);
}

/** The packages whose code goes into the page: what the workspace `web` needs, and what that needs. */
export function pagePackages(lock: Lock): Package[] {
  const found = new Map<string, Package>();
  const visit = (from: string, entry: LockEntry): void => {
    for (const name of Object.keys(entry.dependencies ?? {})) {
      const path = resolvePackage(lock, from, name);
      const target = path === null ? undefined : lock[path];
      if (path === null || target === undefined || found.has(path)) continue;
      if (target.link === true) visit(name.replace("@safelight/", ""), lock[name.replace("@safelight/", "")] ?? {});
      else {
        found.set(path, toPackage(path, target));
        visit(path, target);
      }
    }
  };
  visit("web", lock.web ?? {});
  // Its rules stand in the style sheet, although it is a tool.
  const styles = lock["node_modules/tailwindcss"];
  if (styles !== undefined) found.set("node_modules/tailwindcss", toPackage("node_modules/tailwindcss", styles));
  return [...found.values()].sort(byName);
}

/** Packages that ask to run a program of theirs when they are installed. */
export function withInstallScripts(lock: Lock): string[] {
  const names = Object.entries(lock).flatMap(([path, { hasInstallScript }]) =>
    hasInstallScript === true ? [nameOf(path)] : [],
  );
  return [...new Set(names)].sort();
}

/** The pins of a requirements file, with their licences from a table. */
export function pythonPackages(text: string, licences: Readonly<Record<string, string>>): Package[] {
  return [...text.matchAll(/^([A-Za-z0-9._-]+)==([^\s;\\]+)/gm)].map(([, name = "", version = ""]) => ({
    ecosystem: "pypi",
    name: name.toLowerCase(),
    version,
    licence: licences[name.toLowerCase()] ?? "unknown",
    sha512: null,
    optional: false,
  }));
}

/** Where node finds a package that is asked for in a folder. */
function resolvePackage(lock: Lock, from: string, name: string): string | null {
  for (let folder = from; ; ) {
    const path = `${folder === "" ? "" : `${folder}/`}node_modules/${name}`;
    if (lock[path] !== undefined) return path;
    if (folder === "") return null;
    const cut = folder.lastIndexOf("/node_modules/");
    folder = cut < 0 ? "" : folder.slice(0, cut);
  }
}

function toPackage(path: string, { version = "", license = "unknown", integrity, optional }: LockEntry): Package {
  const base64 = /^sha512-([A-Za-z0-9+/=]+)$/.exec(integrity ?? "")?.[1];
  return {
    ecosystem: "npm",
    name: nameOf(path),
    version,
    licence: license,
    sha512: base64 === undefined ? null : Buffer.from(base64, "base64").toString("hex"),
    optional: optional === true,
  };
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
}

function byName(one: Package, other: Package): number {
  const [first, second] = [`${one.name}@${one.version}`, `${other.name}@${other.version}`];
  return first < second ? -1 : first > second ? 1 : 0;
}
