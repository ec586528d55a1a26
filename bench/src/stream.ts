// Streaming and seeking in a 64 MB result: credentials, row and Range handling included, against nginx serving the same file.
import { randomBytes } from "node:crypto";
import { readdir, writeFile } from "node:fs/promises";
import { Agent, get } from "node:http";
import { join } from "node:path";
import { startServerProcess, temporaryDirectory } from "@safelight/e2e/server-process";
import { type Figure, median, megabytesPerSecond, milliseconds } from "./figures.ts";
import { startNginx } from "./peers/nginx.ts";
import { finishedTask } from "./status.ts";

const size = 64 * 1024 * 1024;
const slice = 256 * 1024;

export async function benchStream(): Promise<Figure[]> {
  const directory = await temporaryDirectory();
  const server = await startServerProcess(directory.path, { LOG_LEVEL: "error" });
  const results = join(directory.path, "media/results");
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    const id = await finishedTask(server.url, server.apiKey);
    const [name] = (await readdir(results)).filter((file) => file.startsWith(id));
    if (name === undefined) throw new Error("The result file is not where it was expected.");
    await writeFile(join(results, name), randomBytes(size));
    const nginx = await startNginx(results, directory.path);
    const ours = new Source(`${server.url}/results/${id}`, { "X-API-Key": server.apiKey }, agent);
    const peer = nginx === null ? null : new Source(`${nginx.url}/${name}`, {}, agent);
    const figures = [await whole(ours, peer), await seeking(ours, peer)];
    await nginx?.stop();
    return figures;
  } finally {
    agent.destroy();
    await server.stop("SIGKILL");
    await directory.remove();
  }
}

async function whole(ours: Source, peer: Source | null): Promise<Figure> {
  const times: { ours: number[]; peer: number[] } = { ours: [], peer: [] };
  for (let warmUp = 0; warmUp < 5; warmUp += 1) await ours.read();
  for (let round = 0; round < 15; round += 1) {
    if (peer !== null) times.peer.push(await peer.read());
    times.ours.push(await ours.read());
  }
  return figure("stream 64 MB", times, (ms) => megabytesPerSecond(size, ms));
}

/** In turns of 25 seeks each, as someone who drags along a film asks for many parts in a row. */
async function seeking(ours: Source, peer: Source | null): Promise<Figure> {
  const times: { ours: number[]; peer: number[] } = { ours: [], peer: [] };
  // A server that has run for a while is measured, not one whose code is still being compiled.
  for (let seek = 0; seek < 1_000; seek += 1) await ours.read((seek * slice) % (size - slice));
  for (let turn = 0; turn < 16; turn += 1) {
    const starts = Array.from({ length: 25 }, (_, seek) => ((turn * 25 + seek) * 7_919 * 4_096) % (size - slice));
    if (peer !== null) for (const start of starts) times.peer.push(await peer.read(start));
    for (const start of starts) times.ours.push(await ours.read(start));
  }
  return figure("seek, 256 kB each", times, milliseconds);
}

function figure(what: string, times: { ours: number[]; peer: number[] }, show: (ms: number) => string): Figure {
  const ours = median(times.ours);
  const ratio = times.peer.length === 0 ? null : median(times.peer) / ours;
  return {
    what,
    measured: show(ours),
    against: ratio === null ? "nginx is not installed" : `${show(median(times.peer))} nginx`,
    ratio,
    target: "≥ 0.60",
    reached: ratio !== null && ratio >= 0.6,
  };
}

/** One file at one address, read to the end or in a slice; answers the time in ms. */
class Source {
  readonly #url: string;
  readonly #headers: Record<string, string>;
  readonly #agent: Agent;

  constructor(url: string, headers: Record<string, string>, agent: Agent) {
    this.#url = url;
    this.#headers = headers;
    this.#agent = agent;
  }

  async read(start?: number): Promise<number> {
    const range = start === undefined ? {} : { Range: `bytes=${start}-${start + slice - 1}` };
    const expected = start === undefined ? size : slice;
    const began = performance.now();
    await new Promise<void>((resolve, reject) => {
      get(this.#url, { headers: { ...this.#headers, ...range }, agent: this.#agent }, (response) => {
        let bytes = 0;
        response.on("data", (chunk: Buffer) => (bytes += chunk.length));
        response.on("end", () => (bytes === expected ? resolve() : reject(new Error(`${bytes} of ${expected} bytes`))));
      }).on("error", reject);
    });
    return performance.now() - began;
  }
}
