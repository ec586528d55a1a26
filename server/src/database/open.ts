import type { Database } from "./database.ts";
import { openPostgres } from "./postgres/postgres-database.ts";
import { openSqlite, type SqliteOptions } from "./sqlite/open.ts";

export interface OpenOptions extends SqliteOptions {
  /** Address of a PostgreSQL database, which is opened instead of the file. */
  url?: string | undefined;
  /** Its connections for reading; 8 unless it is said. */
  poolSize?: number | undefined;
}

/**
 * Opens or creates the database and brings its schema up to date. Throws a StartupError with one clear line when it cannot be relied on.
 */
export async function openDatabase({ url, poolSize, ...options }: OpenOptions): Promise<Database> {
  if (url === undefined) return openSqlite(options);
  const { log } = options;
  return openPostgres({ url, ...(log === undefined ? {} : { log }), ...(poolSize === undefined ? {} : { poolSize }) });
}
