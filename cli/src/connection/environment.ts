// Settings as every command sees them: the process's environment, and below it the .env file of the repository.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import type { Environment } from "@safelight/server";
import { usageError } from "../failure.ts";

/** What stands in the environment wins over .env; a line of .env without a value says nothing. */
export function readEnvironment(repository: string, given: Environment): Environment {
  const file = parseDotEnv(join(repository, ".env"));
  const said = Object.entries(file).filter(([name, value]) => value !== "" && given[name] === undefined);
  return { ...given, ...Object.fromEntries(said) };
}

function parseDotEnv(path: string): Record<string, string | undefined> {
  try {
    return { ...parseEnv(readFileSync(path, "utf8")) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return {};
    throw usageError(`${path} cannot be read (${code ?? "it is not a list of NAME=value lines"}).`);
  }
}
