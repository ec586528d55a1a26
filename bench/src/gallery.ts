// The gallery at a thousand, a hundred thousand and a million tasks: what a page and a count cost must not grow with the table.
import { type ServerProcess, startServerProcess, temporaryDirectory } from "@safelight/e2e/server-process";
import { countTasks, findTasks, type TaskListQuery } from "@safelight/server/find-tasks";
import { type Figure, median, medianTimeOf, milliseconds } from "./figures.ts";
import { type Database, firstTime, makeGallery } from "./gallery-table.ts";
import { load } from "./load.ts";
import { spawnPeer } from "./peers/spawn.ts";

/** How often each request is timed. */
const often = { warmUp: 50, rounds: 301 };

const sizes = [1_000, 100_000, 1_000_000] as const;
const smallSizes = [200, 400, 800] as const;
const mostGrowth = 1.5;
const mostCountMs = 2;
const perPage = 20;

interface Case {
  readonly what: string;
  /** The query at a table of `size` tasks. */
  readonly query: (size: number) => TaskListQuery;
  /** The same page by SQL alone, where that is one statement; the columns are those that the verb reads. */
  readonly plain?: string;
  readonly overHttp?: boolean;
}

const timeAt = (size: number, share: number): number => firstTime + Math.floor(size * share) * 1_000;
/** A cursor is the time and the number of the task it follows. */
const placeAt = (size: number, share: number): string =>
  Buffer.from(`${timeAt(size, share)}.${Math.floor(size * share)}`).toString("base64url");
const dates = (size: number) => ({ from: timeAt(size, 0.3), to: timeAt(size, 0.7) });
const newest = "ORDER BY created_at DESC, sequence DESC LIMIT 21";

const cases: readonly Case[] = [
  { what: "list", query: () => ({}), plain: `SELECT * FROM tasks WHERE status = 'done' ${newest}`, overHttp: true },
  { what: "list, 9/10 down", query: (size) => ({ cursor: placeAt(size, 0.1) }) },
  {
    what: "list by model",
    query: () => ({ model: "flux" }),
    plain: `SELECT * FROM tasks WHERE status = 'done' AND model = 'flux' ${newest}`,
    overHttp: true,
  },
  { what: "list by rare type", query: () => ({ type: "video" }) },
  { what: "list by mode", query: () => ({ mode: "img2img" }) },
  { what: "list by model and mode", query: () => ({ model: "flux", mode: "txt2img" }) },
  { what: "list by dates", query: dates },
  { what: "favourites", query: () => ({ favourite: true }) },
  { what: "common word", query: () => ({ q: "boat" }), overHttp: true },
  { what: "common word, 9/10 down", query: (size) => ({ q: "boat", cursor: placeAt(size, 0.1) }) },
  { what: "two words", query: () => ({ q: "red boat" }) },
  { what: "beginning of a word", query: () => ({ q: "bo" }) },
  { what: "rare word", query: () => ({ q: "lighthouse" }) },
  { what: "rarest word", query: () => ({ q: "zeppelin" }) },
  { what: "common word by dates", query: (size) => ({ q: "boat", ...dates(size) }) },
  { what: "common word by model", query: () => ({ q: "red", model: "flux" }) },
  { what: "common word by rare type", query: () => ({ q: "boat", type: "video" }), overHttp: true },
  { what: "common word by rarest model", query: () => ({ q: "boat", model: "phr00t" }) },
  { what: "rare word by model", query: () => ({ q: "lighthouse", model: "flux" }) },
];

interface Times {
  page: number;
  count: number;
  plain: number | null;
  http: number | null;
}

/** Of each case: what a page and a count cost, at every size. */
export async function benchGallery({ small }: { small: boolean }): Promise<Figure[]> {
  const measured: Times[][] = cases.map(() => []);
  let bare = Number.NaN;
  for (const size of small ? smallSizes : sizes) {
    const directory = await temporaryDirectory();
    try {
      const began = performance.now();
      const database = await makeGallery(directory.path, size);
      console.error(`  ${size.toLocaleString("en")} tasks made in ${milliseconds(performance.now() - began)}`);
      for (const [index, one] of cases.entries()) measured[index]?.push(await measureVerb(database, one, size));
      await database.close();
      bare = await measureHttp(directory.path, measured, small ? 0.2 : 2);
    } finally {
      await directory.remove();
    }
  }
  return [
    ...cases.flatMap((one, index) => figuresOf(one, measured[index] ?? [])),
    ...cases.flatMap((one, index) => httpFigures(one, measured[index] ?? [], bare)),
  ];
}

