import type { Database } from "../database.ts";
import { sqliteDialect } from "./dialect.ts";
import { type Preparing, preparing } from "./statement.ts";

/** A database file that nobody else writes, as verbs read it: every statement sees the same state as it is. */
export function readingOf(connection: Preparing): Pick<Database, "prepareRead" | "read"> {
  const prepare = preparing(connection);
  return { prepareRead: prepare, read: (work) => work({ prepare, dialect: sqliteDialect }) };
}
