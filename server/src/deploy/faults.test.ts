/** Deploys on a database that fails: whatever is refused, nothing is left in between. */
import { existsSync } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { WriteOperation } from "../database/sqlite/sqlite-connection.ts";
import { SafelightError } from "../errors.ts";
import { type Edge, openEdge } from "../testing/edge.ts";
import { Gate, HeldDatabase } from "../testing/held-database.ts";
import { writeSource } from "../testing/worker-source.ts";
import { addAccount } from "../worker-accounts/add-account.ts";
import { cancelDeployment } from "./cancel-deployment.ts";
import { Deployer } from "./deployer.ts";
import { describeWithLog, readDeploymentsOf } from "./deployment-record.ts";
import { deployAccount } from "./queue-deployment.ts";

const limits = { total: 20_000, ask: 5000, grace: 500, retry: 20 };
let folder: string;
let edge: Edge;
let deployer: Deployer;
let accountId: string;
let fails: (operation: WriteOperation) => boolean;

// Stands in for Python: two lines some time apart, so that the log is written in more than one piece.
const scripted = "#!/bin/sh\necho first words\nsleep 0.25\necho last words\nexit 1\n";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "safelight-faults-"));
  const source = join(folder, "source");
  await writeSource(source, "import modal\n");
  await writeFile(join(folder, "python"), scripted);
  await chmod(join(folder, "python"), 0o755);
  fails = () => false;
  edge = await openEdge({
    environment: { MODAL_PYTHON: join(folder, "python") },
    interrupt: (operation) => {
      if (fails(operation)) throw Object.assign(new Error("disk full"), { code: "ERR_SQLITE_ERROR", errcode: 13 });
    },
  });
  deployer = await Deployer.open(edge.context, edge.installation.accounts, source, limits);
  const token = { token_id: "ak-0123456789", token_secret: "as-0123456789abcdef" };
  const account = { label: "Cloud", workspace: "cloud-gpu", kind: "modal", ...token } as const;
  ({ id: accountId } = await addAccount(edge.context, edge.installation.accounts, account));
});
afterEach(async () => {
  fails = () => false;
  await deployer.stop();
  await edge.close();
  await rm(folder, { recursive: true, force: true });
});

const deployments = async () => {
  const { prepareRead } = edge.context.database;
  const records = await readDeploymentsOf(prepareRead, accountId);
  return Promise.all(records.map((record) => describeWithLog(prepareRead, record)));
};
const rows = async () =>
  (
    await edge.context.database
      .prepareRead("SELECT actor_type, outcome FROM audit_events WHERE action = 'deploy_account' ORDER BY id")
      .all()
  ).map(({ outcome }) => outcome);

test("whichever write fails once, the deploy is refused whole or ends whole", async () => {
  let nth = 0;
  let failed = true;
  let refused = 0;
  while (failed) {
    nth += 1;
    failed = false;
    let seen = 0;
    const [deploymentsBefore, rowsBefore] = [(await deployments()).length, (await rows()).length];
    fails = () => {
      seen += 1;
      failed ||= seen === nth;
      return seen === nth;
    };
    const asked = await deployAccount(edge.context, deployer, "cloud-gpu").catch((error: unknown) => error);
    if (asked instanceof SafelightError) {
      expect(asked.code).toBe("storage_unavailable");
      expect([(await deployments()).length, (await rows()).length]).toEqual([deploymentsBefore, rowsBefore]);
      refused += 1;
      continue;
    }
    await expect.poll(async () => (await deployments())[0]?.finished_at, { timeout: 20_000 }).not.toBeNull();
    expect((await deployments())[0]).toMatchObject({
      status: "failed",
      error: { code: "deploy_failed", detail: "The modal command ended with code 1: last words" },
      log: ["Deploying the app safelight-cloud-gpu …", "first words", "last words"],
      log_lines: 3,
    });
    expect((await rows()).slice(rowsBefore)).toEqual(["success", "failure"]);
  }
  // The request alone writes four statements, and more come afterwards.
  expect(refused).toBeGreaterThan(3);
  expect(nth - refused).toBeGreaterThan(5);
}, 120_000);

