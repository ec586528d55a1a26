// `safelight smoke`: checks every part that an installation declares, by using it.
import type { Connection } from "../connection/connect.ts";
import { exitCodes, usageError } from "../failure.ts";
import { type CheckResult, runChecks } from "./run-checks.ts";

export interface SmokeOptions {
  adminKey?: string;
  timeout: string;
}

const words = { ok: "ok", failed: "FAILED" } as const;

/** Prints one line for each part. Resolves with 0 when every declared part works, otherwise with 1. */
export async function smoke(connection: Connection, options: SmokeOptions): Promise<number> {
  const seconds = Number(options.timeout);
  if (!(seconds > 0 && seconds <= 86_400)) throw usageError(`--timeout takes seconds, not "${options.timeout}".`);
  process.stdout.write(`Checking ${connection.embedded ? "a server started for this" : connection.url}\n`);
  const results = await runChecks(
    {
      url: connection.url,
      key: connection.key,
      adminKey: options.adminKey ?? (await connection.readAdminKey()),
      password: connection.password,
      timeoutMs: seconds * 1000,
    },
    (result) => process.stdout.write(`${lineOf(result)}\n`),
  );
  const count = (outcome: CheckResult["outcome"]) => results.filter((result) => result.outcome === outcome).length;
  const failed = count("failed");
  process.stdout.write(`smoke: ${count("ok")} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : exitCodes.failed;
}

function lineOf({ part, outcome, text }: CheckResult): string {
  return `${words[outcome].padEnd(7)} ${part.padEnd(14)} ${text}`.trimEnd();
}
