// npm run conformance -- --url http://127.0.0.1:8700 --key-file key
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type CheckResult, type JudgeOptions, judgeWorker, type Verdict } from "./judge.ts";

const usage = `Judges a worker by the worker protocol, over HTTP and as a black box.

  --url <address>            where the worker is
  --key <key>                its key; seen by other users of this machine, so better:
  --key-file <file>          a file with its key
  --json <file>              write the verdict as JSON; - is standard output, and then nothing else goes there
  --restart-command <shell>  restarts the worker; without it restarts are not judged, which the verdict says
  --run-seconds <number>     how long a run of the smallest request may take (600)
  --stop-seconds <number>    how long a stopped run may go on (three times its slowest step, at least 2)
  --only <check>             run this check alone; may be repeated; the verdict is then partial at best

Exit code 0: everything passed. 1: something failed. 2: the command is wrong.`;

function readOptions(): { judge: JudgeOptions; json: string | undefined } {
  const { values } = parseArgs({
    options: {
      url: { type: "string" },
      key: { type: "string" },
      "key-file": { type: "string" },
      json: { type: "string" },
      "restart-command": { type: "string" },
      "run-seconds": { type: "string" },
      "stop-seconds": { type: "string" },
      only: { type: "string", multiple: true },
      help: { type: "boolean" },
    },
  });
  if (values.help === true) {
    console.log(usage);
    process.exit(0);
  }
  const file = values["key-file"];
  const key = values.key ?? (file === undefined ? undefined : readFileSync(file, "utf8").trim());
  if (values.url === undefined || !URL.canParse(values.url)) throw new Error("--url is missing or no address");
  if (key === undefined || key === "") throw new Error("--key or --key-file is missing");
  const judge: JudgeOptions = {
    url: values.url,
    key,
    ...(values["restart-command"] === undefined ? {} : { restartCommand: values["restart-command"] }),
    ...(values["run-seconds"] === undefined ? {} : { runSeconds: seconds(values["run-seconds"]) }),
    ...(values["stop-seconds"] === undefined ? {} : { stopSeconds: seconds(values["stop-seconds"]) }),
    ...(values.only === undefined ? {} : { only: values.only }),
  };
  return { judge, json: values.json };
}

function seconds(text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new Error(`${text} is no number of seconds`);
}

function lineOf({ check, outcome, detail, seconds: took }: CheckResult): string {
  const verdict = outcome === "passed" ? "ok    " : "FAILED";
  return `${verdict} ${check.padEnd(52)} ${took.toFixed(1).padStart(6)} s  ${detail}`;
}

function closing({ verdict, checks, judged, not_judged }: Verdict): string {
  const failed = checks.filter(({ outcome }) => outcome === "failed").length;
  const left = not_judged.length === 0 ? "" : `\nNot judged: ${not_judged.join("; ")}`;
  return `\n${judged.length} modes, ${checks.length} checks, ${failed} failed: the worker ${verdictText[verdict]}.${left}`;
}

const verdictText: Readonly<Record<Verdict["verdict"], string>> = {
  conforms: "conforms",
  partial: "passes the checks that were asked for",
  fails: "does not conform",
};

let options: ReturnType<typeof readOptions>;
try {
  options = readOptions();
} catch (error) {
  console.error(`conformance: ${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  process.exit(2);
}
const quiet = options.json === "-";
const verdict = await judgeWorker(options.judge, (result) => {
  if (!quiet) console.log(lineOf(result));
});
if (!quiet) console.log(closing(verdict));
if (options.json !== undefined) {
  const text = `${JSON.stringify(verdict, null, 2)}\n`;
  if (quiet) process.stdout.write(text);
  else writeFileSync(options.json, text);
}
process.exitCode = verdict.verdict === "fails" ? 1 : 0;
