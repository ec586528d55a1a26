// The GPU worker and the training of the bundled model are written in Python and bring tests of their own; vitest sees each folder as one.
import { spawn } from "node:child_process";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");

/** Runs pytest in a folder of Python; its exit code, and everything that it printed. */
export async function runPytest(
  folder: "worker" | "training",
  ...more: string[]
): Promise<{ code: number | null; printed: string }> {
  const options = ["-m", "pytest", "--no-header", "--tb=short", ...more];
  const child = spawn(join(root, ".venv-worker/bin/python"), options, {
    cwd: join(root, folder),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const pieces: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => pieces.push(text));
  const code = await new Promise<number | null>((resolve, reject) => child.on("close", resolve).on("error", reject));
  return { code, printed: pieces.join("") };
}
