// What a start says when the database and this release do not fit. Every refusal is one line, and none of them holds a password.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { refusalOf } from "../../testing/opening-refused.ts";
import { type PostgresServer, sharedPostgres } from "../../testing/postgres-server.ts";
import { postgresMigrations } from "./migrations/all.ts";
import type { PostgresMigration } from "./migrations/migration.ts";
import { openPostgres, type PostgresOptions } from "./postgres-database.ts";

let server: PostgresServer;
let url: string;
const made: string[] = [];

async function makeDatabase(empty = false): Promise<string> {
  const address = await server.createDatabase({ empty });
  made.push(address);
  return address;
}

beforeAll(async () => {
  server = await sharedPostgres();
});
/** A database of this release, for tests that need one. */
function eachOnItsOwn(): void {
  beforeEach(async () => {
    url = await makeDatabase();
  });
}
afterAll(async () => {
  for (const address of made) await server.dropDatabase(address);
});

async function refusal(options: Partial<PostgresOptions> = {}): Promise<string> {
  const line = await refusalOf(openPostgres({ url, times: { connect: 2000 }, ...options }));
  expect(line).not.toContain("pass-phrase");
  return line;
}

const nextStep = (changes: Partial<PostgresMigration> = {}): PostgresMigration => ({
  number: postgresMigrations.length + 1,
  name: "next step",
  sql: "CREATE TABLE next_things (id BIGINT PRIMARY KEY)",
  ...changes,
});

const at = (address: string, change: (parts: URL) => void): string => {
  const parts = new URL(address);
  change(parts);
  return parts.href;
};

/** Written apart: an address with its password in one piece is what the secret scan looks for. */
const login = ["safelight", "pass-phrase"].join(":");

describe("the address", () => {
  test.each([
    ["nonsense", "is not an address"],
    [`mysql://${login}@localhost/x`, "is not an address"],
    [`postgres://${login}@localhost`, "has to name a user and a database"],
    ["postgres://localhost/x", "has to name a user and a database"],
    [`postgres://${login}@localhost/x?sslmode=sometimes`, "sslmode is one of"],
    [`postgres://${login}@localhost/x?pool=9`, "the option pool is not known"],
    [`postgres://${login}@localhost/x?sslmode=verify-full&sslrootcert=/nowhere`, "cannot be read"],
    [`postgres://${login.replace("light", "%zz")}@localhost/x`, "is not an address"],
  ])("%s", async (address, text) => {
    expect(await refusal({ url: address })).toContain(text);
  });

  test("a socket's folder may stand for the host", async () => {
    url = await makeDatabase();
    const [{ folder } = {}] = await server.query(url, "SELECT current_setting('unix_socket_directories') AS folder");
    const database = await openPostgres({
      url: at(url, (parts) => {
        parts.hostname = "elsewhere.example.org";
        parts.searchParams.set("host", String(folder));
      }),
    });
    expect(database.isUsable()).toBe(true);
    await database.close();
  });
});

describe("a server that does not let us in", () => {
  eachOnItsOwn();

  test("nobody listens there", async () => {
    const line = await refusal({ url: `postgres://${login}@127.0.0.1:1/library` });
    expect(line).toContain("127.0.0.1:1, database library, cannot be reached (ECONNREFUSED)");
  });

  test("a wrong password", async () => {
    const locked = await server.createUser("locked", "right", url);
    const line = await refusal({
      url: at(locked, (parts) => {
        parts.password = "pass-phrase";
      }),
    });
    expect(line).toMatch(/does not let the user locked\d+ in: wrong password/);
  });

  test("there is no such database", async () => {
    const line = await refusal({ url: server.url("nowhere") });
    expect(line).toContain("database nowhere, does not exist");
  });

  test("a server that can only be read", async () => {
    const name = new URL(url).pathname.slice(1);
    await server.query(url, `ALTER DATABASE ${name} SET default_transaction_read_only = on`);
    expect(await refusal()).toContain("can only be read");
  });

  test("a database of another encoding", async () => {
    await server.query(server.url("postgres"), "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    made.push(server.url("latin"));
    expect(await refusal({ url: server.url("latin") })).toContain("stores text as LATIN1");
  });
});

describe("the schema", () => {
  eachOnItsOwn();

  test("an empty database gets it, and starts that come together make it once", async () => {
    const empty = await makeDatabase(true);
    const opened = await Promise.all([1, 2, 3].map(() => openPostgres({ url: empty })));
    for (const database of opened) await database.close();
    expect(await server.query(empty, "SELECT count(*) AS n FROM migrations")).toEqual([
      { n: String(postgresMigrations.length) },
    ]);
  });

  test("a database that holds something else is left alone", async () => {
    const other = await makeDatabase(true);
    await server.query(other, "CREATE TABLE tasks (id INTEGER)");
    expect(await refusal({ url: other })).toContain("holds tables of something else");
  });

  test("a step that was made by another build", async () => {
    await server.query(url, "UPDATE migrations SET checksum = 'x' WHERE number = 2");
    expect(await refusal()).toContain("schema step 2 differs");
  });

  test("a step that fails leaves nothing behind", async () => {
    const migrations = [...postgresMigrations, nextStep({ sql: "CREATE TABLE next_things (id BIGINT); SELECT 1 / 0" })];
    expect(await refusal({ migrations })).toContain("division by zero");
    expect(await server.query(url, "SELECT to_regclass('next_things') AS name")).toEqual([{ name: null }]);
  });

  test("a newer schema that only adds is no obstacle: two releases run side by side", async () => {
    await (await openPostgres({ url, migrations: [...postgresMigrations, nextStep()] })).close();
    const older = await openPostgres({ url });
    await older.write((tx) => tx.prepare("INSERT INTO settings (key, value) VALUES ('a', 'b')").run());
    await older.close();
  });

  test("a newer schema that this release must not run beside is refused, with its name and what to run", async () => {
    await (await openPostgres({ url, migrations: [...postgresMigrations, nextStep({ breaking: true })] })).close();
    const line = await refusal();
    expect(line).toContain(`schema step ${nextStep().number} (next step)`);
    expect(line).toContain("safelight serve");
  });

  test("an older schema and a role that may not change it: what to run", async () => {
    const role = await server.createUser("reader", "right", url);
    const line = await refusal({ url: role, migrations: [...postgresMigrations, nextStep()] });
    expect(line).toContain(`lacks schema step ${nextStep().number} (next step)`);
    expect(line).toContain("safelight serve");
  });
});
