// A real Safelight server in a process of its own, on a free port of the loopback, over a data directory of the test's own.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Leak, searchInstallation } from "./leak-search.ts";

const repository = resolve(import.meta.dirname, "../..");

export interface ServerProcess {
  readonly url: string;
  readonly apiKey: string;
  readonly child: ChildProcess;
  /** Everything the process printed so far, for failure messages. */
  output(): string;
  /** Sends the signal and resolves when the process is gone. */
  stop(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
}

/**
 * A fresh directory under the system's temporary folder, and its removal. In the long run it is searched before: no secret of the
 * installation may stand anywhere outside its own folder, and none and no prompt in what its servers have printed (SC-008).
 */
export async function temporaryDirectory(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "safelight-e2e-"));
  return {
    path,
    remove: async () => {
      const leaks = process.env["SAFELIGHT_TEST_LONG"] === "1" ? searchInstallationsIn(path) : [];
      for (const data of dataIn(path)) printedOn.delete(data);
      await rm(path, { recursive: true, force: true, maxRetries: 5 });
      if (leaks.length > 0) throw new Error(`Found where it must not stand: ${JSON.stringify(leaks.slice(0, 20))}`);
    },
  };
}

/** By data directory: what all of its servers have printed. */
const printedOn = new Map<string, string>();

/** The data directories of servers that were started on the folder itself or below it. */
const dataIn = (folder: string): string[] =>
  [...printedOn.keys()].filter((data) => data === folder || data.startsWith(join(folder, "/")));

/** Each one's secrets are looked for in everything that lies in the folder, what stands beside its data included. */
export const searchInstallationsIn = (folder: string): Leak[] =>
  dataIn(folder).flatMap((data) => searchInstallation(data, printedOn.get(data) ?? "", folder));

/** Environment of the child: nothing of the caller's own Safelight settings leaks in. */
export function serverEnvironment(dataDirectory: string, extra: Record<string, string> = {}): Record<string, string> {
  return {
    PATH: process.env["PATH"] ?? "",
    HOME: dataDirectory,
    DATA_DIR: dataDirectory,
    PORT: "0",
    LOG_LEVEL: "warn",
    // No deploy of a test leaves this machine: at this port nobody answers.
    MODAL_SERVER_URL: "http://127.0.0.1:9",
    ...extra,
  };
}

/** Starts the process without waiting until it answers. */
export function spawnServer(dataDirectory: string, extra: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, [join(repository, "cli/src/main.ts"), "serve"], {
    cwd: repository,
    env: serverEnvironment(dataDirectory, extra),
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/**
 * Starts a server and waits until `/health` answers 200.
 * @throws Error with the process's output when it ends first or is not healthy within 60 s.
 */
export async function startServerProcess(
  dataDirectory: string,
  extra: Record<string, string> = {},
): Promise<ServerProcess> {
  const child = spawnServer(dataDirectory, extra);
  let printed = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
      printedOn.set(dataDirectory, `${printedOn.get(dataDirectory) ?? ""}${chunk.toString()}`);
    });
  const output = (): string => printed;
  const url = await waitUntilHealthy(dataDirectory, child, output);
  const apiKey = extra["API_KEY"] ?? (await readFile(join(dataDirectory, "secrets/api-key"), "utf8")).trim();
  return { url, apiKey, child, output, stop: (signal) => stop(child, signal) };
}

async function waitUntilHealthy(dataDirectory: string, child: ChildProcess, output: () => string): Promise<string> {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`The server ended:\n${output()}`);
    const address = await announcedAddress(dataDirectory, child.pid);
    if (address !== null && (await answers(address))) return address;
    await sleep(25);
  }
  await stop(child, "SIGKILL");
  throw new Error(`The server was not healthy within 60 s:\n${output()}`);
}

/** server.json of an earlier, killed server may still lie there: only this child's own counts. */
async function announcedAddress(dataDirectory: string, pid: number | undefined): Promise<string | null> {
  try {
    const announced = JSON.parse(await readFile(join(dataDirectory, "server.json"), "utf8")) as {
      url: string;
      pid: number;
    };
    return announced.pid === pid ? announced.url : null;
  } catch {
    return null;
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health`)).ok;
  } catch {
    return false;
  }
}

async function stop(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill(signal);
  await ended;
}
