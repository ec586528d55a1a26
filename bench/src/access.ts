// What a flood costs and tells: the memory of the limits under a million addresses and made-up cookies, and whether the time of a refusal
// tells how much of a key was right.
import { randomBytes } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { temporaryDirectory } from "@safelight/e2e/server-process";
import { type RunningServer, startServer } from "@safelight/server";
import { Limits } from "@safelight/server/limits";
import { type Figure, percentile } from "./figures.ts";

/** Megabytes that the limits may take, whoever asks. */
const mostMemory = 60;

export async function benchAccess({ small }: { small: boolean }): Promise<Figure[]> {
  const directory = await temporaryDirectory();
  const server = await startServer({
    DATA_DIR: directory.path,
    PORT: "0",
    LOG_LEVEL: "silent",
    EMBEDDED_ENGINE: "off",
    TRUSTED_PROXIES: "127.0.0.1",
  });
  try {
    return [await limitsAlone(server, small), await flood(server, small), ...(await keyTimes(server, small))];
  } finally {
    await server.close();
    await directory.remove();
  }
}

/** Every rule filled by as many callers, the last of them asking as often as they may. */
async function limitsAlone(server: RunningServer, small: boolean): Promise<Figure> {
  const callers = small ? 20_000 : 1_000_000;
  const before = heap();
  const limits = await Limits.open(server.context);
  for (const rule of ["client_session", "admin_session", "admin_by_address", "admin_by_session"] as const) {
    for (let caller = 0; caller < callers; caller += 1) {
      const times = caller < callers - 10_000 ? 1 : 120;
      for (let time = 0; time < times; time += 1) void limits.take(rule, addressOf(caller));
    }
  }
  const taken = heap() - before;
  // Named once more, so that it is not let go before it was measured.
  void limits.take("client_session", addressOf(0));
  return memoryFigure(`limits, ${callers.toLocaleString("en")} callers of each rule, heap`, taken);
}

/** Real requests, each from another address and with cookies and keys that open nothing. */
async function flood(server: RunningServer, small: boolean): Promise<Figure> {
  const requests = small ? 500 : 100_000;
  const before = heap();
  for (let from = 0; from < requests; from += 100) {
    await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        server.app.inject({
          method: "GET",
          url: "/admin/session",
          headers: {
            host: "127.0.0.1",
            "x-forwarded-for": addressOf(from + index),
            cookie: `gg_admin_session=${randomBytes(32).toString("base64url")}; gg_session=${randomBytes(32).toString("base64url")}`,
          },
        }),
      ),
    );
  }
  return memoryFigure(
    `${requests.toLocaleString("en")} requests, each of another address and cookie, heap`,
    heap() - before,
  );
}

function memoryFigure(what: string, bytes: number): Figure {
  const megabytes = Math.max(0, bytes / 1e6);
  return {
    what,
    measured: `${megabytes.toFixed(1)} MB`,
    against: "–",
    ratio: null,
    target: `≤ ${mostMemory} MB`,
    reached: megabytes <= mostMemory,
  };
}

/** Refusals of keys that share nothing and nearly all with the right one, turn about, so that noise falls on both. */
async function keyTimes(server: RunningServer, small: boolean): Promise<Figure[]> {
  const right = server.secrets.apiKey;
  const nearly = `${right.slice(0, -1)}${right.endsWith("A") ? "B" : "A"}`;
  const nothing = right.replaceAll(/./g, (sign) => (sign === "x" ? "y" : "x"));
  const longer = `${right}${right}`;
  const rounds = small ? 21 : 600;
  const samples: Record<string, number[]> = { nearly: [], nothing: [], longer: [] };
  for (let round = 0; round < rounds; round += 1) {
    const keys = Object.entries({ nearly, nothing, longer });
    const order = [...keys.slice(round % 3), ...keys.slice(0, round % 3)];
    for (const [name, key] of order) samples[name]?.push(await refusalTime(server, key));
  }
  // What other programs add is only ever more: the quick ones tell.
  const quick = (name: string) => percentile(samples[name] ?? [], 0.1);
  return ["nearly", "longer"].map((name) => {
    const ratio = quick("nothing") / quick(name);
    return {
      what: `refusal of a key ${name === "nearly" ? "that is right but for its last sign" : "twice as long"}`,
      measured: `${(quick(name) * 1000).toFixed(1)} µs`,
      against: `${(quick("nothing") * 1000).toFixed(1)} µs, nothing right`,
      ratio,
      target: "0.95 – 1.05",
      reached: ratio > 0.95 && ratio < 1.05,
    };
  });
}

async function refusalTime(server: RunningServer, key: string): Promise<number> {
  const times = 20;
  const began = performance.now();
  for (let time = 0; time < times; time += 1) {
    await server.app.inject({ url: "/tasks", headers: { host: "127.0.0.1", "x-api-key": key } });
  }
  return (performance.now() - began) / times;
}

const addressOf = (caller: number) => `2001:db8:${(caller >> 16).toString(16)}:${(caller & 0xffff).toString(16)}::1`;

let collect: (() => void) | undefined;

/** Bytes in use once what is not has been let go. */
function heap(): number {
  if (collect === undefined) {
    setFlagsFromString("--expose-gc");
    collect = runInNewContext("gc") as () => void;
  }
  collect();
  return process.memoryUsage().heapUsed;
}
