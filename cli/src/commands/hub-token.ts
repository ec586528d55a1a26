// `safelight secrets check-hub-token`: whether the token that fetches model weights can do more than that.
import { readFile } from "node:fs/promises";
import { type Environment, judgeHubToken } from "@safelight/server";
import { exitCodes, usageError } from "../failure.ts";

/** Resolves with the exit code: 0 where it can only read, 1 where it can write, 3 where that could not be found out. */
export async function checkHubToken(environment: Environment, json: boolean): Promise<number> {
  const token = environment.HF_TOKEN?.trim() || (await readFrom(environment.HF_TOKEN_FILE));
  if (!token) throw usageError("There is no token: set HF_TOKEN or HF_TOKEN_FILE.");
  const verdict = await judgeHubToken(token, environment.HF_ENDPOINT);
  if (json) process.stdout.write(`${JSON.stringify(verdict)}\n`);
  else process.stdout.write(`${[verdict.detail, ...verdict.excess.map((one) => `  may also: ${one}`)].join("\n")}\n`);
  if (verdict.state === "ok") return 0;
  // In production what cannot be checked is not used.
  return verdict.state === "unknown" && environment.SAFELIGHT_ENV !== "prod" ? exitCodes.unavailable : exitCodes.failed;
}

async function readFrom(file: string | undefined): Promise<string | undefined> {
  if (!file) return undefined;
  return readFile(file, "utf8").then(
    (text) => text.trim(),
    () => {
      throw usageError(`HF_TOKEN_FILE: ${file} cannot be read.`);
    },
  );
}
