/** Sessions of an installation with several gateways: what ends at one of them ends at all, open streams included. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { openInstallation, type TestGateway, type TestInstallation } from "../testing/gateway.ts";
import { checkAdminSession, createAdminSession, isAdminSessionOpen, revokeAdminSession } from "./admin-sessions.ts";
import { adminCredential, type Credential, sessionCredential } from "./credential.ts";
import { endSessions } from "./kept-tokens.ts";
import { OpenStreams } from "./open-streams.ts";
import { checkSession, createSession, isSessionOpen, revokeSession } from "./sessions.ts";

let installation: TestInstallation;
let [one, other]: [TestGateway, TestGateway] = [] as never;
beforeEach(async () => {
  installation = await openInstallation();
  [one, other] = [await installation.open(), await installation.open()];
});
afterEach(() => installation.close());

test("FR-023: a session opened at one gateway is good at the other, and ended there its streams here end within seconds", async () => {
  const { context } = other;
  const streams = new OpenStreams(
    ({ kind, id }: Credential) =>
      kind === "session"
        ? isSessionOpen(context, id.slice("session:".length))
        : isAdminSessionOpen(context, id.slice("admin-session:".length)),
    context.log,
  );
  const closed: string[] = [];
  const client = { hint: null };
  const sessions = [await createSession(one.context, client), await createSession(one.context, client)];
  const operator = await createAdminSession(one.context, client);
  for (const [index, { token, id }] of sessions.entries()) {
    expect(await checkSession(context, token)).toMatchObject({ id });
    streams.track(sessionCredential(id), () => closed.push(`session ${index}`));
  }
  expect(await checkAdminSession(context, operator.token, "use")).toMatchObject({ id: operator.id });
  streams.track(adminCredential(operator.id), () => closed.push("operator"));
  await revokeSession(one.context, sessions[0]?.id ?? "");
  await expect.poll(() => closed).toEqual(["session 0"]);
  await expect(checkSession(context, sessions[0]?.token ?? "")).rejects.toMatchObject({ code: "session_expired" });
  await revokeAdminSession(one.context, operator.id);
  await expect.poll(() => closed).toEqual(["session 0", "operator"]);
  // Everybody is signed out.
  await one.database.write((tx) => endSessions(one.context, tx, {}));
  await expect.poll(() => closed).toEqual(["session 0", "operator", "session 1"]);
});
