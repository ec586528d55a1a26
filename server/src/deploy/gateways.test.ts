/** Deploys of an installation with several gateways: one of them runs what any of them is asked for. */
import { existsSync } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Presence } from "../gateways/presence.ts";
import { createKeyring } from "../keys/keyring.ts";
import { joinOthers, openGateway, type TestGateway } from "../testing/gateway.ts";
import { sharedPostgres } from "../testing/postgres-server.ts";
import { writeSource } from "../testing/worker-source.ts";
import { addAccount } from "../worker-accounts/add-account.ts";
import { openRegistry } from "../worker-accounts/open-registry.ts";
import { cancelDeployment } from "./cancel-deployment.ts";
import { failInterrupted } from "./change-deployment.ts";
import { Deployer } from "./deployer.ts";
import { requireDeployment } from "./deployment-record.ts";
import { followDeployment } from "./follow-deployment.ts";
import { deployAccount } from "./queue-deployment.ts";

interface Opened extends TestGateway {
  readonly deployer: Deployer;
  readonly presence: Presence;
}

let url: string;
let folder: string;
let gateways: Opened[];
beforeEach(async () => {
  url = await (await sharedPostgres()).createDatabase();
  folder = await mkdtemp(join(tmpdir(), "safelight-deploys-"));
  await writeSource(join(folder, "source"), "import modal\n");
  await writeFile(python(), "");
  await chmod(python(), 0o755);
  gateways = [await open(), await open()];
});
afterEach(async () => {
  for (const gateway of gateways) {
    await gateway.deployer.stop();
    await gateway.presence.leave();
    await gateway.close();
  }
  await rm(folder, { recursive: true, force: true });
  await (await sharedPostgres()).dropDatabase(url);
});

const python = () => join(folder, "python");
const limits = { total: 20_000, ask: 5000, grace: 500, retry: 20 };

async function open(): Promise<Opened> {
  const gateway = await openGateway(url, { environment: { MODAL_PYTHON: python() } });
  const accounts = await openRegistry(gateway.context, createKeyring([Buffer.alloc(32, 3)]));
  const presence = await joinOthers(gateway.context);
  const deployer = await Deployer.open(gateway.context, accounts, join(folder, "source"), limits);
  const token = { token_id: "ak-0123456789", token_secret: "as-0123456789abcdef" };
  const account = { label: "Cloud", workspace: "cloud-gpu", kind: "modal", ...token } as const;
  const isFirst = (await gateway.database.prepareRead("SELECT 1 AS one FROM worker_accounts").get()) === undefined;
  if (isFirst) await addAccount(gateway.context, accounts, account);
  return { ...gateway, deployer, presence };
}

const stateOf = async ({ database }: TestGateway, id: string) => {
  const { status, errorCode } = await requireDeployment(database.prepareRead, id);
  return `${status} ${errorCode ?? ""}`.trim();
};
const deploy = ({ context, deployer }: Opened) => deployAccount(context, deployer, "cloud-gpu");

async function leading(): Promise<[Opened, Opened]> {
  const leads = () => gateways.filter(({ logged }) => logged.join("").includes("this gateway leads"));
  await expect.poll(() => leads().length).toBeGreaterThan(0);
  const [leader] = leads();
  const other = gateways.find((gateway) => gateway !== leader);
  if (leader === undefined || other === undefined) throw new Error("nobody leads");
  return [leader, other];
}

test("what either is asked for the one that leads runs, from the source that the other has kept, and both are told", async () => {
  await writeFile(python(), "#!/bin/sh\necho first words\nsleep 0.25\necho last words\nexit 1\n");
  const [leader, other] = await leading();
  // No deploy has a source here but the one that is kept by whoever is asked.
  for (const asked of [other, leader]) {
    const { id } = await deploy(asked);
    const logs = [leader, other].map(async ({ context, deployer }) => {
      const lines: string[] = [];
      const over = new AbortController().signal;
      for await (const event of followDeployment(context, deployer, id, 0, over)) {
        if (event.type === "deployment.log") lines.push(...(JSON.parse(event.data) as { lines: string[] }).lines);
      }
      return lines;
    });
    const said = ["Deploying the app safelight-cloud-gpu …", "first words", "last words"];
    expect(await Promise.all(logs)).toEqual([said, said]);
    const row = await other.database.prepareRead("SELECT status, runner FROM deployments WHERE id = ?").get(id);
    expect(row).toEqual({ status: "failed", runner: leader.context.instance });
  }
});

test("FR-008: a cancel at another gateway ends the run; when the one that leads stops, its run is interrupted and the other goes on", async () => {
  await writeFile(python(), '#!/bin/sh\ntouch "$0.$$.begun"\nexec sleep 60\n');
  const [leader, other] = await leading();
  const { id: first } = await deploy(other);
  await expect.poll(() => stateOf(other, first)).toBe("running");
  await cancelDeployment(other.context, other.deployer, first);
  await expect.poll(() => stateOf(other, first)).toBe("failed cancelled");
  const { id: second } = await deploy(other);
  await expect.poll(() => stateOf(other, second)).toBe("running");
  const { id: third } = await deploy(other);
  await leader.deployer.stop();
  expect(await stateOf(other, second)).toBe("failed interrupted");
  await expect.poll(() => stateOf(other, third)).toBe("running");
  const row = await other.database.prepareRead("SELECT runner FROM deployments WHERE id = ?").get(third);
  expect(row).toEqual({ runner: other.context.instance });
});

test("what a gateway was running that is gone is interrupted; what one that lives is running is left to it", async () => {
  await writeFile(python(), '#!/bin/sh\ntouch "$0.begun"\nexec sleep 60\n');
  const [leader, other] = await leading();
  const { id } = await deploy(leader);
  await expect.poll(() => existsSync(`${python()}.begun`)).toBe(true);
  // As if it were a run of another gateway, which led before.
  const server = await sharedPostgres();
  const row = "INSERT INTO gateways (instance, started_at, seen_at, version, media) SELECT 'elsewhere'";
  await server.query(url, `${row}, started_at, seen_at + 3600000, version, media FROM gateways LIMIT 1`);
  await server.query(url, "UPDATE deployments SET runner = 'elsewhere'");
  expect(await failInterrupted(leader.context)).toBe(0);
  const { id: next } = await deploy(other);
  expect([await stateOf(leader, id), await stateOf(leader, next)]).toEqual(["running", "queued"]);
  await server.query(url, "DELETE FROM gateways WHERE instance = 'elsewhere'");
  await expect.poll(() => stateOf(leader, id)).toBe("failed interrupted");
  await expect.poll(() => stateOf(leader, next)).toBe("running");
});
