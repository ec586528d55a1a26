// The routes for operators, asked by a command: one admin session, ended with the command.
import { type Client, createClient, pathOf } from "@safelight/contract";
import { CommandError, exitCodes, usageError } from "../failure.ts";
import type { Connection } from "./connect.ts";

/**
 * Works with a client that has an admin session. The admin key opens it; without one, or where it counts no more, whoever may read the
 * data directory of a server on this machine is let in as well.
 */
export async function asOperator<Result>(
  connection: Connection,
  adminKey: string | undefined,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  const cookie = await logIn(connection, adminKey);
  const withCookie: typeof fetch = (input, init) => {
    const headers = new Headers(init?.headers);
    headers.set("cookie", cookie);
    return fetch(input, { ...init, headers });
  };
  const client = createClient({ baseUrl: connection.url, fetch: withCookie });
  try {
    return await work(client);
  } finally {
    // It may have ended with the secret it was opened with.
    await client.deleteAdminSession().catch(() => undefined);
  }
}

async function logIn(connection: Connection, adminKey: string | undefined): Promise<string> {
  const keys = [adminKey, adminKey === undefined ? await connection.readLocalKey() : undefined];
  if (adminKey === undefined) keys.push(await connection.readAdminKey());
  const known = keys.filter((key) => key !== undefined);
  if (known.length === 0) {
    throw usageError("The admin key is not known: set ADMIN_KEY, give --admin-key, or run this where the server runs.");
  }
  let status = 0;
  for (const key of known) {
    const headers = { "x-admin-key": key };
    const answer = await fetch(connection.url + pathOf("createAdminSession"), { method: "POST", headers });
    if (answer.ok) return (answer.headers.getSetCookie()[0] ?? "").split(";")[0] ?? "";
    status = answer.status;
  }
  const text =
    status === 401
      ? "The server does not take the admin key. On its own machine this command needs none: run it as the server's user, on its DATA_DIR."
      : `The server answers ${status}.`;
  throw new CommandError(exitCodes.unavailable, "not_let_in", text);
}
