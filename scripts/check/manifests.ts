// The package.json files of the workspaces, as far as the checks need them.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { PackageManifest } from "./layers.ts";

interface ManifestFile {
  name: string;
  workspaces?: string[];
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

/** Manifests of all workspaces and, with folder "", of the root, whose list also holds its devDependencies. */
export function readManifests(root: string): PackageManifest[] {
  const read = (folder: string) => JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as ManifestFile;
  const top = read("");
  const namesIn = (manifest: ManifestFile) => [
    ...Object.keys(manifest.dependencies ?? {}),
    ...Object.keys(manifest.devDependencies ?? {}),
  ];
  const workspaces = (top.workspaces ?? [])
    .filter((folder) => existsSync(join(root, folder, "package.json")))
    .map((folder) => ({ folder, name: read(folder).name, dependencies: namesIn(read(folder)) }));
  return [{ folder: "", name: top.name, dependencies: namesIn(top) }, ...workspaces];
}
