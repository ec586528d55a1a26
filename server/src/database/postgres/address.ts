import { readFileSync } from "node:fs";
import type { ClientConfig } from "pg";
import { StartupError } from "../../errors.ts";

/** Where the database is. */
export interface PostgresAddress {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string | undefined;
  readonly ssl: ClientConfig["ssl"];
  /** Host, port and name for people; never the password. */
  readonly described: string;
}

const example = "postgres://user:password@host:5432/database";

/**
 * Reads DATABASE_URL. `?host=/folder` names a socket, `?sslmode=` is `disable` (the default), `require` (encrypted, nobody is checked),
 * `verify-ca` or `verify-full`, with `&sslrootcert=FILE`. Throws a StartupError that never repeats the address.
 */
export function parsePostgresUrl(text: string): PostgresAddress {
  const url = URL.canParse(text) && isDecodable(text) ? new URL(text) : undefined;
  if (url === undefined || !["postgres:", "postgresql:"].includes(url.protocol)) {
    throw new StartupError(`DATABASE_URL is not an address such as ${example}.`);
  }
  const option = (name: string): string | undefined => url.searchParams.get(name) ?? undefined;
  const strange = [...url.searchParams.keys()].find((name) => !["host", "sslmode", "sslrootcert"].includes(name));
  if (strange !== undefined) throw new StartupError(`DATABASE_URL: the option ${strange} is not known.`);
  const host = option("host") ?? (decodeURIComponent(url.hostname).replace(/^\[(.*)\]$/, "$1") || "localhost");
  const port = url.port === "" ? 5432 : Number(url.port);
  const database = decodeURIComponent(url.pathname.slice(1));
  const user = decodeURIComponent(url.username);
  if (database === "" || user === "") {
    throw new StartupError(`DATABASE_URL has to name a user and a database, as in ${example}.`);
  }
  return {
    host,
    port,
    database,
    user,
    password: url.password === "" ? undefined : decodeURIComponent(url.password),
    ssl: readSsl(option("sslmode") ?? "disable", option("sslrootcert")),
    described: `${host.includes(":") ? `[${host}]` : host}:${port}, database ${database}`,
  };
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

function readSsl(mode: string, rootFile: string | undefined): ClientConfig["ssl"] {
  if (mode === "disable") return false;
  if (mode === "require") return { rejectUnauthorized: false };
  if (mode !== "verify-ca" && mode !== "verify-full") {
    throw new StartupError("DATABASE_URL: sslmode is one of disable, require, verify-ca and verify-full.");
  }
  const ca = rootFile === undefined ? {} : { ca: readRoot(rootFile) };
  const anyName = mode === "verify-ca" ? { checkServerIdentity: () => undefined } : {};
  return { rejectUnauthorized: true, ...ca, ...anyName };
}

function readRoot(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new StartupError("DATABASE_URL: the file of sslrootcert cannot be read.", error);
  }
}
