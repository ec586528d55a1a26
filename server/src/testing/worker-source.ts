import { cp, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { repositoryRoot } from "../config.ts";
import { appFile, sourceParts } from "../deploy/modal-command.ts";

/** Copies what a deploy consists of into a folder, without what Python has compiled. */
export async function copySource(folder: string): Promise<void> {
  for (const part of sourceParts) {
    await cp(join(repositoryRoot, part), join(folder, part), {
      recursive: true,
      filter: (path) => !path.endsWith("__pycache__"),
    });
  }
}

/** A source of the same parts that holds nothing but the given app. */
export async function writeSource(folder: string, app: string): Promise<void> {
  const files = sourceParts.map((part) => (/\.\w+$/.test(part) ? part : `${part}/__init__.py`));
  for (const file of files) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), file === appFile ? app : "");
  }
}
