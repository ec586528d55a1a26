import { join } from "node:path";
import type { Database } from "../database/database.ts";
import { openPostgres } from "../database/postgres/postgres-database.ts";
import { openSqlite, type SqliteOptions } from "../database/sqlite/open.ts";
import { sharedPostgres } from "./postgres-server.ts";

export type TestDatabaseOptions = Omit<SqliteOptions, "file" | "migrations">;

/** For what only one of them has: its own file, its own way to tell how it finds rows. */
export const onPostgres = process.env["SAFELIGHT_TEST_DATABASE"] === "postgres";

const addresses = new Map<string, string>();

/**
 * The database of a test, in this folder; opened there again it is the same one. SAFELIGHT_TEST_DATABASE=postgres runs the tests on a
 * PostgreSQL server instead, one database for each folder.
 */
export async function openTestDatabase(folder: string, { clock, ...options }: TestDatabaseOptions): Promise<Database> {
  if (!onPostgres) {
    return openSqlite({
      file: join(folder, "safelight.sqlite"),
      ...(clock === undefined ? {} : { clock }),
      ...options,
    });
  }
  const url = addresses.get(folder) ?? (await (await sharedPostgres()).createDatabase());
  addresses.set(folder, url);
  return openPostgres({ url, ...options });
}

/** When the folder goes. */
export async function dropTestDatabase(folder: string): Promise<void> {
  const url = addresses.get(folder);
  if (url === undefined) return;
  addresses.delete(folder);
  await (await sharedPostgres()).dropDatabase(url);
}
