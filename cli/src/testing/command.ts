// Runs the command as a person would, free of the settings of the machine the tests run on: in a process of its own, or in this one
// where nothing but what is printed and the exit code is looked at. A process takes half a second of a processor to start.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readEnvironment } from "../connection/environment.ts";
import { runProgram } from "../program.ts";

const repository = join(import.meta.dirname, "../../..");

export interface CommandRun {
  code: number | null;
  stdout: Buffer;
  /** Standard output as text. */
  text: string;
  stderr: string;
}

export interface RunningCommand {
  done: Promise<CommandRun>;
  /** Resolves once standard output or error matches. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  signal(name: NodeJS.Signals): void;
}

/** Starts `safelight` with these arguments; `environment` is all it sees of settings. */
export function startCommand(
  parameters: readonly string[],
  environment: Readonly<Record<string, string>>,
  cwd: string,
): RunningCommand {
  const child = spawn(process.execPath, [join(repository, "cli/src/main.ts"), ...parameters], {
    cwd,
    env: { ...withoutSettings(), ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  const text = () => Buffer.concat(stdout).toString("utf8") + Buffer.concat(stderr).toString("utf8");
  const listeners = new Set<() => void>();
  const gather = (chunks: Buffer[]) => (chunk: Buffer) => {
    chunks.push(chunk);
    for (const listener of listeners) listener();
  };
  child.stdout.on("data", gather(stdout));
  child.stderr.on("data", gather(stderr));
  const done = new Promise<CommandRun>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      const bytes = Buffer.concat(stdout);
      resolve({ code, stdout: bytes, text: bytes.toString("utf8"), stderr: Buffer.concat(stderr).toString("utf8") });
      for (const listener of listeners) listener();
    });
  });
  return {
    done,
    signal: (name) => child.kill(name),
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const match = pattern.exec(text());
          if (match === null && child.exitCode === null) return;
          listeners.delete(look);
          if (match === null) reject(new Error(`the command ended without saying ${pattern}: ${text()}`));
          else resolve(match);
        };
        listeners.add(look);
        look();
      }),
  };
}

/** Runs the command to its end. */
export function runCommand(
  parameters: readonly string[],
  environment: Readonly<Record<string, string>>,
  cwd: string,
): Promise<CommandRun> {
  return startCommand(parameters, environment, cwd).done;
}

/** Runs the command to its end in this process, which stands in `cwd` and prints nothing meanwhile: one at a time. */
export async function runHere(
  parameters: readonly string[],
  environment: Readonly<Record<string, string>>,
  cwd: string,
): Promise<CommandRun> {
  const standing = process.cwd();
  const stdout = catchPrinted(process.stdout);
  const stderr = catchPrinted(process.stderr);
  process.chdir(cwd);
  try {
    const all = { ...withoutSettings(), ...environment };
    const code = await runProgram(parameters, () => readEnvironment(repository, all));
    const bytes = stdout.printed();
    return { code, stdout: bytes, text: bytes.toString("utf8"), stderr: stderr.printed().toString("utf8") };
  } finally {
    process.chdir(standing);
    stdout.end();
    stderr.end();
  }
}

function catchPrinted(stream: NodeJS.WriteStream) {
  const write = stream.write.bind(stream);
  const pieces: Buffer[] = [];
  stream.write = (piece: Uint8Array | string) => {
    pieces.push(Buffer.from(piece as string));
    return true;
  };
  return {
    printed: () => Buffer.concat(pieces),
    end: () => {
      stream.write = write;
    },
  };
}

// Every setting is there and empty, so that neither this machine's environment nor its .env file reaches a test.
function withoutSettings(): Record<string, string | undefined> {
  const example = readFileSync(join(repository, ".env.example"), "utf8");
  const names = [...example.matchAll(/^([A-Z][A-Z0-9_]*)=/gm)].map((match) => match[1] ?? "");
  return { ...process.env, ...Object.fromEntries(names.map((name) => [name, ""])) };
}
