// Start-up: from starting the process to the first 200 of /health, and the memory held then, before the engine loads.
// Held against a bare Fastify process started the same way.
import { readFileSync } from "node:fs";
import { startServerProcess, temporaryDirectory } from "@safelight/e2e/server-process";
import { type Figure, median, milliseconds } from "./figures.ts";
import { spawnPeer } from "./peers/spawn.ts";

export async function benchStartup(): Promise<Figure[]> {
  const ours: number[] = [];
  const bare: number[] = [];
  const memory: number[] = [];
  const directory = await temporaryDirectory();
  try {
    for (let round = 0; round < 7; round += 1) {
      const bareBegan = performance.now();
      const peer = await spawnPeer("bare-fastify");
      await fetch(`${peer.url}/health`);
      bare.push(performance.now() - bareBegan);
      await peer.stop();
      const began = performance.now();
      const server = await startServerProcess(directory.path);
      ours.push(performance.now() - began);
      memory.push(residentMegabytes(server.child.pid ?? 0));
      await server.stop("SIGTERM");
    }
  } finally {
    await directory.remove();
  }
  return [
    {
      what: "start to healthy",
      measured: milliseconds(median(ours)),
      against: `${milliseconds(median(bare))} bare Fastify`,
      ratio: median(bare) / median(ours),
      target: "≤ 700 ms",
      reached: median(ours) <= 700,
    },
    {
      what: "memory when healthy",
      measured: `${Math.round(median(memory))} MB`,
      against: "–",
      ratio: null,
      target: "≤ 150 MB",
      reached: median(memory) <= 150,
    },
  ];
}

function residentMegabytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(line?.[1]) / 1_024;
}