async function measureVerb(database: Database, { query, plain }: Case, size: number): Promise<Times> {
  const asked: TaskListQuery = { status: "done", perPage, ...query(size) };
  const context = { database };
  const found = (await findTasks(context, asked)).tasks.length;
  if (found !== perPage && size > 800)
    throw new Error(`a page of ${size} tasks holds ${found}: ${JSON.stringify(asked)}`);
  return {
    page: await medianTimeOf(() => findTasks(context, asked), often),
    count: await medianTimeOf(() => countTasks(context, asked), often),
    plain: plain === undefined ? null : await medianTimeOf(() => database.prepareRead(plain).all(), often),
    http: null,
  };
}

/** The whole way, one request after another; returns what a bare Fastify route takes for the bytes of the first page. */
async function measureHttp(folder: string, measured: Times[][], seconds: number): Promise<number> {
  const server = await startServerProcess(folder, { LOG_LEVEL: "error" });
  try {
    for (const [index, one] of cases.entries()) {
      const times = measured[index]?.at(-1);
      if (one.overHttp && times !== undefined) times.http = await answerTime(server, addressOf(one), seconds);
    }
    const headers = { "X-API-Key": server.apiKey };
    const peer = await spawnPeer("bare-fastify", await (await fetch(`${server.url}/gallery`, { headers })).text());
    const bare = await answerTime({ ...server, url: peer.url }, "/status/x", seconds);
    await peer.stop();
    return bare;
  } finally {
    await server.stop("SIGKILL");
  }
}

function addressOf({ query }: Case): string {
  const { model, type, q } = query(0);
  const given = Object.entries({ model, type, q }).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return `/gallery?${new URLSearchParams(given).toString()}`;
}

async function answerTime(server: ServerProcess, path: string, seconds: number): Promise<number> {
  const headers = { "X-API-Key": server.apiKey };
  const { times, unexpected } = await load({
    url: `${server.url}${path}`,
    headers,
    connections: 1,
    seconds,
    expectedStatus: 200,
  });
  if (unexpected > 0) throw new Error(`${unexpected} pages were not answered by 200`);
  return median(times);
}

function figuresOf({ what }: Case, times: readonly Times[]): Figure[] {
  const [least, middle, most] = times;
  if (least === undefined || middle === undefined || most === undefined) throw new Error("a size was not measured");
  const plain = most.plain === null ? "" : `; plain SQL ${milliseconds(most.plain)}`;
  return [
    {
      what: `${what}: page`,
      measured: milliseconds(most.page),
      against: `${milliseconds(least.page)} / ${milliseconds(middle.page)} smaller${plain}`,
      ratio: most.page / least.page,
      target: `≤ ${mostGrowth.toFixed(2)}×`,
      reached: most.page / least.page <= mostGrowth,
    },
    {
      what: `${what}: count`,
      measured: milliseconds(most.count),
      against: `${milliseconds(least.count)} / ${milliseconds(middle.count)} smaller`,
      ratio: null,
      target: `≤ ${mostCountMs} ms`,
      reached: most.count <= mostCountMs,
    },
  ];
}

function httpFigures({ what, overHttp }: Case, times: readonly Times[], bare: number): Figure[] {
  const [least, most] = [times[0]?.http ?? null, times.at(-1)?.http ?? null];
  if (!overHttp || least === null || most === null) return [];
  return [
    {
      what: `${what}: over HTTP, with count`,
      measured: milliseconds(most),
      against: `${milliseconds(least)} smallest; ${milliseconds(bare)} bare Fastify, same bytes`,
      ratio: most / least,
      // The page's count is part of it, and counts to 10,000 where the smallest table ends at 1,000.
      target: "–",
      reached: true,
    },
  ];
}
