// @vitest-environment jsdom
import { act, cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  type Answer,
  type Asked,
  givenSession,
  openPageServer,
  type PageServer,
  refusal,
} from "../testing/page-server.ts";
import { fillWindowGaps } from "../testing/window-gaps.ts";

type Session = typeof import("../api/session.ts");

const password = "a lamp in the dark";
const models: Answer = { body: { catalog_version: "1", known_words: [], models: [] } };
let server: PageServer;
let session: Session;
let SessionGate: typeof import("./session-gate.tsx").SessionGate;
/** What was asked about sessions: method, and the password if any. */
let asked: string[];
/** Requests that were refused so far. */
let refused: number;
let onSession: (question: Asked) => Answer | null | Promise<Answer | null>;
let onRequest: () => Answer | Promise<Answer>;
let client: typeof import("../api/client.ts").client;

beforeEach(async () => {
  fillWindowGaps();
  localStorage.clear();
  asked = [];
  refused = 0;
  onSession = byPassword;
  onRequest = () => models;
  server = await openPageServer(
    () => onRequest(),
    (question) => {
      asked.push([question.method, typed(question)].filter(Boolean).join(" "));
      return onSession(question);
    },
  );
  // One page has one session: each test has a page of its own.
  vi.resetModules();
  session = await import("../api/session.ts");
  ({ client } = await import("../api/client.ts"));
  ({ SessionGate } = await import("./session-gate.tsx"));
  render(<SessionGate />);
});

afterEach(async () => {
  cleanup();
  await server.close();
});

function typed({ body }: Asked): string {
  return typeof body === "object" && body !== null && "password" in body ? String(body.password) : "";
}

function byPassword(question: Asked): Answer {
  if (question.method === "DELETE") return { status: 204, body: null };
  return typed(question) === password ? givenSession() : refusal(401, "invalid_password");
}

const field = () => screen.findByLabelText("Access password");
const button = () => screen.getByRole("button", { name: /Come in|Continue|One moment/, hidden: true });
const dialog = () => screen.queryByRole("dialog", { hidden: true });

async function enter(value: string): Promise<void> {
  fireEvent.change(await field(), { target: { value } });
  fireEvent.click(button());
}

/** A request of the page that has to have a session; answers whether it came through. */
async function request(): Promise<boolean> {
  const { catalog_version } = await session.withSession(async () => {
    try {
      return await client.listModels();
    } catch (error) {
      refused += 1;
      throw error;
    }
  });
  return catalog_version === "1";
}

async function comeIn(): Promise<void> {
  const opening = session.openSession();
  await enter(password);
  await act(() => opening);
}

/** Something that a test lets go on. */
function halt() {
  let release = () => {};
  const over = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { over, release: () => release() };
}

describe("the question for a password", () => {
  it("stands until its answer is there, and says that it is on its way", async () => {
    const { over, release } = halt();
    onSession = async (question) => {
      if (typed(question) !== "") await over;
      return byPassword(question);
    };
    const opening = session.openSession();
    await enter(password);
    await waitFor(() => expect(asked).toEqual(["POST", `POST ${password}`]));
    expect(button().textContent).toBe("One moment…");
    fireEvent.click(button());
    await act(async () => {
      release();
      await opening;
    });
    expect(dialog()).toBeNull();
    expect(asked).toHaveLength(2);
  });

  it("says why a password could not be tried, keeps it, and takes it the next time", async () => {
    const opening = session.openSession();
    onSession = (question) => (typed(question) === "" ? byPassword(question) : refusal(429, "rate_limited"));
    // The place for a refusal stands before there is one: words that come into it later are read aloud.
    expect((await screen.findByRole("alert", { hidden: true })).textContent).toBe("");
    await enter(password);
    await screen.findByText(/Refused: rate_limited\./);
    onSession = (question) => (typed(question) === "" ? byPassword(question) : null);
    fireEvent.click(button());
    await screen.findByText(/The server did not answer\./);
    onSession = byPassword;
    fireEvent.click(button());
    await act(() => opening);
    expect(dialog()).toBeNull();
    expect(asked).toEqual(["POST", ...Array.from({ length: 3 }, () => `POST ${password}`)]);
  });

  it("keeps a request whose session has ended until it is answered, and says that nothing is lost", async () => {
    await comeIn();
    let isEnded = true;
    onRequest = () => (isEnded ? refusal(401, "session_expired") : models);
    const answer = request();
    await screen.findByText(/Your prompt and settings are still here\./);
    isEnded = false;
    await enter(password);
    await act(async () => expect(await answer).toBe(true));
  });
});

describe("a visitor who leaves", () => {
  it("is asked once they come in again, though the page learnt of the end before it was told", async () => {
    await comeIn();
    const ended = halt();
    const told = halt();
    onSession = async (question) => {
      if (question.method === "DELETE") await told.over;
      return byPassword(question);
    };
    onRequest = async () => {
      await ended.over;
      return refusal(401, "session_required");
    };
    const answer = request();
    await waitFor(() => expect(server.asked).toHaveLength(1));
    const leaving = session.endSession();
    await waitFor(() => expect(asked).toContain("DELETE"));
    ended.release();
    await waitFor(() => expect(refused).toBe(1));
    onRequest = () => models;
    // As long as another request takes, a session could have been asked for.
    await act(() => fetch("/tasks"));
    await act(async () => {
      told.release();
      await leaving;
    });
    expect(asked.at(-1)).toBe("DELETE");
    expect(dialog()).toBeNull();
    act(() => session.signIn());
    expect((await field()).closest("dialog")?.textContent).not.toContain("Your session ended");
    await enter(password);
    await act(async () => expect(await answer).toBe(true));
    expect(dialog()).toBeNull();
  });

  it("stays in when the server could not be told", async () => {
    await comeIn();
    onSession = (question) => (question.method === "DELETE" ? null : byPassword(question));
    await act(async () => expect(await session.endSession().catch(() => "not told")).toBe("not told"));
    await expect(request()).resolves.toBe(true);
  });
});
