import type { Database } from "./database.ts";
import { openSqlite, type SqliteOptions } from "./sqlite/open.ts";

export type OpenOptions = SqliteOptions;

/**
 * Opens or creates the database and brings its schema up to date. Throws a StartupError with one clear line when it cannot be relied on.
 */
export async function openDatabase(options: OpenOptions): Promise<Database> {
  return openSqlite(options);
}
