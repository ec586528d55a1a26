import { silentLog } from "../../log.ts";
import type { Database } from "../database.ts";
import { parsePostgresUrl } from "./address.ts";
import { type PostgresTimes, Sockets, usualTimes } from "./connect.ts";
import { toStartupError } from "./postgres-database.ts";
import { PostgresReaders } from "./readers.ts";

export interface PostgresReading extends Pick<Database, "prepareRead" | "read"> {
  /** Host, port and name, for people. */
  readonly described: string;
  close(): Promise<void>;
}

/**
 * Opens a database to look at it as it is: nothing is written and no schema made, and its sessions cannot write either. Throws a
 * StartupError of one line where it cannot be reached.
 */
export async function openPostgresReading(url: string, times: Partial<PostgresTimes> = {}): Promise<PostgresReading> {
  const address = parsePostgresUrl(url);
  const readers = new PostgresReaders({
    address,
    times: { ...usualTimes, ...times },
    sockets: new Sockets(),
    applicationName: `safelight look ${process.pid}`,
    log: silentLog(),
    poolSize: 2,
    isUsable: () => true,
    onFault: () => undefined,
  });
  try {
    await readers.prepare("SELECT 1 AS one").get();
  } catch (error) {
    await readers.close();
    throw toStartupError(error instanceof Error && error.cause !== undefined ? error.cause : error, address);
  }
  return {
    described: address.described,
    prepareRead: readers.prepare,
    read: (work) => readers.read(work),
    close: () => readers.close(),
  };
}
