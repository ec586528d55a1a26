// SQLite against PostgreSQL in the same run, in turn, on the same disk: the verbs of one gateway, and the whole way over HTTP.
import { checkRequest } from "@safelight/catalog";
import { sharedSecrets } from "@safelight/e2e/cluster";
import { Gateway } from "@safelight/e2e/gateway";
import { type ServerProcess, temporaryDirectory } from "@safelight/e2e/server-process";
import { type RunningServer, startServer } from "@safelight/server";
import { countTasks, findTasks, type TaskListQuery } from "@safelight/server/find-tasks";
import { getTask } from "@safelight/server/get-task";
import { submitTask } from "@safelight/server/submit-task";
import { startPostgres } from "@safelight/server/testing/postgres-server";
import { type Figure, median, medianTimeOf, milliseconds, rate } from "./figures.ts";
import { makeGallery } from "./gallery-table.ts";
import { load } from "./load.ts";

/** How often each request is timed. */
const often = { warmUp: 30, rounds: 151 };

/** Where the tasks stand, and what leads a server there. */
interface Side {
  readonly folder: string;
  readonly settings: Readonly<Record<string, string>>;
}

interface Extent {
  readonly tasks: number;
  readonly rounds: number;
  readonly seconds: number;
}

/** Rates are better where they are higher, times where they are lower. */
type Unit = "a second" | "milliseconds";

interface Samples {
  readonly what: string;
  readonly unit: Unit;
  readonly sqlite: number[];
  readonly postgres: number[];
}

type Measure = () => Promise<number>;

export async function benchDatabases({ small }: { small: boolean }): Promise<Figure[]> {
  const extent = small ? { tasks: 400, rounds: 1, seconds: 1 } : { tasks: 20_000, rounds: 2, seconds: 1 };
  const [here, there] = [await temporaryDirectory(), await temporaryDirectory()];
  const postgres = await startPostgres({ durable: true });
  try {
    const url = await postgres.createDatabase({ empty: true });
    const common = { ...sharedSecrets(), EMBEDDED_ENGINE: "auto", QUEUE_LIMIT: "1000000" };
    const sqlite: Side = { folder: here.path, settings: common };
    const other: Side = { folder: there.path, settings: { ...common, DATABASE_URL: url } };
    await (await makeGallery(here.path, extent.tasks)).close();
    await (await makeGallery(there.path, extent.tasks, url)).close();
    // A table that was just filled is looked over by the server itself before long.
    await postgres.query(url, "VACUUM ANALYZE");
    // The queue rests from the first of them on: what is submitted is never drawn.
    const overHttp = await compareHttp(sqlite, other, extent);
    return [...(await compareVerbs(sqlite, other, extent)), ...overHttp];
  } finally {
    await postgres.stop();
    await here.remove();
    await there.remove();
  }
}

async function compareVerbs(sqlite: Side, postgres: Side, extent: Extent): Promise<Figure[]> {
  const servers: RunningServer[] = [];
  try {
    for (const { folder, settings } of [sqlite, postgres]) {
      servers.push(await startServer({ ...settings, DATA_DIR: folder, PORT: "0", LOG_LEVEL: "silent" }));
    }
    const [left, right] = servers.map((server) => verbsOf(server, extent));
    return await compare(left ?? [], right ?? [], extent.rounds);
  } finally {
    for (const server of servers) await server.close();
  }
}

type Named = readonly [what: string, unit: Unit, measure: Measure];

function verbsOf({ context }: RunningServer, { tasks, seconds }: Extent): Named[] {
  const request = checkRequest({ model: "pony", prompt: "a red boat at sea", width: 512, height: 512, seed: 1 });
  if (!request.ok) throw new Error("the request is not valid");
  const submit = async () => {
    await submitTask(context, { request, idempotency: null, queueLimit: 1_000_000 });
  };
  const id = `${Math.floor(tasks / 2)
    .toString(16)
    .padStart(8, "0")}-0000-7000-8000-000000000000`;
  const find = (query: TaskListQuery) => () => findTasks(context, { status: "done", perPage: 20, ...query });
  return [
    ["submit, 1 caller", "a second", () => pace(submit, 1, seconds)],
    ["submit, 32 callers", "a second", () => pace(submit, 32, seconds)],
    ["task by its id, 1 caller", "milliseconds", () => medianTimeOf(() => getTask(context, id), often)],
    ["task by its id, 32 callers", "a second", () => pace(() => getTask(context, id), 32, seconds)],
    ["gallery, page", "milliseconds", () => medianTimeOf(find({}), often)],
    ["gallery, page of a common word", "milliseconds", () => medianTimeOf(find({ q: "boat" }), often)],
    ["gallery, page of a rare word", "milliseconds", () => medianTimeOf(find({ q: "lighthouse" }), often)],
    ["gallery, count", "milliseconds", () => medianTimeOf(() => countTasks(context, { status: "done" }), often)],
    ["gallery, page, 32 callers", "a second", () => pace(find({}), 32, seconds)],
  ];
}

