import { appendAudit } from "../audit/append.ts";
import type { Context } from "../context/context.ts";
import { StartupError } from "../errors.ts";

const read = "SELECT value FROM installation WHERE name = 'environment'";

/**
 * Data belongs to the environment it was made in: a production database that was copied to a desk does not open there, nor the reverse.
 * ADOPT_ENVIRONMENT, naming the environment it was made in, takes it over: all sessions end, and API keys of the other environment do
 * not count any more, as they carry its name. Throws a StartupError.
 */
export async function checkEnvironmentMark(context: Context): Promise<void> {
  const { environment, adoptEnvironment } = context.config;
  const made = (await context.database.prepareRead(read).get())?.value;
  if (made === environment) return;
  if (made !== undefined && made !== adoptEnvironment) {
    throw new StartupError(
      `SAFELIGHT_ENV: the data was made in ${String(made)}, and this is ${environment}. Set another DATA_DIR, or ADOPT_ENVIRONMENT=${String(made)} to take the data over: sessions and API keys of ${String(made)} end.`,
    );
  }
  await context.database.write(async (tx) => {
    await tx
      .prepare(
        "INSERT INTO installation (name, value) VALUES ('environment', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
      )
      .run(environment);
    if (made === undefined) return;
    const now = context.clock.now();
    for (const table of ["sessions", "admin_sessions"]) {
      await tx.prepare(`UPDATE ${table} SET status = 'revoked', revoked_at = ? WHERE status = 'active'`).run(now);
    }
    await tx
      .prepare("UPDATE api_keys SET revoked_at = ? WHERE revoked_at IS NULL AND environment <> ?")
      .run(now, environment);
    const details = { from: made, to: environment };
    await appendAudit(context, tx, { action: "adopt_environment", target: environment, outcome: "success", details });
  });
}
