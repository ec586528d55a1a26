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
  | Asking;

/** The installation wants a secret. */
export interface Asking {
  phase: "asking";
  secret: Secret;
  /** The last one was wrong. */
  refused: boolean;
  /** Why it is not known whether the last one was right: no answer, or too many tries; null otherwise. */
  trouble: unknown;
  /** What was typed is on its way. */
  checking: boolean;
  /** Work was under way when the session ended. */
  renewal: boolean;
}

interface Typed {
  secret: Secret;
  value: string;
}

let state: SessionState = { phase: "opening" };
let pending: Promise<void> | null = null;
let answer: ((value: string) => void) | null = null;
/** From the press on "Sign out" until somebody comes in again: what wants a session meanwhile waits for its end. */
let absence: { over: Promise<void>; end: () => void } | null = null;
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
  if (absence !== null) return;
  // Before the first wait: the news stream learns of the end before the answer is here, and would ask for a new session.
  absence = beginAbsence();
  try {
    await pending?.catch(() => {});
    await revoke();
  } catch (error) {
    endAbsence();
    throw error;
  }
  keepSessionExpiry(null);
  setState({ phase: "signed-out" });
}

async function revoke(): Promise<void> {
  try {
    await client.deleteSession();
  } catch (error) {
    // A session that has ended already needs no end.
    if (!isEndedSession(error)) throw error;
  }
}

/** Lets the page ask for a session again. */
export function signIn(): void {
  if (state.phase !== "signed-out") return;
  everActive = false;
  setState({ phase: "opening" });
  endAbsence();
  void openSession().catch(() => {});
}

function beginAbsence(): { over: Promise<void>; end: () => void } {
  let end = (): void => {};
  const over = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { over, end };
}

function endAbsence(): void {
  absence?.end();
  absence = null;
}

export function useSession(): SessionState {
  return useSyncExternalStore(subscribe, () => state);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

async function obtain(): Promise<void> {
  await absence?.over;
  if (!isSessionHeld()) {
    await create();
    opened += 1;
  }
  everActive = true;
  if (state.phase !== "active") setState({ phase: "active" });
}

/** Asks for a secret as often as it takes. Rejects only while nothing has been asked. */
async function create(): Promise<void> {
  let wanted = await tryToCreate(null);
  let outcome: Pick<Asking, "refused" | "trouble"> = { refused: false, trouble: null };
  while (wanted !== null) {
    const secret: Secret = wanted;
    const question: Asking = { phase: "asking", secret, ...outcome, checking: false, renewal: everActive };
    const value = await ask(question);
    setState({ ...question, refused: false, trouble: null, checking: true });
    try {
      wanted = await tryToCreate({ secret, value });
      outcome = { refused: wanted === secret, trouble: null };
    } catch (error) {
      outcome = { refused: false, trouble: error };
    }
  }
}

/** Answers the secret that the installation wants before it gives a session; null once it has given one. */
async function tryToCreate(typed: Typed | null): Promise<Secret | null> {
  // A header takes no other characters; no key has any.
  if (typed?.secret === "key" && !/^[\x21-\x7e]+$/.test(typed.value)) return "key";
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

function ask(question: Asking): Promise<string> {
  setState(question);
  return new Promise((resolve) => {
    answer = resolve;
  });
}