async function compareHttp(sqlite: Side, postgres: Side, extent: Extent): Promise<Figure[]> {
  const gateways: Gateway[] = [];
  try {
    for (const { folder, settings } of [sqlite, postgres]) {
      const gateway = await Gateway.start(folder, { ...settings, LOG_LEVEL: "error" });
      gateways.push(gateway);
      await gateway.logIn();
      await gateway.asAdmin("/admin/queue/pause", "POST");
    }
    const [left, right] = gateways.map(({ server }) => requestsOf(server, extent.seconds));
    return await compare(left ?? [], right ?? [], extent.rounds);
  } finally {
    for (const { server } of gateways) await server.stop("SIGKILL");
  }
}

function requestsOf({ url, apiKey }: ServerProcess, seconds: number): Named[] {
  const headers = { "X-API-Key": apiKey, "Content-Type": "application/json" };
  const body = JSON.stringify({ model: "pony", prompt: "a red boat at sea", width: 512, height: 512, seed: 1 });
  const send = async (path: string, connections: number) => {
    const isSubmit = path === "/generate";
    const result = await load({
      url: `${url}${path}`,
      headers,
      connections,
      seconds,
      expectedStatus: isSubmit ? 202 : 200,
      ...(isSubmit ? { method: "POST" as const, body } : {}),
    });
    if (result.unexpected > 0) throw new Error(`${path} was answered ${result.others.join()}`);
    return result;
  };
  const perSecond = (path: string, connections: number) => async () => (await send(path, connections)).perSecond;
  const time = (path: string) => async () => median((await send(path, 1)).times);
  const status = "/status/00000010-0000-7000-8000-000000000000";
  return [
    ["HTTP submit, 10 connections", "a second", perSecond("/generate", 10)],
    ["HTTP submit, 32 connections", "a second", perSecond("/generate", 32)],
    ["HTTP status, 50 connections", "a second", perSecond(status, 50)],
    ["HTTP status, one after the other", "milliseconds", time(status)],
    ["HTTP gallery, one after the other", "milliseconds", time("/gallery")],
    ["HTTP gallery, word, one after the other", "milliseconds", time("/gallery?q=boat")],
    ["HTTP gallery, 16 connections", "a second", perSecond("/gallery", 16)],
  ];
}

/** Both in turn, as often as there are rounds. */
async function compare(sqlite: readonly Named[], postgres: readonly Named[], rounds: number): Promise<Figure[]> {
  const all: Samples[] = sqlite.map(([what, unit]) => ({ what, unit, sqlite: [], postgres: [] }));
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, samples] of all.entries()) {
      samples.sqlite.push((await sqlite[index]?.[2]()) ?? Number.NaN);
      samples.postgres.push((await postgres[index]?.[2]()) ?? Number.NaN);
    }
  }
  return all.map(figureOf);
}

function figureOf({ what, unit, sqlite, postgres }: Samples): Figure {
  const [ours, base] = [median(postgres), median(sqlite)];
  const say = unit === "a second" ? rate : milliseconds;
  return {
    what: `PostgreSQL, ${what}`,
    measured: say(ours),
    against: `${say(base)} SQLite`,
    ratio: unit === "a second" ? ours / base : base / ours,
    // Which of them an installation takes is decided by what it needs; this says what that costs.
    target: "–",
    reached: true,
  };
}

/** How often a second, by so many callers, each of whom waits for its answer. */
async function pace(run: () => Promise<unknown>, callers: number, seconds: number): Promise<number> {
  const began = performance.now();
  let count = 0;
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (performance.now() - began < seconds * 1000) {
        await run();
        count += 1;
      }
    }),
  );
  return count / ((performance.now() - began) / 1000);
}
