import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createSecretCheck } from "../secrets/secret-check.ts";
import { createTestClock, type Edge, openEdge } from "../testing/edge.ts";
import {
  checkSession,
  createSession,
  isSessionOpen,
  renewalInterval,
  revokeSession,
  sessionLifetime,
  sweepSessions,
} from "./sessions.ts";

const clock = createTestClock();
let edge: Edge;
beforeEach(async () => {
  edge = await openEdge({ clock });
});
afterEach(() => edge.close());

const start = () => createSession(edge.context, { hint: "a browser" });
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "fine",
    (error: { code: string }) => error.code,
  );

describe("a generation session", () => {
  test("has a token of 256 random bits of which only the hash is stored", async () => {
    const session = await start();
    expect(Buffer.from(session.token, "base64url")).toHaveLength(32);
    expect(session.id).toMatch(/^[0-9a-f]{64}$/);
    await edge.context.database.write(async (transaction) => {
      const rows = await transaction.prepare("SELECT * FROM sessions").all();
      expect(rows).toHaveLength(1);
      expect(rows[0]).toMatchObject({
        token_hash: session.id,
        status: "active",
        issued_at: clock.now(),
        revoked_at: null,
      });
      expect(JSON.parse(String(rows[0]?.client_context))).toEqual({ ip: "local", client: "a browser" });
    });
    for (const name of ["safelight.sqlite", "safelight.sqlite-wal"]) {
      expect(readFileSync(join(edge.folder, name)).includes(session.token)).toBe(false);
    }
  });

  test("lives 24 hours from its last use and is renewed at most every five minutes", async () => {
    const { token, expiresAt } = await start();
    expect(expiresAt - clock.now()).toBe(sessionLifetime);
    clock.advance(renewalInterval - 1);
    expect(await checkSession(edge.context, token)).toMatchObject({ expiresAt, renewed: false });
    clock.advance(1);
    expect(await checkSession(edge.context, token)).toMatchObject({
      expiresAt: clock.now() + sessionLifetime,
      renewed: true,
    });
    expect(await checkSession(edge.context, token)).toMatchObject({ renewed: false });
    clock.advance(sessionLifetime - 1);
    expect(await checkSession(edge.context, token)).toMatchObject({ renewed: true });
    clock.advance(sessionLifetime);
    expect(await codeOf(checkSession(edge.context, token))).toBe("session_expired");
  });

  test("looking whether it is open is no use of it", async () => {
    const { token, id } = await start();
    clock.advance(sessionLifetime - 1);
    expect(await isSessionOpen(edge.context, id)).toBe(true);
    clock.advance(1);
    expect(await isSessionOpen(edge.context, id)).toBe(false);
    expect(await codeOf(checkSession(edge.context, token))).toBe("session_expired");
  });

  test("revocation is final and harms no other", async () => {
    const [one, two] = [await start(), await start()];
    await revokeSession(edge.context, one.id);
    await revokeSession(edge.context, one.id);
    expect(await codeOf(checkSession(edge.context, one.token))).toBe("session_expired");
    expect(await isSessionOpen(edge.context, one.id)).toBe(false);
    expect(await codeOf(checkSession(edge.context, two.token))).toBe("fine");
  });

  test("a renewal that meets a revocation loses", async () => {
    const { token, id } = await start();
    clock.advance(renewalInterval);
    const [checked] = await Promise.all([
      revokeSession(edge.context, id).then(() => codeOf(checkSession(edge.context, token))),
      codeOf(checkSession(edge.context, token)),
    ]);
    expect(checked).toBe("session_expired");
    expect(await isSessionOpen(edge.context, id)).toBe(false);
  });

  test("an unknown token needs a session, it did not expire", async () => {
    expect(await codeOf(checkSession(edge.context, "never-issued"))).toBe("session_required");
    expect(await codeOf(checkSession(edge.context, "' or 1=1 --"))).toBe("session_required");
  });

  test("a clock set back keeps a session good and revoked ones revoked", async () => {
    const [one, two] = [await start(), await start()];
    await revokeSession(edge.context, two.id);
    clock.set(clock.now() - 3 * sessionLifetime);
    expect(await codeOf(checkSession(edge.context, one.token))).toBe("fine");
    expect(await codeOf(checkSession(edge.context, two.token))).toBe("session_expired");
  });

  test("FR-023: without its storage nobody comes in", async () => {
    const { token } = await start();
    await edge.context.database.close();
    expect(await codeOf(start())).toBe("auth_unavailable");
    expect(await codeOf(checkSession(edge.context, token))).toBe("auth_unavailable");
  });

  test("the sweep marks expired ones, keeps them for a month so that they read as expired, and then forgets them", async () => {
    const { token } = await start();
    clock.advance(sessionLifetime + 1);
    expect(await sweepSessions(edge.context)).toBe(1);
    expect(await codeOf(checkSession(edge.context, token))).toBe("session_expired");
    clock.advance(31 * sessionLifetime);
    expect(await sweepSessions(edge.context)).toBe(1);
    expect(await codeOf(checkSession(edge.context, token))).toBe("session_required");
  });
});

test("a secret is compared whole, whatever its length", () => {
  const check = createSecretCheck("the right key");
  expect(check("the right key")).toBe(true);
  for (const wrong of ["", "the right ke", "the right key ", "The right key", "x".repeat(100_000)])
    expect(check(wrong)).toBe(false);
});

test("FR-023: every operation of the database failing in turn starts no session, and the next try does", async () => {
  let calls = 0;
  let failing: number | null = null;
  const broken = await openEdge({
    interrupt: () => {
      calls += 1;
      if (calls === failing) throw Object.assign(new Error("disk full"), { code: "ERR_SQLITE_ERROR", errcode: 13 });
    },
  });
  const rows = async () =>
    Number((await broken.context.database.prepareRead("SELECT count(*) AS count FROM sessions").get())?.count);
  let refused = 0;
  for (let nth = 1; ; nth += 1) {
    [calls, failing] = [0, nth];
    const code = await codeOf(createSession(broken.context, { hint: null }));
    if (calls < nth) break;
    expect([code, await rows()]).toEqual(["auth_unavailable", 0]);
    refused += 1;
  }
  // Opening the transaction, its statement, its commit.
  expect(refused).toBe(3);
  expect(await rows()).toBe(1);
  failing = null;
  await broken.close();
});
