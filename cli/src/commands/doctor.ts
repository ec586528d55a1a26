// `safelight doctor`: what is wrong with the installation on this machine, and how to mend it. Reads only.
import { type Environment, examine, type Finding } from "@safelight/server";
import { exitCodes } from "../failure.ts";

export interface DoctorFlags {
  dataDir?: string;
  offline?: boolean;
  json?: boolean;
}

const marks = { ok: "ok     ", warning: "WARNING", problem: "PROBLEM" } as const;

/** Prints what was found; the exit code is 1 when something is a problem, and 0 with warnings. */
export async function doctor(environment: Environment, flags: DoctorFlags): Promise<number> {
  const settings = flags.dataDir === undefined ? environment : { ...environment, DATA_DIR: flags.dataDir };
  const findings: Finding[] = [];
  for await (const finding of examine(settings, { reach: flags.offline !== true })) {
    findings.push(finding);
    if (flags.json !== true) process.stdout.write(`${lineOf(finding)}\n`);
  }
  const count = (state: Finding["state"]) => findings.filter((finding) => finding.state === state).length;
  const [problems, warnings] = [count("problem"), count("warning")];
  if (flags.json === true) {
    process.stdout.write(`${JSON.stringify({ sound: problems === 0, problems, warnings, findings }, null, 2)}\n`);
  } else {
    const verdict =
      problems + warnings === 0
        ? "Nothing is wrong."
        : `${plural(problems, "problem")}, ${plural(warnings, "warning")}.`;
    process.stdout.write(`${verdict}\n`);
  }
  return problems === 0 ? 0 : exitCodes.failed;
}

function lineOf({ check, state, detail, mend }: Finding): string {
  const line = `${marks[state]} ${check}: ${detail}`;
  return mend === null ? line : `${line}\n        mend: ${mend}`;
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
