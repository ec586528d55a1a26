/** One command as a child process in a group of its own, ended as a group. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

export interface Command {
  readonly program: string;
  /** Everybody on the machine can read them: never a secret. */
  readonly args: readonly string[];
  /** The whole environment; nothing of the server's own is added. */
  readonly env: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly onOutput: (stream: "stdout" | "stderr", chunk: Buffer) => void;
  /** Aborted when the command is to end before its time. */
  readonly signal: AbortSignal;
  /** How long it may take to end by itself once it is asked, milliseconds. */
  readonly grace: number;
}

export interface CommandEnd {
  /** Null when it was ended by a signal or could not be started. */
  readonly exitCode: number | null;
  /** Why it could not be started, such as ENOENT. */
  readonly notStarted: string | null;
}

/** What may still come out of the pipes after the end, milliseconds: a grandchild may hold them open for ever. */
const lastOutput = 500;

/**
 * Resolves when the process has ended and its group is gone; never rejects. Descriptor 3 of the child is a pipe that only this process
 * holds the other end of: it closes when this process ends, however that comes about.
 */
export async function runCommand(command: Command): Promise<CommandEnd> {
  if (command.signal.aborted) return { exitCode: null, notStarted: null };
  const child = spawn(command.program, command.args, {
    cwd: command.folder,
    env: { ...command.env },
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  child.stdout?.on("data", (chunk: Buffer) => command.onOutput("stdout", chunk));
  child.stderr?.on("data", (chunk: Buffer) => command.onOutput("stderr", chunk));
  const closed = once(child, "close").catch(() => undefined);
  const stopEnding = endWith(child, command.signal, command.grace);
  const end = await new Promise<CommandEnd>((resolve) => {
    child.once("error", (error: NodeJS.ErrnoException) => {
      if (child.pid === undefined) resolve({ exitCode: null, notStarted: error.code ?? "unknown" });
    });
    child.once("exit", (exitCode) => resolve({ exitCode, notStarted: null }));
  });
  stopEnding();
  // Whatever it has left behind goes too. Nothing else can have this number while the group has members.
  killGroup(child, "SIGKILL");
  if (end.notStarted === null) await Promise.race([closed, pause(lastOutput)]);
  for (const stream of child.stdio) stream?.destroy();
  return end;
}

function endWith(child: ChildProcess, signal: AbortSignal, grace: number): () => void {
  let hard: NodeJS.Timeout | undefined;
  const end = (): void => {
    killGroup(child, "SIGTERM");
    hard = setTimeout(() => killGroup(child, "SIGKILL"), grace);
  };
  signal.addEventListener("abort", end, { once: true });
  return () => {
    signal.removeEventListener("abort", end);
    clearTimeout(hard);
  };
}

function killGroup({ pid }: ChildProcess, signal: "SIGTERM" | "SIGKILL"): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}
