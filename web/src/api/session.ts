// One session for the whole page, opened without a key typed where the installation allows it. Whoever meets a refused
// session waits on the same promise, so that a page full of requests asks the user once.
import { useSyncExternalStore } from "react";
import { client, clientWithKey } from "./client.ts";
import { problemCode } from "./problems.ts";

export type Secret = "password" | "key";

export type SessionState =
  | { phase: "opening" }
  | { phase: "active" }
  /** The installation wants a secret; `refused` says that the last one was wrong, `renewal` that work was under way. */
  | { phase: "asking"; secret: Secret; refused: boolean; renewal: boolean };

interface Typed {
  secret: Secret;
  value: string;
}

let state: SessionState = { phase: "opening" };
let pending: Promise<void> | null = null;
let answer: ((value: string) => void) | null = null;
let everActive = false;
const listeners = new Set<() => void>();

function setState(next: SessionState): void {
  state = next;
  for (const listener of listeners) listener();
}

/** Resolves when the page holds an active session; rejects when the server cannot be asked at all. */
export function openSession(): Promise<void> {
  pending ??= obtain().finally(() => {
    pending = null;
  });
  return pending;
}

/** Runs a request; when the session is missing or has ended, opens one and runs it once more. */
export async function withSession<T>(request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    const code = problemCode(error);
    if (code !== "session_required" && code !== "session_expired") throw error;
    await openSession();
    return request();
  }
}

/** Hands over what the user typed when the state is "asking". */
export function submitSecret(value: string): void {
  answer?.(value);
  answer = null;
}

export function useSession(): SessionState {
  return useSyncExternalStore(subscribe, () => state);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

async function obtain(): Promise<void> {
  // Asking whether the cookie still holds costs nothing of the small allowance for new sessions.
  if (!(await cookieHolds())) await create();
  everActive = true;
  setState({ phase: "active" });
}

async function cookieHolds(): Promise<boolean> {
  try {
    return (await client.getSession()).active;
  } catch (error) {
    if (problemCode(error) === "session_required" || problemCode(error) === "session_expired") return false;
    throw error;
  }
}

async function create(typed: Typed | null = null): Promise<void> {
  const wanted = await tryToCreate(typed);
  if (wanted === null) return;
  const value = await ask(wanted, typed?.secret === wanted);
  await create({ secret: wanted, value });
}

/** Answers the secret that the installation wants before it gives a session; null once it has given one. */
async function tryToCreate(typed: Typed | null): Promise<Secret | null> {
  try {
    if (typed?.secret === "key") await clientWithKey(typed.value).createSession();
    else await client.createSession(typed === null ? {} : { body: { password: typed.value } });
    return null;
  } catch (error) {
    const secret = secretFor(problemCode(error));
    if (secret === null) throw error;
    return secret;
  }
}

function secretFor(code: string | null): Secret | null {
  if (code === "invalid_password") return "password";
  return code === "invalid_api_key" || code === "session_required" ? "key" : null;
}

function ask(secret: Secret, refused: boolean): Promise<string> {
  setState({ phase: "asking", secret, refused, renewal: everActive });
  return new Promise((resolve) => {
    answer = resolve;
  });
}
