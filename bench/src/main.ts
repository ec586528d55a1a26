// npm run bench [name …] [--small]: prints every figure beside its peer or limit of the same run, and says which target was
// missed. --small shrinks what grows: it shows that a benchmark runs, its figures say nothing.

import { benchAccess } from "./access.ts";
import { benchAudit } from "./audit.ts";
import { benchBundle } from "./bundle.ts";
import { benchDatabases } from "./databases.ts";
import { benchDispatch } from "./dispatch.ts";
import { benchEngine } from "./engine.ts";
import { type Figure, printTable } from "./figures.ts";
import { benchGallery } from "./gallery.ts";
import { benchGateways } from "./gateways.ts";
import { benchProxy } from "./proxy.ts";
import { benchRouting } from "./routing.ts";
import { benchStartup } from "./startup.ts";
import { benchStatus } from "./status.ts";
import { benchStream } from "./stream.ts";
import { benchSubmit } from "./submit.ts";
import { benchTasks } from "./tasks.ts";

const benches: Record<string, (options: { small: boolean }) => Promise<Figure[]> | Figure[]> = {
  submit: benchSubmit,
  status: benchStatus,
  dispatch: benchDispatch,
  engine: benchEngine,
  stream: benchStream,
  startup: benchStartup,
  proxy: benchProxy,
  routing: benchRouting,
  gallery: benchGallery,
  databases: benchDatabases,
  gateways: benchGateways,
  tasks: benchTasks,
  audit: benchAudit,
  access: benchAccess,
  bundle: benchBundle,
};

const given = process.argv.slice(2);
const small = given.includes("--small");
const wanted = given.filter((name) => name !== "--small");
const unknown = wanted.filter((name) => benches[name] === undefined);
if (unknown.length > 0) {
  console.error(`No benchmark named ${unknown.join(", ")}. There are: ${Object.keys(benches).join(", ")}.`);
  process.exit(2);
}
const figures: Figure[] = [];
for (const [name, run] of Object.entries(benches)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.error(`${name} …`);
  figures.push(...(await run({ small })));
}
printTable(figures);
