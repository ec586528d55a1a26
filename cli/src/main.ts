import { enableCompileCache } from "node:module";
import { join } from "node:path";

const repository = join(import.meta.dirname, "../..");
// Sources are TypeScript: what Node makes of them is kept beside the dependencies, which nearly halves the time and takes a fifth of
// the memory of every later start. Where it cannot be written, Node does without.
enableCompileCache(join(repository, "node_modules/.cache/safelight"));
const { readEnvironment } = await import("./connection/environment.ts");
const { runProgram } = await import("./program.ts");
const exitCode = await runProgram(process.argv.slice(2), () => readEnvironment(repository, process.env));
// The event loop may still hold idle connections and timers of a server that was closed: they are no reason to stay.
await new Promise((resolve) => process.stdout.write("", resolve));
process.exit(exitCode);
