/** Worker accounts of an installation with several gateways. */
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Follower } from "../gateways/follower.ts";
import { createKeyring } from "../keys/keyring.ts";
import { openGateway, type TestGateway } from "../testing/gateway.ts";
import { type HealthWorker, startHealthWorker } from "../testing/health-worker.ts";
import { sharedPostgres } from "../testing/postgres-server.ts";
import { addAccount } from "./add-account.ts";
import { disableAccount } from "./change-account.ts";
import { checkAccount } from "./check-account.ts";
import { checkSoon } from "./check-soon.ts";
import { followAccounts } from "./follow-accounts.ts";
import { type HealthChecks, startHealthChecks } from "./health-checks.ts";
import { openRegistry } from "./open-registry.ts";
import type { AccountRegistry } from "./registry.ts";

interface Opened extends TestGateway {
  readonly accounts: AccountRegistry;
  readonly followed: Follower;
  /** How often executors and checks were told of a change. */
  readonly changes: () => number;
  checks: HealthChecks | undefined;
}

let url: string;
let worker: HealthWorker;
let [one, other]: [Opened, Opened] = [] as never;
beforeEach(async () => {
  url = await (await sharedPostgres()).createDatabase();
  worker = await startHealthWorker();
  [one, other] = [await open(), await open()];
});
afterEach(async () => {
  for (const gateway of [one, other]) {
    await gateway.followed.stop();
    await gateway.checks?.stop();
    await gateway.close();
  }
  await worker.close();
  await (await sharedPostgres()).dropDatabase(url);
});

async function open(): Promise<Opened> {
  const gateway = await openGateway(url);
  let changes = 0;
  const accounts = await openRegistry(gateway.context, createKeyring([Buffer.alloc(32, 3)]), {
    changed: () => {
      changes += 1;
      opened.checks?.wake();
    },
    wakeChecks: () => opened.checks?.wake(),
  });
  const followed = followAccounts(gateway.context, accounts);
  const opened: Opened = { ...gateway, accounts, followed, changes: () => changes, checks: undefined };
  return opened;
}

const attic = () => ({
  label: "Attic",
  workspace: "attic-gpu",
  kind: "http" as const,
  worker_key: worker.key,
  base_url: worker.url,
});

test("what one gateway changes, and what its checks find, the other routes by", async () => {
  await addAccount(one.context, one.accounts, attic());
  const before = other.changes();
  await checkAccount(one.context, one.accounts, "attic-gpu", "by_hand");
  await expect.poll(() => other.accounts.standings.of("pony")).toBe("ready");
  await expect.poll(() => other.changes()).toBeGreaterThan(before);
  await disableAccount(other.context, other.accounts, "attic-gpu", false);
  await expect.poll(() => one.accounts.standings.of("pony")).toBe("registered");
});

test("one gateway makes the checks, whoever asks for them; another goes on when it stops", async () => {
  for (const gateway of [one, other]) gateway.checks = startHealthChecks(gateway.context, gateway.accounts);
  const { id } = await addAccount(one.context, one.accounts, attic());
  const checked = async () => {
    const row = await one.database.prepareRead("SELECT last_health_at, next_check_at FROM worker_accounts").get();
    return Number(row?.next_check_at) > one.context.clock.now() ? Number(row?.last_health_at) : 0;
  };
  await expect.poll(checked).toBeGreaterThan(0);
  for (const [index, gateway] of [one, other].entries()) {
    const before = await checked();
    await checkSoon(gateway.context, gateway.accounts, id);
    await expect.poll(checked).toBeGreaterThan(before);
    expect(worker.asked).toHaveLength(index + 2);
  }
  const [leader, follower] = one.logged.join("").includes("this gateway leads") ? [one, other] : [other, one];
  await leader.checks?.stop();
  const before = await checked();
  await checkSoon(leader.context, leader.accounts, id);
  await expect.poll(checked).toBeGreaterThan(before);
  expect(follower.logged.join("")).toContain("this gateway leads");
});
