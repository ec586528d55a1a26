import { join } from "node:path";
import { readEnvironment } from "./connection/environment.ts";
import { runProgram } from "./program.ts";

const repository = join(import.meta.dirname, "../..");
const exitCode = await runProgram(process.argv.slice(2), () => readEnvironment(repository, process.env));
// The event loop may still hold idle connections and timers of a server that was closed: they are no reason to stay.
await new Promise((resolve) => process.stdout.write("", resolve));
process.exit(exitCode);
