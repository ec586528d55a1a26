// One session for the whole page, opened without a key typed where the installation allows it. Whoever meets a refused
// session waits on the same promise, so that a page full of requests asks the user once.
import { useSyncExternalStore } from "react";
import { client, clientWithKey } from "./client.ts";
import { problemCode } from "./problems.ts";
import { isSessionHeld, keepSessionExpiry } from "./session-expiry.ts";

export type Secret = "password" | "key";

export type SessionState =
  | { phase: "opening" }
  | { phase: "active" }
  /** Somebody signed out in this tab; nothing is asked for until they come in again. */
  | { phase: "signed-out" }
  /** The installation wants a secret; `refused` says that the last one was wrong, `renewal` that work was under way. */
  | { phase: "asking"; secret: Secret; refused: boolean; renewal: boolean };

interface Typed {
  secret: Secret;
  value: string;
}

let state: SessionState = { phase: "opening" };
let pending: Promise<void> | null = null;
let answer: ((value: string) => void) | null = null;
let comeIn: (() => void) | null = null;
let everActive = false;
/** Counts the sessions this page has opened. */
let opened = 0;
const listeners = new Set<() => void>();

function setState(next: SessionState): void {
  state = next;
  for (const listener of listeners) listener();
}

/** Resolves when the page holds a session; rejects when the server cannot be asked. Asks nothing while one is held. */
export function openSession(): Promise<void> {
  pending ??= obtain().finally(() => {
    pending = null;
  });
  return pending;
}

/** Runs a request within a session; when the session turns out to have ended, opens one and runs it once more. */
export async function withSession<T>(request: () => Promise<T>): Promise<T> {
  await openSession();
  const used = opened;
  try {
    return await request();
  } catch (error) {
    if (!isEndedSession(error)) throw error;
    await renewSession(used);
    return request();
  }
}

/** Which session is in use: the number to hand to `renewSession` when it is refused. */
export function sessionInUse(): number {
  return opened;
}

export function isEndedSession(error: unknown): boolean {
  const code = problemCode(error);
  return code === "session_required" || code === "session_expired";
}

/** Replaces the session that was refused, unless somebody else has done so meanwhile. */
export async function renewSession(refused: number): Promise<void> {
  if (refused === opened) keepSessionExpiry(null);
  await openSession();
}

/** Hands over what the user typed when the state is "asking". */
export function submitSecret(value: string): void {
  answer?.(value);
  answer = null;
}

/** Revokes the session for good. Requests made from now on wait until `signIn` is called. */
export async function endSession(): Promise<void> {
  try {
    await client.deleteSession();
  } catch (error) {
    // A session that has ended already needs no end.
    if (!isEndedSession(error)) throw error;
  }
  keepSessionExpiry(null);
  setState({ phase: "signed-out" });
}

/** Lets the page ask for a session again. */
export function signIn(): void {
  if (state.phase !== "signed-out") return;
  everActive = false;
  setState({ phase: "opening" });
  comeIn?.();
  comeIn = null;
  void openSession().catch(() => {});
}

export function useSession(): SessionState {
  return useSyncExternalStore(subscribe, () => state);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

async function obtain(): Promise<void> {
  if (state.phase === "signed-out") await new Promise<void>((resolve) => (comeIn = resolve));
  if (!isSessionHeld()) {
    await create();
    opened += 1;
  }
  everActive = true;
  if (state.phase !== "active") setState({ phase: "active" });
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
    const session =
      typed?.secret === "key"
        ? await clientWithKey(typed.value).createSession()
        : await client.createSession(typed === null ? {} : { body: { password: typed.value } });
    keepSessionExpiry(session.expires_at);
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
