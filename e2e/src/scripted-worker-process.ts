// A worker process whose pictures are drawn by a script: everything else of it is the real worker. A seed below 1000 takes that many
// milliseconds, any other 150.

import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { runScriptedWorker } from "@safelight/server/testing/scripted-worker";

const { values } = parseArgs({
  options: { port: { type: "string" }, "data-dir": { type: "string" }, slots: { type: "string" } },
});

const worker = await runScriptedWorker(values["data-dir"] ?? "", Number(values.port), {
  slots: Number(values.slots ?? 1),
  script: ({ seed }) => {
    const half = (seed < 1000 ? seed : 150) / 2;
    return [
      { do: "report", update: { stage: "denoise", step: 1, steps: 2, progress: 45 } },
      { do: "preview" },
      { do: "wait", until: () => sleep(half) },
      { do: "report", update: { stage: "decode", step: 2, steps: 2, progress: 90 } },
      { do: "wait", until: () => sleep(half) },
    ];
  },
});
process.stderr.write(`The worker is ready: ${worker.url}\n`);
process.once("SIGTERM", () => void worker.close().then(() => process.exit(0)));
