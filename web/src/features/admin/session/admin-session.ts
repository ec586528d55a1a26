// The operator's session. Its cookie is out of reach of scripts, so whether there is one shows in the answers.
import { client } from "../../../api/client.ts";
import { problemCode } from "../../../api/problems.ts";
import { queryClient } from "../../../api/query-client.ts";
import { isEndedSession } from "../../../api/session.ts";
import { hold } from "../held.ts";

export type AdminSession =
  | { phase: "unknown" }
  | { phase: "in" }
  /** `ended`: there was one on this page, and it came to its end by itself. */
  | { phase: "out"; ended: boolean };

const session = hold<AdminSession>({ phase: "unknown" });
const leaving = new Set<() => void>();

export const useAdminSession = session.use;

/** What has to be forgotten when an operator signs out: forms half filled in, above all keys. */
export function onSigningOut(forget: () => void): void {
  leaving.add(forget);
}

/** Runs a request of an operator. A refused session takes the page back to the log-in; the refusal is passed on. */
export async function asAdmin<Result>(request: () => Promise<Result>): Promise<Result> {
  try {
    const result = await request();
    if (session.read().phase === "unknown") session.write({ phase: "in" });
    return result;
  } catch (error) {
    if (isEndedSession(error)) session.write({ phase: "out", ended: session.read().phase === "in" || wasEnded() });
    throw error;
  }
}

/** Asks whether the cookie is good; rejects when the server cannot be asked. */
export async function lookForSession(): Promise<void> {
  try {
    await asAdmin(() => client.getAdminSession());
  } catch (error) {
    if (!isEndedSession(error)) throw error;
  }
}

/** Trades the key for a session. The key goes into one header of one request and is kept nowhere. Answers whether it was taken. */
export async function signInWith(key: string): Promise<boolean> {
  // A header takes no other characters; no key has any.
  if (!/^[\x21-\x7e]+$/.test(key)) return false;
  try {
    await client.createAdminSession({ headers: { "x-admin-key": key } });
  } catch (error) {
    if (problemCode(error) === "invalid_api_key") return false;
    throw error;
  }
  session.write({ phase: "in" });
  return true;
}

/** Revokes the session for good and forgets what the page read and what was typed. */
export async function signOut(): Promise<void> {
  try {
    await client.deleteAdminSession();
  } catch (error) {
    if (!isEndedSession(error)) throw error;
  }
  session.write({ phase: "out", ended: false });
  for (const forget of leaving) forget();
  queryClient.removeQueries({ queryKey: ["admin"] });
}

function wasEnded(): boolean {
  const state = session.read();
  return state.phase === "out" && state.ended;
}
