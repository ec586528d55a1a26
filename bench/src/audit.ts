// What the chain costs: a row with it against a row as it was before it, in the same run; and how fast the whole log is checked, and
// how long others wait for that.
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { AuditVerification } from "@safelight/contract";
import { temporaryDirectory } from "@safelight/e2e/server-process";
import { type RunningServer, startServer } from "@safelight/server";
import { appendAudit } from "@safelight/server/append-audit";
import { type Figure, median, milliseconds, rate } from "./figures.ts";

type Transaction = Parameters<typeof appendAudit>[1];
type Append = (tx: Transaction) => Promise<void>;

const details = { kind: "http", label: "Attic", fields: ["base_url", "slots"] };

export async function benchAudit({ small }: { small: boolean }): Promise<Figure[]> {
  const directory = await temporaryDirectory();
  const settings = { PORT: "0", LOG_LEVEL: "silent", EMBEDDED_ENGINE: "off" };
  const server = await startServer({ ...settings, DATA_DIR: `${directory.path}/chained` });
  const plain = await startServer({ ...settings, DATA_DIR: `${directory.path}/plain` });
  try {
    await unchain(plain);
    const entry = { action: "update_account", target: "attic-gpu", outcome: "success", details } as const;
    const chained: Append = (tx) => appendAudit(server.context, tx, entry);
    const before: Append = (tx) => appendPlain(plain, tx);
    const rows = small ? 100 : 2000;
    const rounds = [];
    for (let round = 0; round < (small ? 2 : 9); round += 1) {
      rounds.push({
        cost: { chained: await rowCost(server, chained, rows), plain: await rowCost(plain, before, rows) },
        pace: { chained: await pace(server, chained, rows / 10), plain: await pace(plain, before, rows / 10) },
      });
    }
    return [...costFigures(rounds), ...(await checkFigures(server))];
  } finally {
    await server.close();
    await plain.close();
    await directory.remove();
  }
}

interface Pair {
  readonly chained: number;
  readonly plain: number;
}

function costFigures(rounds: readonly { readonly cost: Pair; readonly pace: Pair }[]): Figure[] {
  const cost = { chained: median(rounds.map((r) => r.cost.chained)), plain: median(rounds.map((r) => r.cost.plain)) };
  const pace = { chained: median(rounds.map((r) => r.pace.chained)), plain: median(rounds.map((r) => r.pace.plain)) };
  return [
    {
      what: "audit row, database's time",
      measured: microseconds(cost.chained),
      against: `${microseconds(cost.plain)} without the chain`,
      ratio: cost.plain / cost.chained,
      target: "≤ 200 µs",
      reached: cost.chained <= 0.2,
    },
    {
      what: "audit row, 10 writers, durable",
      measured: rate(pace.chained),
      against: `${rate(pace.plain)} without the chain`,
      ratio: pace.chained / pace.plain,
      target: "≥ 0.40",
      reached: pace.chained / pace.plain >= 0.4,
    },
  ];
}

/** Milliseconds of one row among many in one transaction: the disk has no part in it. */
async function rowCost({ context }: RunningServer, append: Append, rows: number): Promise<number> {
  return context.database.write(async (tx) => {
    const began = performance.now();
    for (let row = 0; row < rows; row += 1) await append(tx);
    return (performance.now() - began) / rows;
  });
}

/** Rows a second of ten writers, each of which waits for its row to be on disk. */
async function pace({ context }: RunningServer, append: Append, turns: number): Promise<number> {
  const began = performance.now();
  const write = async () => {
    for (let turn = 0; turn < turns; turn += 1) await context.database.write(append);
  };
  await Promise.all(Array.from({ length: 10 }, write));
  return (turns * 10) / ((performance.now() - began) / 1000);
}

async function checkFigures(server: RunningServer): Promise<Figure[]> {
  const headers = { host: "127.0.0.1", "x-admin-key": server.secrets.adminKey };
  const session = await server.app.inject({ method: "POST", url: "/admin/session", headers });
  const cookie = String(session.headers["set-cookie"]).split(";")[0] ?? "";
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const began = performance.now();
  delay.enable();
  const answer = await server.app.inject({ url: "/admin/logs/verify", headers: { host: "127.0.0.1", cookie } });
  delay.disable();
  const { intact, checked } = answer.json<AuditVerification>();
  if (!intact) throw new Error("the log that was just written is broken");
  const longest = delay.percentile(99.9) / 1e6;
  return [
    {
      what: "audit, rows checked",
      measured: rate(checked / ((performance.now() - began) / 1000)),
      against: "–",
      ratio: null,
      target: "–",
      reached: true,
    },
    {
      what: "audit, longest wait for others while it is checked",
      measured: milliseconds(longest),
      against: "–",
      ratio: null,
      target: "≤ 20 ms",
      reached: longest <= 20,
    },
  ];
}

function microseconds(value: number): string {
  return `${(value * 1000).toFixed(1)} µs`;
}

/** The table as it was before the chain: its first indices, and two triggers that never let a row go. */
function unchain({ context }: RunningServer): Promise<void> {
  const added = `SELECT type, name FROM sqlite_schema WHERE tbl_name = 'audit_events'
    AND (type = 'trigger' OR name IN ('audit_events_by_previous_hash', 'audit_events_unchained'))`;
  return context.database.write(async (tx) => {
    for (const { type, name } of await tx.prepare(added).all())
      await tx.prepare(`DROP ${String(type)} ${String(name)}`).run();
  });
}

async function appendPlain({ context }: RunningServer, tx: Transaction): Promise<void> {
  const { actor, source, correlationId, clock } = context;
  await tx
    .prepare(
      `INSERT INTO audit_events
      (timestamp, actor_type, actor_id, source, action, target, outcome, details, correlation_id)
      VALUES (?, ?, ?, ?, 'update_account', 'attic-gpu', 'success', ?, ?)`,
    )
    .run(clock.now(), actor.type, actor.id, source, JSON.stringify(details), correlationId);
}
