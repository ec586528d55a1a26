/** Limits of an installation with several gateways: they count together. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { openInstallation, type TestInstallation } from "../testing/gateway.ts";
import { sharedPostgres } from "../testing/postgres-server.ts";
import { Limits } from "./limits.ts";
import type { RuleName } from "./rules.ts";

let installation: TestInstallation;
let [one, other]: Limits[] = [];
beforeEach(async () => {
  installation = await openInstallation();
  for (let count = 0; count < 2; count += 1) await installation.open();
  [one, other] = await Promise.all(installation.gateways.map(({ context }) => Limits.open(context)));
});
afterEach(() => installation.close());

const take = async (limits: Limits | undefined, rule: RuleName) => limits?.take(rule, "203.0.113.1");

test("FR-018: attempts to sign in are counted by all gateways together, also those that come at once", async () => {
  const asked = Array.from({ length: 24 }, (_, index) => take(index % 2 === 0 ? one : other, "client_session"));
  const waits = await Promise.all(asked);
  expect(waits.filter((wait) => wait === 0)).toHaveLength(10);
  for (const limits of [one, other]) {
    const wait = await take(limits, "client_session");
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(60_000);
  }
  // Another caller is another matter, and a gateway that starts now knows of both.
  expect(await other?.take("client_session", "203.0.113.2")).toBe(0);
  const third = await installation.open();
  expect(await take(await Limits.open(third.context), "client_session")).toBeGreaterThan(0);
});

test("FR-018: who has to wait costs the database nothing more, at whichever gateway it was let through", async () => {
  for (let count = 0; count < 10; count += 1) expect(await take(one, "client_session")).toBe(0);
  expect(await take(other, "client_session")).toBeGreaterThan(0);
  const server = await sharedPostgres();
  await server.query(installation.url, "ALTER TABLE rate_limits RENAME TO out_of_reach");
  expect(await take(other, "client_session")).toBeGreaterThan(0);
  expect(installation.gateways[1]?.logged.join("")).not.toContain("limits cannot be written");
  // Where it cannot be counted together each gateway counts for itself.
  const waits = [];
  for (let count = 0; count < 12; count += 1) waits.push(await other?.take("admin_session", "203.0.113.3"));
  expect(waits.every((wait) => wait === 0)).toBe(true);
  expect(installation.gateways[1]?.logged.join("")).toContain("limits cannot be written");
  await server.query(installation.url, "ALTER TABLE out_of_reach RENAME TO rate_limits");
  await other?.write();
  const known = await server.query(installation.url, "SELECT hits FROM rate_limits WHERE rule = 'admin_session'");
  expect(String(known[0]?.hits).split(" ")).toHaveLength(12);
});

test("FR-018: other requests are put together with the next writing", async () => {
  for (let count = 0; count < 100; count += 1) expect(await take(one, "admin_by_address")).toBe(0);
  await one?.write();
  for (let count = 0; count < 30; count += 1) expect(await take(other, "admin_by_address")).toBe(0);
  // Ten more than the rule says: what came in between two writings.
  await other?.write();
  expect(await take(other, "admin_by_address")).toBeGreaterThan(0);
  expect(await take(one, "admin_by_address")).toBe(0);
  await one?.write();
  expect(await take(one, "admin_by_address")).toBeGreaterThan(0);
});
