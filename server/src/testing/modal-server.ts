import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { repositoryRoot } from "../config.ts";

/** One call that the modal command made. */
export interface ModalCall {
  readonly call: string;
  /** Id of the token it was made with. */
  readonly token: string;
  readonly secret?: Readonly<Record<string, string>>;
  /** Path in the container and SHA-256 of each file. */
  readonly files?: readonly (readonly [string, string])[];
  readonly app?: string;
  /** What was found out of the git repository around the source; "" for nothing. */
  readonly commit?: string;
  /** Of a function: its name, the cards it asks for, how many secrets and containers it gets. */
  readonly function?: string;
  readonly cards?: readonly string[];
  readonly secrets?: number;
  readonly min_containers?: number;
  readonly max_containers?: number;
  /** Name of a volume. */
  readonly named?: string;
  /** Commands that an image is built with. */
  readonly image?: readonly string[];
}

/** A stand-in for Modal's server on loopback, to which the real modal command deploys; see modal_server.py. */
export interface ModalServer {
  readonly url: string;
  readonly calls: readonly ModalCall[];
  close(): Promise<void>;
}

/** The Python of the tests, with the real modal package. Throws where it was not installed: nothing is skipped. */
export function pythonOfTests(): string {
  const python = join(repositoryRoot, ".venv", "bin", "python");
  if (!existsSync(python))
    throw new Error("Run `node scripts/prepare.mjs --python` once: the modal command is missing.");
  return python;
}

/** `address`: where it says that every deployed app is. */
export async function startModalServer(address: string): Promise<ModalServer> {
  const script = fileURLToPath(new URL("modal_server.py", import.meta.url));
  const child = spawn(pythonOfTests(), ["-I", "-B", script, address], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const calls: ModalCall[] = [];
  const lines = createInterface({ input: child.stdout });
  const port = await new Promise<string>((resolve, reject) => {
    lines.once("line", resolve);
    void ended.then(() => reject(new Error("The stand-in for Modal did not start.")));
  });
  lines.on("line", (line) => calls.push(JSON.parse(line) as ModalCall));
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    close: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
