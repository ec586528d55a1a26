// One to four gateways on one PostgreSQL: submits and statuses of a client that goes from one to the next, against one gateway in the
// same run. All of it shares the processors of this machine, so each row says who used them.
import { cpus } from "node:os";
import { Cluster } from "@safelight/e2e/cluster";
import { temporaryDirectory } from "@safelight/e2e/server-process";
import { type PostgresServer, startPostgres } from "@safelight/server/testing/postgres-server";
import { type S3Server, startS3Server } from "@safelight/server/testing/s3-server";
import { type Figure, median, percentile, rate } from "./figures.ts";
import { load, submission } from "./load.ts";
import { processorSeconds } from "./processor-time.ts";

const connections = { submit: 24, status: 48 } as const;

type Kind = keyof typeof connections;

interface Round {
  readonly perSecond: number;
  readonly p99: number;
  /** Of the processors' time, 0 to 1. */
  readonly shares: Readonly<Record<"gateways" | "postgres" | "client", number>>;
}

type Measured = Readonly<Record<Kind, readonly Round[]>>;

export async function benchGateways({ small }: { small: boolean }): Promise<Figure[]> {
  const counts = small ? [1, 2] : [1, 2, 4];
  const [rounds, seconds] = small ? [1, 2] : [2, 2];
  const [postgres, s3] = await Promise.all([startPostgres({ durable: true }), startS3Server()]);
  try {
    const measured: Measured[] = [];
    for (const count of counts) measured.push(await measure({ count, rounds, seconds }, postgres, s3));
    return counts.flatMap((count, index) => figuresOf(count, measured[index], measured[0]));
  } finally {
    await s3.close();
    await postgres.stop();
  }
}

interface Extent {
  readonly count: number;
  readonly rounds: number;
  readonly seconds: number;
}

async function measure({ count, rounds, seconds }: Extent, postgres: PostgresServer, s3: S3Server): Promise<Measured> {
  const directory = await temporaryDirectory();
  const cluster = await Cluster.start(directory.path, count, {
    DATABASE_URL: await postgres.createDatabase({ empty: true }),
    ...s3.environment,
    EMBEDDED_ENGINE: "auto",
    QUEUE_LIMIT: "1000000",
    LOG_LEVEL: "error",
  });
  try {
    // Submitted, and never drawn.
    await cluster.gateway(0).logIn();
    await cluster.gateway(0).asAdmin("/admin/queue/pause", "POST");
    const measured: Record<Kind, Round[]> = { submit: [], status: [] };
    const id = await cluster.submit("the one that is asked for", JSON.parse(submission));
    const pid = await postgres.pid();
    // The first round compiles statements and schemas.
    for (let round = -1; round < rounds; round += 1) {
      for (const kind of ["submit", "status"] as const) {
        const result = await play(cluster, kind, { id, seconds, pid });
        if (round >= 0) measured[kind].push(result);
      }
    }
    return measured;
  } finally {
    await cluster.stop("SIGKILL");
    await directory.remove();
  }
}

/** Every gateway gets its share of the connections, all of them together. */
async function play(
  cluster: Cluster,
  kind: Kind,
  { id, seconds, pid }: { readonly id: string; readonly seconds: number; readonly pid: number },
): Promise<Round> {
  const each = Math.floor(connections[kind] / cluster.gateways.length);
  const servers = cluster.gateways.map(({ server }) => server);
  const used = () => ({
    gateways: servers.reduce((sum, { child }) => sum + processorSeconds(child.pid ?? 0), 0),
    postgres: processorSeconds(pid),
    client: (process.cpuUsage().user + process.cpuUsage().system) / 1e6,
  });
  const before = used();
  const began = performance.now();
  const results = await Promise.all(
    servers.map(({ url, apiKey }) => {
      const headers = { "X-API-Key": apiKey, "Content-Type": "application/json" };
      const common = { headers, connections: each, seconds };
      return kind === "submit"
        ? load({ ...common, url: `${url}/generate`, method: "POST", body: submission, expectedStatus: 202 })
        : load({ ...common, url: `${url}/status/${id}`, expectedStatus: 200 });
    }),
  );
  const available = ((performance.now() - began) / 1000) * cpus().length;
  const after = used();
  const others = results.flatMap((result) => result.others);
  if (others.length > 0) throw new Error(`a ${kind} was answered ${others.join()}`);
  return {
    perSecond: results.reduce((sum, result) => sum + result.perSecond, 0),
    p99: percentile(
      results.flatMap(({ times }) => times),
      0.99,
    ),
    shares: {
      gateways: (after.gateways - before.gateways) / available,
      postgres: (after.postgres - before.postgres) / available,
      client: (after.client - before.client) / available,
    },
  };
}

function figuresOf(count: number, measured: Measured | undefined, one: Measured | undefined): Figure[] {
  if (measured === undefined || one === undefined) throw new Error(`${count} gateways were not measured`);
  return (["submit", "status"] as const).map((kind) => {
    const of = (all: Measured, value: (round: Round) => number) => median(all[kind].map(value));
    const perSecond = of(measured, (round) => round.perSecond);
    const base = of(one, (round) => round.perSecond);
    const share = (who: keyof Round["shares"]) => `${Math.round(100 * of(measured, ({ shares }) => shares[who]))} %`;
    return {
      what: `${kind}, ${count} ${count === 1 ? "gateway" : "gateways"}, ${connections[kind]} connections`,
      measured: rate(perSecond),
      against: `${rate(base)} one gateway`,
      ratio: perSecond / base,
      // On one machine they share what one has alone: what they gain is for machines of their own.
      target: "–",
      reached: true,
      note: `p99 ${Math.round(of(measured, (round) => round.p99))} ms; of ${cpus().length} processors: gateways ${share("gateways")}, PostgreSQL ${share("postgres")}, client ${share("client")}`,
    };
  });
}
