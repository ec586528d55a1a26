// A worker process whose pictures are drawn by a script, in 150 ms: everything else of it is the real worker. While a file `hold` lies
// in its folder, no picture gets done. `--models` names those it has, with commas; by default all.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { runScriptedWorker } from "@safelight/server/testing/scripted-worker";

const { values } = parseArgs({
  options: {
    port: { type: "string" },
    "data-dir": { type: "string" },
    slots: { type: "string" },
    models: { type: "string" },
  },
});

const folder = values["data-dir"] ?? "";
const worker = await runScriptedWorker(folder, Number(values.port), {
  slots: Number(values.slots ?? 1),
  ...(values.models === undefined ? {} : { models: values.models.split(",") }),
  script: () => [
    { do: "report", update: { stage: "denoise", step: 1, steps: 2, progress: 45 } },
    { do: "preview" },
    { do: "wait", until: () => sleep(75) },
    { do: "report", update: { stage: "decode", step: 2, steps: 2, progress: 90 } },
    { do: "wait", until: () => sleep(75) },
    { do: "wait", until: released },
  ],
});

async function released(): Promise<void> {
  while (existsSync(join(folder, "hold"))) await sleep(20);
}

process.stderr.write(`The worker is ready: ${worker.url}\n`);
process.once("SIGTERM", () => void worker.close().then(() => process.exit(0)));
