// Status polling: the real answer, credentials checked and row read, against a bare Fastify route that returns the same
// bytes from memory.
import { startServerProcess, temporaryDirectory } from "@safelight/e2e/server-process";
import { type Figure, median, rate } from "./figures.ts";
import { load } from "./load.ts";
import { spawnPeer } from "./peers/spawn.ts";

export async function benchStatus(): Promise<Figure[]> {
  const directory = await temporaryDirectory();
  const server = await startServerProcess(directory.path, { LOG_LEVEL: "error" });
  const headers = { "X-API-Key": server.apiKey };
  try {
    const id = await finishedTask(server.url, server.apiKey);
    const body = await (await fetch(`${server.url}/status/${id}`, { headers })).text();
    const peer = await spawnPeer("bare-fastify", body);
    const ours: number[] = [];
    const bare: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      const common = { headers, connections: 50, seconds: 3, expectedStatus: 200 };
      bare.push((await load({ ...common, url: `${peer.url}/status/${id}` })).perSecond);
      ours.push((await load({ ...common, url: `${server.url}/status/${id}` })).perSecond);
    }
    await peer.stop();
    const ratio = median(ours) / median(bare);
    return [
      {
        what: "status polling, 50 connections",
        measured: rate(median(ours)),
        against: `${rate(median(bare))} bare Fastify`,
        ratio,
        target: "≥ 0.70",
        reached: ratio >= 0.7,
      },
    ];
  } finally {
    await server.stop("SIGKILL");
    await directory.remove();
  }
}

/** A small picture, made for real; answers its id once it is done. */
export async function finishedTask(url: string, apiKey: string): Promise<string> {
  const headers = { "X-API-Key": apiKey, "Content-Type": "application/json" };
  const body = JSON.stringify({ model: "pony", prompt: "a red boat at sea", width: 512, height: 512, seed: 1 });
  const answer = await fetch(`${url}/generate`, { method: "POST", headers, body });
  const { task_id: id } = (await answer.json()) as { task_id: string };
  for (;;) {
    const status = (await (await fetch(`${url}/status/${id}?wait=10`, { headers })).json()) as { status: string };
    if (status.status === "done") return id;
    if (status.status === "failed") throw new Error(`The task failed: ${JSON.stringify(status)}`);
  }
}
