import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { getCompileCacheDir } from "node:module";
import { Socket } from "node:net";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { ChildMessage, HostMessage, OpenMessage } from "../child/messages.ts";
import { EngineCrashed, EngineError } from "../job/errors.ts";

const CHILD_FILE = fileURLToPath(new URL("../child/main.ts", import.meta.url));
const LONGEST_LOG_LINE = 500;

/** All a child needs of the environment; secrets of the server stay out of it. */
const passedOn = ["PATH", "HOME", "TMPDIR", "TEMP", "TMP", "SystemRoot", "LANG", "LD_LIBRARY_PATH"];

/** Where the host keeps what Node makes of its sources, the child does too, below the folder of Node's version: it starts in less. */
function compileCache(): Record<string, string> {
  const folder = getCompileCacheDir();
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: path.dirname(folder) };
}

export type Log = (level: "info" | "warn" | "error", message: string) => void;

/** A running child: started with the weights loading, told jobs, ended by force. */
export class EngineChild {
  readonly #process: ChildProcess;
  readonly #ready: Promise<void>;
  #isReady = false;
  #exit: string | null = null;
  onMessage: (message: ChildMessage) => void = () => {};
  /** Called once, with what is known about why. */
  onExit: (reason: string) => void = () => {};

  constructor(open: OpenMessage, environment: Readonly<Record<string, string | undefined>>, log: Log) {
    const passed = passedOn.flatMap((name) => (environment[name] === undefined ? [] : [[name, environment[name]]]));
    this.#process = fork(CHILD_FILE, [], {
      serialization: "advanced",
      execArgv: [],
      env: { ...Object.fromEntries(passed), ...compileCache() },
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      // Its own process group, so that an encoder it started dies with it.
      detached: process.platform !== "win32",
    });
    this.#process.stderr?.setEncoding("utf8").on("data", (text: string) => {
      for (const line of text.split("\n")) if (line.trim()) log("warn", line.slice(0, LONGEST_LOG_LINE));
    });
    this.#ready = new Promise((resolve, reject) => {
      this.#process.on("message", (message: ChildMessage) => {
        if (message.type === "ready") {
          this.#isReady = true;
          resolve();
        } else if (message.type === "unable") {
          log("error", `the model could not be loaded: ${message.detail}`);
          reject(new EngineError("engine_failed", "The engine's model could not be loaded."));
        } else this.onMessage(message);
      });
      const ended = (reason: string) => {
        if (this.#exit !== null) return;
        this.#exit = reason;
        reject(new EngineCrashed(`The engine process ended while it was loading (${reason}).`));
        this.onExit(reason);
      };
      this.#process.once("exit", (code, signal) => ended(signal ?? `exit code ${code}`));
      this.#process.once("error", (error) => ended(error.message));
    });
    // Whoever needs the child awaits it; nobody may.
    this.#ready.catch(() => {});
    this.#send(open);
    this.hold(false);
  }

  get pid(): number | null {
    return this.#process.pid ?? null;
  }

  get alive(): boolean {
    return this.#exit === null;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** Resolves when the weights are loaded; rejects when they cannot be or the child ends. */
  ready(): Promise<void> {
    return this.#ready;
  }

  run(job: Extract<HostMessage, { type: "run" }>["job"]): void {
    this.#send({ type: "run", job });
  }

  /** An idle child does not keep the host's process alive, a working one does. */
  hold(working: boolean): void {
    const change = working ? "ref" : "unref";
    this.#process[change]();
    this.#process.channel?.[change]();
    const { stderr } = this.#process;
    if (stderr instanceof Socket) stderr[change]();
  }

  /** Ends the child and what it started, at once and whatever it is doing. */
  kill(): void {
    const { pid } = this.#process;
    if (pid === undefined || !this.alive) return;
    try {
      if (process.platform === "win32") this.#process.kill("SIGKILL");
      else process.kill(-pid, "SIGKILL");
    } catch {
      this.#process.kill("SIGKILL");
    }
  }

  async killed(): Promise<void> {
    if (!this.alive) return;
    const ended = once(this.#process, "exit");
    this.#process.ref();
    this.kill();
    await ended;
  }

  #send(message: HostMessage): void {
    // A broken channel shows as the child's exit.
    this.#process.send(message, () => {});
  }
}
