// The GPU worker is written in Python and brings tests of its own; here they are one test among the others.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");

test("pytest passes in worker/", async () => {
  const child = spawn(join(root, ".venv-worker/bin/python"), ["-m", "pytest", "--no-header", "--tb=short"], {
    cwd: join(root, "worker"),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const printed: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => printed.push(text));
  const code = await new Promise<number | null>((resolve, reject) => child.on("close", resolve).on("error", reject));
  expect(code, printed.join("")).toBe(0);
}, 600_000);
