// What a task costs an installation on PostgreSQL and S3, from its submit to its stored result: counted while many are drawn by workers
// that take a fixed time. Rows, log, events and requests are properties of the product, the pace is one of this machine.
import { Cluster } from "@safelight/e2e/cluster";
import { temporaryDirectory } from "@safelight/e2e/server-process";
import { startWorkerProcess } from "@safelight/e2e/worker-process";
import { type PostgresServer, startPostgres } from "@safelight/server/testing/postgres-server";
import { type S3Server, startS3Server } from "@safelight/server/testing/s3-server";
import { type Figure, rate } from "./figures.ts";

const slots = 8;
const callers = 16;

export async function benchTasks({ small }: { small: boolean }): Promise<Figure[]> {
  const tasks = small ? 12 : 300;
  const [here, there] = [await temporaryDirectory(), await temporaryDirectory()];
  const [postgres, s3] = await Promise.all([startPostgres({ durable: true }), startS3Server()]);
  const url = await postgres.createDatabase({ empty: true });
  const cluster = await Cluster.start(here.path, 1, { DATABASE_URL: url, ...s3.environment, LOG_LEVEL: "error" });
  const worker = await startWorkerProcess(there.path, ["--slots", String(slots)], "script");
  try {
    await cluster.gateway(0).logIn();
    await cluster.gateway(0).addWorker("attic-gpu", worker, slots);
    await draw(cluster, 0, slots);
    const before = await count(postgres, url, s3);
    const began = performance.now();
    await draw(cluster, slots, tasks);
    const seconds = (performance.now() - began) / 1000;
    const after = await count(postgres, url, s3);
    const connections = await postgres.query(
      url,
      "SELECT count(*) AS count FROM pg_stat_activity WHERE application_name LIKE 'safelight %'",
    );
    return figuresOf({ tasks, seconds, before, after, connections: Number(connections[0]?.["count"]) });
  } finally {
    await cluster.stop("SIGKILL");
    await worker.stop();
    await s3.close();
    await postgres.stop();
    await here.remove();
    await there.remove();
  }
}

async function draw(cluster: Cluster, first: number, tasks: number): Promise<void> {
  const wanted = Array.from({ length: tasks }, (_, index) => first + index);
  await Promise.all(
    Array.from({ length: callers }, async () => {
      for (let seed = wanted.shift(); seed !== undefined; seed = wanted.shift()) {
        const body = { model: "flux", prompt: "a red boat at sea at sunset", width: 512, height: 512, steps: 15, seed };
        const { status } = await cluster.ended(await cluster.submit(`task-${seed}`, body));
        if (status !== "done") throw new Error(`A task ended ${status}.`);
      }
    }),
  );
}

interface Counted {
  readonly rows: number;
  readonly log: number;
  readonly size: number;
  readonly events: number;
  readonly eventBytes: number;
  readonly requests: number;
  readonly stored: number;
  readonly audit: number;
}

async function count(postgres: PostgresServer, url: string, s3: S3Server): Promise<Counted> {
  // Figures of connections that are at rest are a second old at most.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const [row = {}] = await postgres.query(
    url,
    `SELECT (SELECT tup_inserted + tup_updated + tup_deleted FROM pg_stat_database WHERE datname = current_database()) AS rows,
       CAST(pg_current_wal_lsn() - '0/0' AS BIGINT) AS log, pg_database_size(current_database()) AS size,
       (SELECT count(*) FROM events) AS events, (SELECT coalesce(sum(octet_length(data)), 0) FROM events) AS "eventBytes",
       (SELECT count(*) FROM audit_events) AS audit, (SELECT coalesce(sum(result_bytes), 0) FROM tasks) AS stored`,
  );
  const of = (name: string) => Number(row[name]);
  return {
    rows: of("rows"),
    log: of("log"),
    size: of("size"),
    events: of("events"),
    eventBytes: of("eventBytes"),
    audit: of("audit"),
    stored: of("stored"),
    requests: s3.requests.length,
  };
}

interface Result {
  readonly tasks: number;
  readonly seconds: number;
  readonly before: Counted;
  readonly after: Counted;
  readonly connections: number;
}

function figuresOf({ tasks, seconds, before, after, connections }: Result): Figure[] {
  const each = (name: keyof Counted) => (after[name] - before[name]) / tasks;
  const plain = (what: string, measured: string): Figure => ({
    what,
    measured,
    against: "–",
    ratio: null,
    target: "–",
    reached: true,
  });
  const few = (value: number) => value.toFixed(1);
  const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`;
  return [
    plain("a task: rows written in PostgreSQL", few(each("rows"))),
    plain("a task: written into PostgreSQL's log", kilobytes(each("log"))),
    plain("a task: growth of the database", kilobytes(each("size"))),
    plain("a task: events, and their bytes", `${few(each("events"))}, ${kilobytes(each("eventBytes"))}`),
    plain("a task: rows of the audit log", few(each("audit"))),
    plain("a task: requests to S3", few(each("requests"))),
    plain("a task: bytes of its result", kilobytes(each("stored"))),
    plain("one gateway: connections to PostgreSQL", String(connections)),
    plain(`one gateway, ${slots} slots kept busy`, rate(tasks / seconds)),
  ];
}
