/**
 * What gateways on one database keep from each other for a while, by name. A hold is a row with an end that is put off while it is held, so
 * that one of a gateway that was killed ends by itself. Only where the database is shared: one process has simpler means.
 */
import type { Context } from "../context/context.ts";
import type { Transaction } from "../database/database.ts";

/** How long a hold lasts after its last sign of life, in milliseconds. */
export const holdLasts = 30_000;
/** How often somebody who waits asks again. */
const askEvery = 100;

type Parts = Pick<Context, "clock" | "database" | "ids" | "log">;

export interface Hold {
  /** Gives it up; never rejects. */
  release(): Promise<void>;
  /** Whether it is still held, in this transaction: a gateway that stood still may have lost it. */
  isMine(tx: Transaction): Promise<boolean>;
}

/** Beside others that hold the same, or once nobody else does. Errors: `storage_unavailable`. */
export async function takeHold(parts: Parts, name: string, how: "beside others" | "alone"): Promise<Hold> {
  const holder = parts.ids.token();
  while (!(await enter(parts, name, holder, how))) await new Promise((resolve) => setTimeout(resolve, askEvery));
  const renewing = setInterval(() => void renew(parts, name, holder), holdLasts / 3).unref();
  return {
    release: async () => {
      clearInterval(renewing);
      await parts.database
        .write(({ prepare }) => prepare("DELETE FROM holds WHERE name = ? AND holder = ?").run(name, holder))
        .catch((error: unknown) => parts.log.warn("something held ends only by its time", { name, error }));
    },
    isMine: async ({ prepare }) => {
      const row = await prepare("SELECT 1 AS one FROM holds WHERE name = ? AND holder = ?").get(name, holder);
      return row !== undefined;
    },
  };
}

/** Whether anybody holds it. */
export async function isHeld(
  { clock }: Pick<Context, "clock">,
  { prepare }: Transaction,
  name: string,
): Promise<boolean> {
  const row = await prepare("SELECT 1 AS one FROM holds WHERE name = ? AND until > ? LIMIT 1").get(name, clock.now());
  return row !== undefined;
}

function enter({ clock, database }: Parts, name: string, holder: string, how: "beside others" | "alone") {
  return database.write(async (tx) => {
    await tx.prepare("DELETE FROM holds WHERE until <= ?").run(clock.now());
    if (how === "alone" && (await isHeld({ clock }, tx, name))) return false;
    await tx
      .prepare("INSERT INTO holds (name, holder, until) VALUES (?, ?, ?)")
      .run(name, holder, clock.now() + holdLasts);
    return true;
  });
}

async function renew({ clock, database, log }: Parts, name: string, holder: string): Promise<void> {
  await database
    .write(({ prepare }) =>
      prepare("UPDATE holds SET until = ? WHERE name = ? AND holder = ?").run(clock.now() + holdLasts, name, holder),
    )
    .catch((error: unknown) => log.debug("something held could not be put off", { name, error }));
}