/** The deployer on a database that does not answer one write, the first after which `isDue` finds what it looks for. */
async function loseAnAnswer(isDue: (database: HeldDatabase) => Promise<boolean>): Promise<{ lost: number }> {
  const database = new HeldDatabase(edge.context.database);
  const answers = { lost: 0 };
  database.onWritten = async () => {
    if (answers.lost > 0 || !(await isDue(database))) return;
    answers.lost += 1;
    throw new SafelightError("storage_unavailable", "The change may be there or not.");
  };
  await deployer.stop();
  const context = { ...edge.context, database };
  deployer = await Deployer.open(context, edge.installation.accounts, join(folder, "source"), limits);
  return answers;
}

test("lines whose commit got no answer are there once, and the deploy ends", async () => {
  const firstLine = "SELECT 1 AS one FROM deployment_log LIMIT 1";
  const answers = await loseAnAnswer(async ({ prepareRead }) => (await prepareRead(firstLine).get()) !== undefined);
  await deployAccount(edge.context, deployer, "cloud-gpu");
  await expect.poll(async () => (await deployments())[0]?.finished_at, { timeout: 20_000 }).not.toBeNull();
  expect(answers.lost).toBe(1);
  expect((await deployments())[0]).toMatchObject({
    log: ["Deploying the app safelight-cloud-gpu …", "first words", "last words"],
    log_lines: 3,
  });
});

test("a beginning whose commit got no answer is gone on with", async () => {
  const answers = await loseAnAnswer(async () => (await deployments())[0]?.status === "running");
  await deployAccount(edge.context, deployer, "cloud-gpu");
  await expect.poll(async () => (await deployments())[0]?.finished_at, { timeout: 20_000 }).not.toBeNull();
  expect(answers.lost).toBe(1);
  expect((await deployments())[0]).toMatchObject({ error: { code: "deploy_failed" }, log_lines: 3 });
});

test("FR-008: a cancel reaches a run although it could not be looked for when the run began", async () => {
  await writeFile(join(folder, "python"), "#!/bin/sh\nexec sleep 60\n");
  const database = new HeldDatabase(edge.context.database);
  const begun = new Gate();
  let looks = 0;
  database.onRead = async (sql) => {
    if (!sql.includes("cancel_requested_at IS NOT NULL")) return;
    looks += 1;
    if (looks > 1) return;
    await begun.pass();
    throw new Error("the database is out of reach");
  };
  await deployer.stop();
  const context = { ...edge.context, database };
  deployer = await Deployer.open(context, edge.installation.accounts, join(folder, "source"));
  // Asked through another gateway: this one hears of it by looking.
  const elsewhere = await Deployer.open(edge.context, edge.installation.accounts, join(folder, "source"));
  const { id } = await deployAccount(edge.context, deployer, "cloud-gpu");
  await begun.reached;
  await cancelDeployment(edge.context, elsewhere, id);
  begun.open();
  await expect.poll(async () => (await deployments())[0]?.status, { timeout: 20_000 }).toBe("failed");
  expect((await deployments())[0]).toMatchObject({ id, error: { code: "cancelled" } });
});

test("FR-008: a cancel that is written in one commit with the beginning is not lost", async () => {
  await writeFile(join(folder, "python"), "#!/bin/sh\nexec sleep 60\n");
  const { id } = await deployAccount(edge.context, deployer, "cloud-gpu");
  // The deployer was woken by the commit; its own write and this one go into the next.
  expect(await cancelDeployment(edge.context, deployer, id)).toMatchObject({ status: "running" });
  await expect.poll(async () => (await deployments())[0]?.status).toBe("failed");
  expect((await deployments())[0]).toMatchObject({ id, error: { code: "cancelled" } });
});

test("while nothing can be written the end waits for it, and a stop leaves it to the next start", async () => {
  const python = join(folder, "python");
  await writeFile(python, '#!/bin/sh\ntouch "$0.begun"\nwhile [ ! -e "$0.go" ]; do sleep 0.05; done\nexit 1\n');
  const { id } = await deployAccount(edge.context, deployer, "cloud-gpu");
  await expect.poll(() => existsSync(`${python}.begun`), { timeout: 20_000 }).toBe(true);
  fails = () => true;
  await writeFile(`${python}.go`, "");
  await expect.poll(() => edge.logged.join(""), { timeout: 20_000 }).toContain("could not be written down");
  expect((await deployments())[0]?.status).toBe("running");
  await deployer.stop();
  fails = () => false;
  deployer = await Deployer.open(edge.context, edge.installation.accounts, join(folder, "source"));
  expect((await deployments())[0]).toMatchObject({ id, status: "failed", error: { code: "interrupted" } });
});
