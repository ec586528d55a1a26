// What a restart forgets and what it keeps. Only with a command that restarts the worker.
import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import type { WorkerHealth } from "@safelight/contract/worker";
import type { Bench } from "../bench.ts";
import type { Check } from "../check.ts";
import { Broken, must, mustAnswer, mustRefuse } from "../probe.ts";

/** `command` runs in a shell and may kill the worker in any way; the worker has to be back a minute later. */
export function restartCheck(command: string): Check {
  return {
    name: "restart: finished results are kept, running tasks are unknown",
    run: async (bench) => {
      const done = bench.request(bench.pairFor());
      await bench.start(done);
      const before = await bench.finish(done);
      const file = { path: { id: done.task_id }, query: { attempt: 1 }, within: 120 };
      const bytes = (await bench.probe.ask("getResult", file)).bytes;
      const lost = bench.request(bench.pairFor(), "largest");
      await bench.start(lost);
      await bench.untilDrawing(lost);
      const { instance } = await bench.health();
      await run(command);
      await untilBack(bench, instance);
      mustRefuse(await bench.probe.ask("getTask", { path: { id: lost.task_id } }), "task_not_found");
      const after = await bench.status(done);
      must(JSON.stringify(after) === JSON.stringify(before), "a finished task is another one after the restart");
      const again = await bench.probe.ask("getResult", file);
      mustAnswer(again, 200);
      must(Buffer.from(again.bytes).equals(bytes), "the result has other bytes after the restart");
      const anew = { ...lost, ...bench.request(bench.pairFor()), task_id: lost.task_id, attempt: 2 };
      await bench.start(anew);
      await bench.finish(anew);
      return "as promised";
    },
  };
}

async function run(command: string): Promise<void> {
  const child = spawn(command, { shell: true, stdio: ["ignore", "ignore", "inherit"] });
  const code = await new Promise<number | null>((resolve) => child.once("exit", resolve));
  must(code === 0, `the restart command ended with ${code}`);
}

async function untilBack(bench: Bench, instance: string): Promise<WorkerHealth> {
  const ends = performance.now() + 60_000;
  for (;;) {
    try {
      const health = await bench.health();
      if (health.instance !== instance && health.ready) return health;
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
    }
    must(performance.now() < ends, "the worker was not back, with another instance, within a minute");
    await sleep(200);
  }
}
