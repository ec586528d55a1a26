// Submit: 10 clients, every answer durable, against one-row commits of raw SQLite with the same settings on the same disk.
// The engine's child process is suspended meanwhile, so that the rate is the submit path's own and not what inference leaves.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type ServerProcess, startServerProcess, temporaryDirectory } from "@safelight/e2e/server-process";
import { type Figure, median, milliseconds, percentile, rate } from "./figures.ts";
import { load, submission } from "./load.ts";

export async function benchSubmit(): Promise<Figure[]> {
  const directory = await temporaryDirectory();
  const server = await startServerProcess(directory.path, { QUEUE_LIMIT: "1000000", LOG_LEVEL: "error" });
  try {
    await occupyAndSuspendEngine(server);
    const raw: number[] = [];
    const rounds: { perSecond: number; p99: number }[] = [];
    for (let round = 0; round < 3; round += 1) {
      raw.push(rawCommitsPerSecond(join(directory.path, `raw-${round}.sqlite`), 2));
      const result = await load({
        url: `${server.url}/generate`,
        method: "POST",
        headers: { "X-API-Key": server.apiKey, "Content-Type": "application/json" },
        body: submission,
        connections: 10,
        seconds: 3,
        expectedStatus: 202,
      });
      if (result.unexpected > 0) throw new Error(`${result.unexpected} submits were not answered by 202`);
      rounds.push({ perSecond: result.perSecond, p99: percentile(result.times, 0.99) });
    }
    return figures(median(raw), rounds);
  } finally {
    await server.stop("SIGKILL");
    await directory.remove();
  }
}

function figures(raw: number, rounds: readonly { perSecond: number; p99: number }[]): Figure[] {
  const perSecond = median(rounds.map((round) => round.perSecond));
  const p99 = median(rounds.map((round) => round.p99));
  return [
    {
      what: "submit, 10 clients, durable",
      measured: rate(perSecond),
      against: `${rate(raw)} raw one-row commits`,
      ratio: perSecond / raw,
      target: "≥ 0.60",
      reached: perSecond / raw >= 0.6,
    },
    {
      what: "submit p99",
      measured: milliseconds(p99),
      against: "–",
      ratio: null,
      target: "≤ 10 ms",
      reached: p99 <= 10,
    },
  ];
}

/** One row of about 400 bytes in a transaction of its own, as fast as one connection goes. */
function rawCommitsPerSecond(file: string, seconds: number): number {
  const database = new DatabaseSync(file);
  database.exec("pragma journal_mode = wal; pragma synchronous = full;");
  database.exec(
    "create table rows (id integer primary key, text text not null); create index rows_text on rows (text);",
  );
  const insert = database.prepare("insert into rows (text) values (?)");
  const text = "x".repeat(400);
  const began = performance.now();
  let count = 0;
  while (performance.now() - began < seconds * 1_000) {
    insert.run(text + count);
    count += 1;
  }
  const perSecond = count / ((performance.now() - began) / 1_000);
  database.close();
  return perSecond;
}

/** One long clip takes the only slot; its child process is then stopped by signal and takes no processor time. */
async function occupyAndSuspendEngine(server: ServerProcess): Promise<void> {
  const headers = { "X-API-Key": server.apiKey, "Content-Type": "application/json" };
  const clip = { model: "anisora", prompt: "a red boat at sea", num_frames: 161, seed: 1 };
  const answer = await fetch(`${server.url}/generate`, { method: "POST", headers, body: JSON.stringify(clip) });
  const { task_id: id } = (await answer.json()) as { task_id: string };
  for (;;) {
    const status = (await (await fetch(`${server.url}/status/${id}?wait=5`, { headers })).json()) as { stage: string };
    if (status.stage !== "queued" && status.stage !== "starting") break;
  }
  for (const child of childrenOf(server.child.pid ?? 0)) process.kill(child, "SIGSTOP");
}

function childrenOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return children === "" ? [] : children.split(" ").map(Number);
}
